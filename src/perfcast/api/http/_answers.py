"""What every answer's model begins with, and the example of an answer."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

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
    """An answer made of the examples of the model's fields; what has none is left out.

    Args:
        model: An answer's.
        others: Fields that shall have other values.
    """
    schema = model.model_json_schema()
    found = _example(schema, schema.get("$defs", {}))
    return {**found, **others} if isinstance(found, dict) else found


def _example(schema: dict[str, Any], models: dict[str, Any]) -> Any:
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return _example(models[schema["$ref"].rpartition("/")[2]], models)
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], models)
    if "items" in schema:
        return [_example(schema["items"], models)]
    parts = {name: _example(part, models) for name, part in schema.get("properties", {}).items()}
    return {name: value for name, value in parts.items() if value is not _NONE} or _NONE
