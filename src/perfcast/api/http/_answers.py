"""What every answer's model begins with."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"}, description="ISO 8601, UTC")]


class Answer(BaseModel):
    """Any answer."""

    model_config = ConfigDict(protected_namespaces=())
