"""What every answer's model begins with, and the example of an answer."""

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, RootModel

Time = Annotated[
    str,
    Field(
        json_schema_extra={"format": "date-time"}, description="ISO 8601, UTC", examples=["2026-03-01T10:30:00.000000Z"]
    ),
]
_NONE = object()


class Answer(BaseModel):
    """Any answer."""

    model_config = ConfigDict(protected_namespaces=())


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
