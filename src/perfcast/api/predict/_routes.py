"""`POST /predict` as FastAPI documents it; `Front` answers it before FastAPI is asked."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from perfcast.api.http._callers import key_of
from perfcast.api.http._identifiers import REQUEST_ID, Identifiers
from perfcast.api.http._problems import CONTENT_TYPE
from perfcast.api.http._reply import held
from perfcast.api.http._schemas import problems
from perfcast.api.predict._predict import Predict
from perfcast.api.predict._query import body_of
from perfcast.api.predict._schemas import PREDICT_ANSWER, PREDICT_BODY, PREDICT_QUERY
from perfcast.serving import Follower

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
    follower: Annotated[Follower, held(Follower)],
    identifiers: Annotated[Identifiers, held(Identifiers)],
) -> Response:
    """The same as `POST /predict`, its features flat in the query: `/predict?request_rate=120&active_users=60&…`."""
    body = await body_of(request.query_params.multi_items(), follower)
    request_id = request.scope[REQUEST_ID]
    answer = await answerer(body, request_id, identifiers.next(), partial(key_of, request.scope))
    if isinstance(answer, bytes):
        return Response(answer, media_type="application/json", headers=_UNCACHED)
    headers = answer.headers | _UNCACHED
    return Response(answer.body(request_id), answer.status, headers, CONTENT_TYPE)
