"""Convolution configurations: their features, shapes and work, and those of well-known networks."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Self

from perfcast.errors import InvalidInput
from perfcast.workloads import RowReader, builtin_workloads

WORKLOAD = "cnn-execution-time"
_UNGIVEN = -1


@dataclass(frozen=True, slots=True)
class ConvConfig:
    """The features of one two-dimensional convolution, in the order the workload declares them.

    The last five are as the workload's defaults where they aren't given: a square kernel, one stride, padding alike
    on all sides.
    """

    batch_size: int
    input_channels: int
    input_height: int
    input_width: int
    output_channels: int
    kernel_size: int  # its height
    stride: int = 1  # downwards
    padding: int = 0  # above
    groups: int = 1
    dilation: int = 1
    kernel_width: int = _UNGIVEN
    stride_width: int = _UNGIVEN
    padding_width: int = _UNGIVEN  # at the left
    padding_bottom: int = _UNGIVEN
    padding_right: int = _UNGIVEN

    def __post_init__(self) -> None:
        self._fill("kernel_width", self.kernel_size)
        self._fill("stride_width", self.stride)
        square = self.kernel_width == self.kernel_size
        self._fill("padding_width", self.padding if square else (self.kernel_width - 1) // 2)
        self._fill("padding_bottom", self.padding)
        self._fill("padding_right", self.padding_width)

    def _fill(self, name: str, value: int) -> None:
        if getattr(self, name) == _UNGIVEN:
            object.__setattr__(self, name, value)

    @property
    def asymmetric(self) -> bool:
        """Whether opposite sides have different padding."""
        return (self.padding, self.padding_width) != (self.padding_bottom, self.padding_right)

    @property
    def uneven(self) -> bool:
        """Whether kernel, stride or padding differs between the directions or the sides."""
        downwards = (self.kernel_size, self.stride, self.padding)
        return self.asymmetric or downwards != (self.kernel_width, self.stride_width, self.padding_width)

    @property
    def extent(self) -> tuple[int, int]:
        """Height and width of the dilated kernel: ``dilation * (kernel - 1) + 1``."""
        return self.dilation * (self.kernel_size - 1) + 1, self.dilation * (self.kernel_width - 1) + 1

    @property
    def output_size(self) -> tuple[int, int]:
        """Output height and width: ``(input + padding of both sides - extent) // stride + 1``."""
        (down, across), both = (
            self.extent,
            (self.padding + self.padding_bottom, self.padding_width + self.padding_right),
        )
        height = (self.input_height + both[0] - down) // self.stride + 1
        width = (self.input_width + both[1] - across) // self.stride_width + 1
        return height, width

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """Shape of the input: [batch, channels, height, width]."""
        return self.batch_size, self.input_channels, self.input_height, self.input_width

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """Shape of the weights: [output channels, channels per group, height, width]."""
        return self.output_channels, self.input_channels // self.groups, self.kernel_size, self.kernel_width

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        """Shape of the output: [batch, output channels, height, width]."""
        return self.batch_size, self.output_channels, *self.output_size

    @property
    def flops(self) -> int:
        """Floating-point operations of a direct convolution, two for each multiply-add."""
        return 2 * math.prod(self.output_shape) * math.prod(self.weight_shape[1:])

    @property
    def tensor_bytes(self) -> int:
        """Bytes of input, weights and output together, in float32."""
        return 4 * sum(map(math.prod, (self.input_shape, self.weight_shape, self.output_shape)))

    @property
    def valid(self) -> bool:
        """Whether the workload allows it."""
        try:
            return bool(_reader().read(asdict(self)))
        except InvalidInput:
            return False


@cache
def _reader() -> RowReader:
    return RowReader(builtin_workloads()[WORKLOAD])


@cache
def network_layers() -> Sequence[ConvConfig]:
    """Layers of well-known networks, from the papers of their architectures: each once, at the paper's resolution."""
    lines = Path(__file__).with_name("networks.csv").read_text().splitlines()
    rows = (map(int, line.split(",")[1:]) for line in lines[1:])
    return [ConvConfig(1, channels, size, size, *rest) for channels, size, *rest in rows]


@dataclass(frozen=True, slots=True)
class WorkBound:
    """The most work that one call may be: floating-point operations, and bytes of its tensors together.

    `least_bytes` is what its tensors have at least.
    """

    flops: float = 4e9
    tensor_bytes: float = 96e6
    least_bytes: float = 0.0

    def scaled(self, factor: float) -> Self:
        """A bound with `factor` times the FLOPs and its square root times the bytes."""
        return replace(self, flops=self.flops * factor, tensor_bytes=self.tensor_bytes * math.sqrt(factor))

    def between(self, least_bytes: float, most_bytes: float) -> Self:
        """A bound for tensors of such sizes, with as much work for their bytes."""
        return replace(self.scaled((most_bytes / self.tensor_bytes) ** 2), least_bytes=least_bytes)

    def admits(self, config: Any) -> bool:
        """Whether a call is no more than that."""
        return bool(config.flops <= self.flops and self.least_bytes <= config.tensor_bytes <= self.tensor_bytes)
