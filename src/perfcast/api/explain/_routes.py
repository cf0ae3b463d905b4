"""`POST /explain`: why a prediction is what it is."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from perfcast.api.explain._answers import Explanation
from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._reply import Body, CallerKey, Following, Json
from perfcast.api.http._schemas import said
from perfcast.api.predict._schemas import PREDICT_BODY
from perfcast.serving import Follower, Key, explain_row, read_reaching

router = APIRouter(tags=["predict"])


@router.post(
    "/explain",
    summary="Tell why a prediction is what it is",
    openapi_extra={"requestBody": PREDICT_BODY},
    **said(Explanation, "What each feature adds", 400, 413, 422, 503),
)
async def explain(body: Body, follower: Following, key: CallerKey) -> Json:
    """What each feature of a `/predict` body adds to its prediction: Shapley values against usual rows.

    422 for versions that were uploaded, which come without usual rows.
    """
    return Json(await run_in_threadpool(_explained, follower, body, key))


def _explained(follower: Follower, body: bytes | bytearray, key: Key) -> dict[str, object]:
    request = read_reaching(follower, body)
    _, predictor = follower.pick(request.reference, request.reader.workload.name, key)
    return {**explain_row(predictor, request.row), "timestamp": timestamp()}
