"""What whole networks cost."""

from datetime import datetime

from msgspec import Struct


class NetworkPreset(Struct, frozen=True):
    """A network that the server brings.

    Attributes:
        input_shape: Of one image, batch first.
        gigaflops: For one image, a multiply-add counted as two.
        year: When it was published.
        source: Whose definition it is.
    """

    name: str
    title: str
    family: str
    input_shape: list[int]
    parameters: int
    gigaflops: float
    year: int
    source: str


class NetworkDevice(Struct, frozen=True):
    """A device whose convolutions a model knows.

    Attributes:
        runtime: Whose rules of fusion hold: `torch`, `onnxruntime`.
        models: Its models by workload.
        measured_networks: How many were measured there whole.
    """

    name: str
    runtime: str
    models: dict[str, str]
    measured_networks: int


class NetworkList(Struct, frozen=True):
    """What there is to ask for."""

    networks: list[NetworkPreset]
    devices: list[NetworkDevice]
    timestamp: datetime


class NetworkLayer(Struct, frozen=True):
    """What one call of a runtime does and takes; the rows of a network add up to its time.

    Attributes:
        nodes: All that it does the work of.
        megabytes: Read and written at least, weights included.
        share: Of the network's time.
        extrapolated: Whether it is outside what its model was trained on.
    """

    name: str
    operator: str
    nodes: list[str]
    input_shape: list[int]
    output_shape: list[int]
    gigaflops: float
    megabytes: float
    execution_time_ms: float
    share: float
    extrapolated: bool


class NotModelled(Struct, frozen=True):
    """Operators whose time isn't known and not in the sum."""

    operator: str
    reason: str
    count: int
    megabytes: float
    nodes: list[str]


class NetworkAnswer(Struct, frozen=True):
    """What one call of a network takes.

    Attributes:
        lower_ms, upper_ms, coverage: None where the models have no intervals.
        calibrated_on: How many networks, measured whole on the device, the sum is calibrated on; 0 where the interval
            is the sum of the layers' intervals.
        memory_mb: Weights and live activations, at least.
        calls: How many kernels are started, of those whose time is known.
        extrapolated: Layers outside what their model was trained on.
        not_modelled_share: Of all moved bytes, the share whose time isn't known, 0 to 1.
        models: The versions that answered, by workload.
    """

    network: str
    device: str
    batch_size: int
    execution_time_ms: float
    lower_ms: float | None
    upper_ms: float | None
    coverage: float | None
    images_per_second: float | None
    calibrated_on: int
    parameters: int
    gigaflops: float
    memory_mb: float
    calls: int
    layers: list[NetworkLayer]
    extrapolated: list[str]
    not_modelled: list[NotModelled]
    not_modelled_share: float
    models: dict[str, str]
    timestamp: datetime
