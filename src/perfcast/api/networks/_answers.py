"""What the routes of networks take and give, for the OpenAPI document; tests hold real answers against it."""

from typing import Any

from pydantic import BaseModel, Field

from perfcast.api.http._schemas import Time


class NetworkPreset(BaseModel):
    """A network that comes with Perfcast."""

    name: str = Field(examples=["resnet50"])
    title: str = Field(examples=["ResNet-50"])
    family: str = Field(examples=["ResNet"])
    input_shape: list[int] = Field(description="Of one image, batch first", examples=[[1, 3, 224, 224]])
    parameters: int = Field(examples=[25557032])
    gigaflops: float = Field(description="For one image, a multiply-add counted as two", examples=[8.2])
    year: int = Field(description="When it was published", examples=[2015])
    source: str = Field(description="Whose definition it is", examples=["torchvision resnet50"])


class NetworkDevice(BaseModel):
    """A device whose convolutions a model knows."""

    name: str = Field(examples=["cpu-torch"])
    runtime: str = Field(description="Whose rules of fusion hold", examples=["torch"])
    models: dict[str, str] = Field(
        description="Its models by workload", examples=[{"cnn-execution-time": "cnn-execution-time-cpu-torch"}]
    )
    measured_networks: int = Field(description="How many were measured there whole", examples=[37])


class NetworkList(BaseModel):
    """What there is to ask for."""

    networks: list[NetworkPreset]
    devices: list[NetworkDevice]
    timestamp: Time


class NetworkLayer(BaseModel):
    """What one call of a runtime does and takes; the rows of a network add up to its time."""

    name: str = Field(examples=["layer1.0.conv1"])
    operator: str = Field(examples=["convolution"])
    nodes: list[str] = Field(description="All that it does the work of", examples=[["layer1.0.conv1", "layer1.0.relu"]])
    input_shape: list[int] = Field(examples=[[32, 64, 56, 56]])
    output_shape: list[int] = Field(examples=[[32, 64, 56, 56]])
    gigaflops: float = Field(examples=[0.82])
    megabytes: float = Field(description="Read and written at least, weights included", examples=[51.5])
    execution_time_ms: float = Field(examples=[1.9])
    share: float = Field(description="Of the network's time", examples=[0.012])
    extrapolated: bool = Field(description="Whether it is outside what its model was trained on", examples=[False])


class NotModelled(BaseModel):
    """Operators whose time isn't known and not in the sum."""

    operator: str = Field(examples=["NonMaxSuppression"])
    reason: str = Field(examples=["no device measures it"])
    count: int = Field(examples=[1])
    megabytes: float = Field(description="Read and written at least", examples=[0.2])
    nodes: list[str] = Field(examples=[["nms"]])


class NetworkAnswer(BaseModel):
    """What one call of a network takes."""

    network: str = Field(examples=["resnet50"])
    device: str = Field(examples=["cpu-torch"])
    batch_size: int = Field(examples=[32])
    execution_time_ms: float = Field(examples=[2140.5])
    lower_ms: float | None = Field(description="null where the models have no intervals", examples=[1960.1])
    upper_ms: float | None = Field(examples=[2337.4])
    coverage: float | None = Field(examples=[0.9])
    images_per_second: float | None = Field(examples=[14.9])
    calibrated_on: int = Field(
        description="How many networks, measured whole on the device, the sum is calibrated on; 0 where the interval "
        "is the sum of the layers' intervals",
        examples=[37],
    )
    parameters: int = Field(examples=[25557032])
    gigaflops: float = Field(examples=[262.5])
    memory_mb: float = Field(description="Weights and live activations, at least", examples=[410.3])
    calls: int = Field(description="How many kernels are started, of those whose time is known", examples=[175])
    layers: list[NetworkLayer]
    extrapolated: list[str] = Field(
        description="Layers outside what their model was trained on", examples=[["classifier"]]
    )
    not_modelled: list[NotModelled]
    not_modelled_share: float = Field(description="Share of moved bytes whose time isn't known", examples=[0])
    models: dict[str, str] = Field(
        description="The versions that answered", examples=[{"cnn-execution-time": "cnn-execution-time-cpu-torch:3"}]
    )
    timestamp: Time


_QUESTION: dict[str, Any] = {
    "preset": {"type": "string", "examples": ["resnet50"]},
    "layers": {
        "type": "array",
        "items": {"type": "object"},
        "description": "Calls one after the other: each `operator` (`convolution` if left out) with its features",
    },
    "device": {"type": "string", "default": "cpu-torch"},
    "batch_size": {"type": "integer", "minimum": 1, "maximum": 4096, "default": 1},
    "coverage": {"type": "number", "enum": [0.5, 0.8, 0.9, 0.95, 0.99], "default": 0.9},
}
NETWORK_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"type": "object", "properties": _QUESTION, "additionalProperties": False},
            "example": {"preset": "resnet50", "batch_size": 32, "device": "cpu-torch"},
        },
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["network"],
                "properties": {
                    "network": {"type": "string", "format": "binary", "description": "An ONNX file"},
                    **{name: _QUESTION[name] for name in ("device", "batch_size", "coverage")},
                    "input_shape": {
                        "type": "string",
                        "description": "Batch first, where the file leaves other sizes than the batch open",
                        "examples": ["1,3,640,640"],
                    },
                },
            }
        },
    },
}
