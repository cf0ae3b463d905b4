"""MLflow's scoring server: data frames in, `predictions` out."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse

from perfcast.api.adapters import Asked, answered, parsed, whole
from perfcast.api.adapters import _answers as answers
from perfcast.api.batch import CSV, JSON, Batches
from perfcast.api.http._reply import Alive, Body, CallerKey, Following, Json, held
from perfcast.api.http._schemas import problems, said
from perfcast.errors import InvalidInput, NoUsableModel

router = APIRouter(tags=["mlflow scoring"])


class _Split(msgspec.Struct):
    columns: list[str]
    data: list[Any]


class _Params(msgspec.Struct, forbid_unknown_fields=True):
    model_name: str | None = None
    coverage: Any = None


class _Scoring(msgspec.Struct, forbid_unknown_fields=True):
    dataframe_split: _Split | None = None
    dataframe_records: list[dict[str, Any]] | None = None
    instances: list[Any] | None = None
    inputs: list[Any] | dict[str, list[Any]] | None = None
    params: _Params | None = None


@router.post(
    "/invocations",
    summary="Predict the costs of a data frame",
    openapi_extra={"requestBody": answers.SCORING},
    **said(answers.Predictions, "One value a row", 400, 413, 422, 503),
)
async def score(
    request: Request, body: Body, key: CallerKey, follower: Following, batches: Annotated[Batches, held(Batches)]
) -> Json:
    """The cost of each row of a data frame, as MLflow's clients send it: `dataframe_split` and the like, or CSV.

    `params`, or the query beside CSV, may name `model_name` and `coverage`; without a name the default model of the
    workload that the columns belong to answers. A row that is wrong refuses them all. Rows are recorded as those of
    `/predict`, except those of CSV.
    """
    form = request.headers.get("content-type", "")
    if form.partition(";")[0].strip().lower() == CSV:
        query = request.query_params
        reply = await batches.answer(body, content_type=CSV, accept=JSON, query=query, key=key)
        return Json(await run_in_threadpool(whole, reply), headers=reply.headers)
    return Json(await answered(follower, batches, await run_in_threadpool(_asked, body), key))


@router.get(
    "/ping",
    summary="Whether it can score",
    response_class=PlainTextResponse,
    responses={200: {"description": "Some model answers"}, **problems(503)},
)
async def ping(lifetime: Alive) -> PlainTextResponse:
    """As `/readyz`, where MLflow's clients ask."""
    if not lifetime.ready:
        raise NoUsableModel("no model answers; /readyz and /health say more")
    return PlainTextResponse("\n")


def _asked(body: bytes | bytearray) -> Asked:
    given = parsed(body, _Scoring, "is not what MLflow's clients send")
    forms = ("dataframe_split", "dataframe_records", "instances", "inputs")
    held_forms = [(name, value) for name in forms if (value := getattr(given, name)) is not None]
    if len(held_forms) != 1:
        raise InvalidInput.of("body", f"expected one of {', '.join(forms)}, got {len(held_forms)} of them")
    ((where, value),) = held_forms
    names = None
    if isinstance(value, _Split):
        names, value = value.columns, value.data
    elif isinstance(value, dict):
        names, value = list(value), _rows(where, value)
    if names is not None and len(set(names)) < len(names):
        raise InvalidInput.of(where, "names a column twice")
    params = given.params or _Params()
    return Asked(where, value, names, params.model_name, params.coverage)


def _rows(where: str, columns: dict[str, list[Any]]) -> list[list[Any]]:
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise InvalidInput.of(where, "its lists differ in length")
    return [list(row) for row in zip(*columns.values(), strict=True)]
