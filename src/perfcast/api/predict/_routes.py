"""`POST /predict` as FastAPI documents it (`Front` answers it before FastAPI is asked), and `GET /predict`."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from perfcast.api.http._identifiers import REQUEST_ID, Identifiers
from perfcast.api.http._reply import CallerKey, Following, held, refusal
from perfcast.api.http._schemas import problems
from perfcast.api.predict._predict import Predict
from perfcast.api.predict._schemas import PREDICT_ANSWER, PREDICT_BODY, PREDICT_QUERY
from perfcast.errors import FieldError, InvalidInput, PerfcastError
from perfcast.serving import Follower, Reader
from perfcast.workloads import TIMESTAMP

router = APIRouter(tags=["predict"])
_UNCACHED = {"Cache-Control": "no-store"}
"""Each answer is a prediction of its own, by the version of just now, as POST's are, which nobody caches."""


@router.post(
    "/predict",
    summary="Predict a cost",
    response_class=Response,
    responses={200: PREDICT_ANSWER, **problems(400, 413, 422, 503)},
    openapi_extra={"requestBody": PREDICT_BODY},
)
async def predict() -> Response:
    """The cost of one set of features, its interval, and whether the model was asked beyond what it has seen.

    Features stand flat, under `features`, or under the workload's own wrapper such as `cnn_config`. Without
    `model_name` the default model of the workload that the features belong to answers.
    """
    raise AssertionError("`Front` answers it")


@router.get(
    "/predict",
    summary="Predict a cost from a query",
    response_class=Response,
    responses={200: PREDICT_ANSWER, **problems(400, 422, 503)},
    openapi_extra={"parameters": PREDICT_QUERY},
)
async def predict_query(
    request: Request,
    answerer: Annotated[Predict, held(Predict)],
    follower: Following,
    key: CallerKey,
    identifiers: Annotated[Identifiers, held(Identifiers)],
) -> Response:
    """The same as `POST /predict`, its features flat in the query: `/predict?request_rate=120&active_users=60&…`."""
    body = await body_of(request.query_params.multi_items(), follower)
    request_id = request.scope[REQUEST_ID]
    answer = await answerer(body, request_id, identifiers.next(), key)
    if isinstance(answer, bytes):
        return Response(answer, media_type="application/json", headers=_UNCACHED)
    return refusal(answer, request_id, _UNCACHED)


_TEXTS = frozenset({"model_name", "device", TIMESTAMP})


async def body_of(query: Sequence[tuple[str, str]], follower: Follower) -> bytes:
    """The JSON body that a query means: numbers where the workload has numbers, text elsewhere.

    Args:
        query: Names and values, decoded.
        follower: Holds the routes, which know the workloads.

    Raises:
        InvalidInput: A name is there twice.
    """
    given = dict(query)
    if len(given) < len(query):
        names = [name for name, _ in query]
        raise InvalidInput([FieldError(name, "is given twice") for name in given if names.count(name) > 1])
    reader = await _reader(given, follower)
    choices = {item.name for item in reader.workload.features if item.declaration.values} if reader else set()
    return msgspec.json.encode(
        {name: text if name in _TEXTS or name in choices else _value(text) for name, text in given.items()}
    )


async def _reader(given: Mapping[str, str], follower: Follower) -> Reader | None:
    """Whose features these are; None where nobody can answer, which the answer then tells."""
    name = given.get("model_name")
    try:
        if name is None:
            return follower.routes.bodies.reader_of(given)
        arm = follower.routes.arm(name)
        return arm.slot.reader if arm is not None else (await follower.fetched(name)).reader
    except PerfcastError:
        return None


def _value(text: str) -> float | bool | str:
    try:
        return msgspec.json.decode(text, type=int | float | bool)
    except msgspec.MsgspecError:
        return text
