"""One operator with the shapes of its tensors: a row of the workload without its cost."""

import math
from dataclasses import asdict, dataclass
from functools import cache
from typing import Self, TypeAlias

from perfcast.errors import InvalidInput
from perfcast.workloads import RowReader, builtin_workloads

WORKLOAD = "operator-execution-time"
Shape: TypeAlias = tuple[int, ...]

POOLS = ("max_pool", "average_pool")
PRODUCTS = ("linear", "matmul")
REORDERS = ("reorder_in", "reorder_out")
FEWEST_REORDERED = 4
"""ONNX Runtime brings only multiples of so many channels into blocks."""
LARGEST_BLOCK = 16
"""Channels of a block in ONNX Runtime's layout NCHWc on processors with AVX-512; on others 8."""


@dataclass(frozen=True, slots=True)
class OperatorConfig:
    """The features of one operator, in the order the workload declares them."""

    operator: str
    batch_size: int
    channels: int
    height: int
    width: int
    output_channels: int
    output_height: int
    output_width: int
    inputs: int = 1
    kernel_size: int = 1
    stride: int = 1
    padding: int = 0

    @classmethod
    def of(cls, operator: str, shape: tuple[int, int, int, int], **others: int) -> Self:
        """An operator on a tensor of a shape [images, channels, height, width]; what isn't given is as its input's."""
        _, channels, height, width = shape
        sizes = {"output_channels": channels, "output_height": height, "output_width": width}
        return cls(operator, *shape, **(sizes | others))

    @property
    def input_shape(self) -> Shape:
        """Of the first tensor: [images, channels, height, width]."""
        return self.batch_size, self.channels, self.height, self.width

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        """Of all tensors that it reads, as they lie in memory, without weights."""
        images, channels, height, width = first = self.input_shape
        match self.operator:
            case "add" | "multiply":
                return first, first
            case "scale":
                return first, (images, channels, 1, 1) if channels > 1 else (1, 1, 1, width)
            case "matmul":
                return first, (images, channels, width, self.output_channels)
            case "concat":
                rest = self.output_channels - channels * (self.inputs - 1)
                return *[first] * (self.inputs - 1), (images, rest, height, width)
            case "to_channels_first":
                return ((images, height, width, channels),)
            case _:
                return (first,)

    @property
    def weight_shapes(self) -> tuple[Shape, ...]:
        """Of its constants: weights before bias; of a batch normalisation scale, shift, mean and variance."""
        if self.operator == "linear":
            return (self.output_channels, self.width), (self.output_channels,)
        if self.operator == "layer_norm":
            return (self.width,), (self.width,)
        return ((self.channels,),) * 4 if self.operator == "batch_norm" else ()

    @property
    def output_shape(self) -> Shape:
        """Of what it makes, as it lies in memory."""
        images, channels, height, width = self.input_shape
        if self.operator in PRODUCTS:
            return images, channels, height, self.output_channels
        if self.operator == "transpose":
            return images, height, channels, width
        if self.operator == "to_channels_last":
            return images, height, width, channels
        return images, self.output_channels, self.output_height, self.output_width

    @property
    def flops(self) -> int:
        """Floating-point operations: two for each multiply-add of a product, one for each value in a pool's window."""
        if self.operator in PRODUCTS:
            return 2 * math.prod(self.output_shape) * self.width
        if self.operator in POOLS:
            return math.prod(self.output_shape) * self.kernel_size**2
        return max(math.prod(self.input_shape), math.prod(self.output_shape))

    @property
    def tensor_bytes(self) -> int:
        """Bytes of what it reads and writes, in float32, without weights."""
        return 4 * sum(map(math.prod, (*self.input_shapes, self.output_shape)))

    @property
    def valid(self) -> bool:
        """Whether the workload allows it, and its sizes agree with each other and with what runtimes run."""
        try:
            _reader().read(asdict(self))
        except InvalidInput:
            return False
        return min(map(min, (*self.input_shapes, self.output_shape))) > 0 and self._fits

    @property
    def _fits(self) -> bool:
        if self.operator == "reorder_in":
            return self.channels % FEWEST_REORDERED == 0
        if self.operator not in POOLS:
            return True
        expected = tuple(pooled(size, self.kernel_size, self.stride, self.padding) for size in self.input_shape[2:])
        return 2 * self.padding <= self.kernel_size and expected == self.output_shape[2:]


def pooled(size: int, kernel: int, stride: int, padding: int) -> int:
    """Height or width of a pool's output: windows that fit wholly."""
    return (size + 2 * padding - kernel) // stride + 1


def in_blocks(channels: int) -> int:
    """Channels in whole blocks."""
    return -(-channels // LARGEST_BLOCK) * LARGEST_BLOCK


@cache
def _reader() -> RowReader:
    return RowReader(builtin_workloads()[WORKLOAD])
