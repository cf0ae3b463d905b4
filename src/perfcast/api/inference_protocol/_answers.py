"""What the Open Inference Protocol's answers look like, for the OpenAPI document."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Answer(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


class ServerMetadata(_Answer):
    """The server."""

    name: str
    version: str
    extensions: list[str]


class ServerLiveness(_Answer):
    """The server lives."""

    live: bool


class ServerReadiness(_Answer):
    """Whether some model answers."""

    ready: bool


class ModelReadiness(_Answer):
    """The model answers."""

    name: str
    ready: bool


class TensorMetadata(_Answer):
    """An input or output."""

    name: str
    datatype: str
    shape: list[int] = Field(description="−1 stands for the number of rows")
    parameters: dict[str, Any] = Field({}, description="For inputs `style`: `matrix` or `columns`; units and bounds")


class ModelMetadata(_Answer):
    """A model's inputs and outputs."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
