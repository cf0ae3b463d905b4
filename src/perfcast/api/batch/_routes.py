"""`POST /predict/batch`: many predictions in one request."""

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from perfcast.api.batch import Batches
from perfcast.api.batch._schemas import BATCH_ANSWER, BATCH_BODY, BATCH_QUERY
from perfcast.api.http._bodies import check_length, read_body
from perfcast.api.http._problems import Disconnected
from perfcast.api.http._reply import CallerKey, held
from perfcast.api.http._schemas import problems

router = APIRouter(tags=["predict"])
_LIMIT = "MAX_BATCH_BYTES"
_SHORT_BYTES = 1_000_000


@router.post(
    "/predict/batch",
    summary="Predict many costs",
    response_class=Response,
    responses={200: BATCH_ANSWER, **problems(400, 413, 422, 503)},
    openapi_extra={"requestBody": BATCH_BODY, "parameters": BATCH_QUERY},
)
async def predict_batch(request: Request, batches: Annotated[Batches, held(Batches)], key: CallerKey) -> Response:
    """The costs of many rows.

    A JSON list holds `/predict` bodies, models may be mixed; a bad one becomes an error in its place. Columns (JSON,
    Arrow stream, CSV, Parquet) are for one model, given by `model_name` in the body, the Arrow schema's metadata or
    the query; a bad row refuses them all, and `Accept` may ask for another form than the body's.
    """
    headers = request.scope["headers"]
    check_length(headers, batches.most_bytes, _LIMIT)
    announced = request.headers.get("content-length", "")
    try:
        with batches.room(int(announced) if announced.isdigit() else None):
            body = await read_body(headers, request.receive, batches.most_bytes, _LIMIT)
            reply = await batches.answer(
                body,
                content_type=request.headers.get("content-type", ""),
                accept=request.headers.get("accept", ""),
                query=request.query_params,
                key=key,
            )
            if len(body) < _SHORT_BYTES:
                return Response(b"".join(reply.pieces), media_type=reply.form, headers=reply.headers)
            return StreamingResponse(reply.pieces, media_type=reply.form, headers=reply.headers)
    except Disconnected:
        return Response(status_code=499)
