"""`POST /predict` as FastAPI documents it; `Front` answers it before FastAPI is asked."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from perfcast.api.http._bodies import read_body
from perfcast.api.http._callers import key_of
from perfcast.api.http._identifiers import REQUEST_ID, Identifiers
from perfcast.api.http._problems import CONTENT_TYPE
from perfcast.api.http._reply import held
from perfcast.api.http._schemas import problems
from perfcast.api.predict._predict import Predict
from perfcast.api.predict._schemas import PREDICT_ANSWER, PREDICT_BODY
from perfcast.settings import Settings

router = APIRouter(tags=["predict"])


@router.post(
    "/predict",
    summary="Predict a cost",
    response_class=Response,
    responses={200: PREDICT_ANSWER, **problems(400, 413, 422, 503)},
    openapi_extra={"requestBody": PREDICT_BODY},
)
async def predict(
    request: Request,
    answerer: Annotated[Predict, held(Predict)],
    settings: Annotated[Settings, held(Settings)],
    identifiers: Annotated[Identifiers, held(Identifiers)],
) -> Response:
    """The cost of one set of features, its interval, and whether the model was asked beyond what it has seen.

    Features stand flat, under `features`, or under the workload's own wrapper such as `cnn_config`. Without
    `model_name` the default model of the workload that the features belong to answers.
    """
    body = await read_body(request.scope["headers"], request.receive, settings.max_body_bytes)
    key = partial(key_of, request.scope)
    reply = await answerer(body, request.scope[REQUEST_ID], identifiers.next(), key)
    media_type = CONTENT_TYPE if reply.problem is not None else "application/json"
    headers = reply.problem.headers if reply.problem is not None else None
    return Response(reply.body, status_code=reply.status, media_type=media_type, headers=headers)
