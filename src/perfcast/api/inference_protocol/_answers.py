"""What the Open Inference Protocol's answers look like, for the OpenAPI document."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, RootModel


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


class TensorConfiguration(_Answer):
    """An input or output in Triton's words."""

    name: str
    data_type: str
    dims: list[int] = Field(description="−1 stands for the number of rows")
    optional: bool = False


class ModelConfiguration(_Answer):
    """What Triton's clients look for in a model's configuration."""

    name: str
    platform: str
    backend: str
    version_policy: dict[str, Any]
    max_batch_size: int = Field(description="0: the dimensions include the rows")
    input: list[TensorConfiguration]
    output: list[TensorConfiguration]


class Counted(_Answer):
    """How many, and how long all of them took."""

    count: int
    ns: int


class VersionStatistics(_Answer):
    """What was counted of a version."""

    name: str
    version: str
    inference_count: int = Field(description="Rows")
    execution_count: int = Field(description="Requests")
    inference_stats: dict[str, Counted]
    batch_stats: list[dict[str, Any]]


class ModelStatistics(_Answer):
    """What was counted of versions."""

    model_stats: list[VersionStatistics]


class IndexedVersion(_Answer):
    """A version in the repository."""

    name: str
    version: str
    state: str = Field(description="READY, or UNAVAILABLE for the reason given")
    reason: str


class RepositoryIndex(RootModel[list[IndexedVersion]]):
    """All versions."""
