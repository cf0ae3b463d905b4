"""What the OpenAPI document says of every route: problems, and what answers are made of and how they are shown."""

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Field, RootModel

from perfcast.api.http._problems import CONTENT_TYPE, Compressed, TooLarge, TooSlow, problem_of, problem_of_status
from perfcast.api.http._reply import Json
from perfcast.errors import Conflict, InvalidInput, MissingDependency, NoUsableModel, UnknownModel

Time = Annotated[
    str,
    Field(
        json_schema_extra={"format": "date-time"}, description="ISO 8601, UTC", examples=["2026-03-01T10:30:00.000000Z"]
    ),
]
_NONE = object()


def example_of(model: type[BaseModel], **others: Any) -> Any:
    """An answer made of the examples of the model's fields, but for those given; what has none is left out."""
    found = {
        name: field.examples[0] if field.examples else _example(field.annotation)
        for name, field in model.model_fields.items()
    }
    found = {name: value for name, value in found.items() if value is not _NONE} | others
    return found["root"] if issubclass(model, RootModel) else found


def _example(kind: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return example_of(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return arguments[1].examples[0]
    if origin is list and (item := _example(arguments[0])) is not _NONE:
        return [item]
    return _example(arguments[0]) if origin in (Union, UnionType) else _NONE


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


_ID = "019d2f4c3a17c0ffee000000001"
_SCHEMA = ProblemDetails.model_json_schema()
_MEANINGS = {
    400: "A name in the body is unknown; the closest ones are named",
    401: "A key is needed, or the one that was sent is not known",
    403: "The key has not the scope that this needs, which is named",
    404: "The name in the path is unknown; the closest ones are named",
    408: "The body did not come in time",
    409: "Somebody else changed it first, or it is in use",
    413: "The body is larger than MAX_BODY_BYTES",
    415: "The body is compressed: `/v2/…/infer` unpacks gzip and deflate, other routes nothing",
    422: "A field is malformed, missing or out of bounds; every one is named",
    429: "More requests than RATE_LIMIT allows; Retry-After says when to ask again",
    501: "A package that this needs is not installed where the server runs; says which",
    503: "No usable model, the database can't be reached, or too much to do; says what to do",
}
_EXAMPLES = {
    problem.status: problem
    for problem in (
        problem_of(UnknownModel("cpu-utilisation", ["cpu-utilization"]), in_body=True),
        problem_of_status(401, "this needs a key; send it as X-API-Key: KEY"),
        problem_of_status(403, "this needs a key with the scope train; yours has predict, read"),
        problem_of(UnknownModel("cpu-utilisation", ["cpu-utilization"])),
        problem_of(TooSlow(15)),
        problem_of(
            Conflict("cpu-utilization@champion is version 4 now, not version 3 as expected; look again and decide anew")
        ),
        problem_of(TooLarge(10_000_000)),
        problem_of(Compressed("gzip")),
        problem_of(InvalidInput.of("kernel_size", "is required")),
        problem_of_status(429, "more than 600 requests in 60 s; ask again in 7 s, or raise RATE_LIMIT"),
        problem_of(MissingDependency("reading ONNX files needs the onnx package: pip install 'perfcast[train]'")),
        problem_of(
            NoUsableModel(
                "model 'm' has no champion; choose one of its versions with `perfcast models activate m:VERSION`"
            )
        ),
    )
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can fail so; any can be refused (503), and any body can be late (408)."""
    every = {*statuses, 503} | ({408} if 413 in statuses else set())
    return {
        status: {
            "description": _MEANINGS[status],
            "content": {CONTENT_TYPE: {"schema": _SCHEMA, "example": _EXAMPLES[status].document(_ID)}},
        }
        for status in sorted(every)
    }


def json_body(schema: dict[str, Any], examples: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    """A JSON body that must be there, with named examples: what each shows, and its value."""
    shown = {name: {"summary": summary, "value": value} for name, (summary, value) in examples.items()}
    return {"required": True, "content": {"application/json": {"schema": schema, "examples": shown}}}


def said(
    model: type[BaseModel],
    description: str,
    *problem_statuses: int,
    status: int = 200,
    example: Any = None,
    unwell: tuple[dict[str, Any], str] | None = None,
) -> dict[str, Any]:
    """What a route with a JSON answer says of it, for its decorator.

    Args:
        model: Its schema, whose fields' examples make the example unless another is given.
        description: When it is given.
        problem_statuses: How the route can fail.
        status: The answer's.
        example: An answer.
        unwell: An answer of the same schema with status 503, and when it is given.
    """
    responses = problems(*problem_statuses) if problem_statuses else {}
    responses[status] = _answer(example or example_of(model), description)
    if unwell is not None:
        responses[503] = {"model": model, **_answer(*unwell)}
    return {"status_code": status, "response_class": Json, "response_model": model, "responses": responses}


def _answer(example: Any, description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"example": example}}}
