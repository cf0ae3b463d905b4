"""What the OpenAPI document says of every route: problems, and how an answer is shown."""

from typing import Any

from pydantic import BaseModel, Field

from perfcast.api.http._problems import CONTENT_TYPE
from perfcast.api.http._reply import Json


class ProblemDetails(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(examples=["urn:perfcast:problem:invalid-input"])
    title: str = Field(examples=["Invalid input"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["kernel_size: is required"])
    error: str = Field(description="`detail`, where clients of the Open Inference Protocol look")
    request_id: str
    errors: list[dict[str, str]] | None = Field(
        None,
        description="For 422: the fields that are wrong.",
        examples=[[{"field": "kernel_size", "message": "is required"}]],
    )


_MEANINGS = {
    400: "A name in the body is unknown; the closest ones are named",
    401: "A key is needed, or the one that was sent is not known",
    403: "The key has not the scope that this needs, which is named",
    404: "The name in the path is unknown; the closest ones are named",
    408: "The body did not come in time",
    409: "Somebody else changed it first, or it is in use",
    413: "The body is larger than MAX_BODY_BYTES",
    415: "The body is compressed",
    422: "A field is malformed, missing or out of bounds; every one is named",
    429: "More requests than RATE_LIMIT allows; Retry-After says when to ask again",
    503: "No usable model, the database can't be reached, or too much to do; says what to do",
}
_EXAMPLES: dict[int, tuple[str, str, str]] = {
    400: ("not-found", "Not found", "unknown model 'cpu-utilisation'; did you mean 'cpu-utilization'?"),
    401: ("unauthorized", "Unauthorized", "this needs a key; send it as X-API-Key: KEY"),
    403: ("forbidden", "Forbidden", "this needs a key with the scope train; yours has predict, read"),
    404: ("not-found", "Not found", "unknown model 'cpu-utilisation'; did you mean 'cpu-utilization'?"),
    408: (
        "too-slow",
        "Request too slow",
        "the request did not come within the 15 s that REQUEST_TIMEOUT_SECONDS allows",
    ),
    409: (
        "conflict",
        "Conflict",
        "cpu-utilization@champion is version 4 now, not version 3 as expected; look again and decide anew",
    ),
    413: (
        "too-large",
        "Body too large",
        "the body is larger than the 10,000,000 bytes that MAX_BODY_BYTES allows; send fewer rows",
    ),
    415: (
        "compressed",
        "Body compressed",
        "the body's Content-Encoding is 'gzip', and none is unpacked; send it as it is",
    ),
    429: (
        "too-many-requests",
        "Too Many Requests",
        "more than 600 requests in 60 s; ask again in 7 s, or raise RATE_LIMIT",
    ),
    422: ("invalid-input", "Invalid input", "kernel_size: is required"),
    503: (
        "no-usable-model",
        "No usable model",
        "model 'm' has no champion; choose one of its versions with `perfcast models activate m:VERSION`",
    ),
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can fail so; any can be refused (503), and any body can be late (408)."""
    every = {*statuses, 503} | ({408} if 413 in statuses else set())
    schema = ProblemDetails.model_json_schema()
    return {
        status: {
            "description": _MEANINGS[status],
            "content": {CONTENT_TYPE: {"schema": schema, "example": _problem(status)}},
        }
        for status in sorted(every)
    }


def answer(example: Any, description: str) -> dict[str, Any]:
    """The entry of a JSON answer among a route's `responses`."""
    return {"description": description, "content": {"application/json": {"example": example}}}


def said(
    model: type[BaseModel],
    example: Any,
    description: str,
    *problem_statuses: int,
    status: int = 200,
    unwell: tuple[dict[str, Any], str] | None = None,
) -> dict[str, Any]:
    """What a route with a JSON answer says of it, for its decorator.

    Args:
        model: Its schema.
        example: An answer.
        description: When it is given.
        problem_statuses: How the route can fail.
        status: The answer's.
        unwell: An answer of the same schema with status 503, and when it is given.
    """
    responses = {status: answer(example, description), **(problems(*problem_statuses) if problem_statuses else {})}
    if unwell is not None:
        responses[503] = {"model": model, **answer(*unwell)}
    return {"status_code": status, "response_class": Json, "response_model": model, "responses": responses}


def _problem(status: int) -> dict[str, Any]:
    kind, title, detail = _EXAMPLES[status]
    document: dict[str, Any] = {
        "type": f"urn:perfcast:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "error": detail,
        "request_id": "019d2f4c3a17c0ffee000000001",
    }
    return document | ({"errors": [{"field": "kernel_size", "message": "is required"}]} if status == 422 else {})
