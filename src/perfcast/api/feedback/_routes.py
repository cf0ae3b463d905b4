"""`POST /feedback`: what predictions turned out to be."""

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from perfcast.api.batch import Batches
from perfcast.api.feedback import Feedback
from perfcast.api.feedback._answers import BODY, FeedbackTaken, Result
from perfcast.api.http._bodies import read_body
from perfcast.api.http._problems import Disconnected
from perfcast.api.http._reply import CallerKey, Json, called, held
from perfcast.api.http._schemas import example_of, said

router = APIRouter(tags=["predict"])
_LIMIT = "MAX_BATCH_BYTES"
_EXAMPLE = example_of(FeedbackTaken, results=[example_of(Result)])
Once = Annotated[str, called("its actuals count once")]


@router.post(
    "/feedback",
    summary="Tell what predictions turned out to be",
    openapi_extra={"requestBody": BODY},
    **said(FeedbackTaken, "They are in the database", 400, 409, 413, 422, 503, status=202, example=_EXAMPLE),
)
async def give_feedback(
    request: Request,
    feedback: Annotated[Feedback, held(Feedback)],
    batches: Annotated[Batches, held(Batches)],
    key: CallerKey,
    once: Once = "",
) -> Response:
    """Take true costs, one or a list, however late and however often: each counts once.

    By `prediction_id`, or with the features, which are then predicted as `/predict` would. What is wrong with an item
    of a list stands in its place, and the others are taken; `GET /models/{ref}/metrics` shows what they come to.
    """
    announced = request.headers.get("content-length", "")
    try:
        with batches.room(int(announced) if announced.isdigit() else None):
            body = await read_body(request.scope["headers"], request.receive, batches.most_bytes, _LIMIT)
            return Json(await feedback.take(body, key, once), status_code=202)
    except Disconnected:
        return Response(status_code=499)
