"""Convolution configurations, and the seeded sampler that chooses which of them to measure."""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Self

from perfcast.errors import InvalidInput
from perfcast.workloads import RowReader, builtin_workloads

WORKLOAD = "cnn-execution-time"
_NETWORK_SHARE = 0.35
_LARGE_SHARE = 0.01
_SMALLEST_LIMIT_EXPONENT = 1.7
_KERNELS = (1, 3, 5, 7, 2, 4, 9, 11)
_KERNEL_WEIGHTS = (28, 38, 12, 8, 4, 3, 4, 3)
_STRIDES = (1, 2, 3, 4)
_STRIDE_WEIGHTS = (66, 27, 3, 4)
_RESOLUTIONS = (1.0, 1.0, 1.0, 0.5, 0.75, 1.25, 1.5)


@dataclass(frozen=True, slots=True)
class ConvConfig:
    """The ten features of one two-dimensional convolution, in the order the workload declares them."""

    batch_size: int
    input_channels: int
    input_height: int
    input_width: int
    output_channels: int
    kernel_size: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    dilation: int = 1

    @property
    def output_size(self) -> tuple[int, int]:
        """Output height and width: ``(input + 2 * padding - extent) // stride + 1``."""
        extent = self.dilation * (self.kernel_size - 1) + 1
        height = (self.input_height + 2 * self.padding - extent) // self.stride + 1
        width = (self.input_width + 2 * self.padding - extent) // self.stride + 1
        return height, width

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """Shape of the input: [batch, channels, height, width]."""
        return self.batch_size, self.input_channels, self.input_height, self.input_width

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """Shape of the weights: [output channels, channels per group, kernel, kernel]."""
        return self.output_channels, self.input_channels // self.groups, self.kernel_size, self.kernel_size

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
    """The most work that one call may be: floating-point operations, and bytes of its tensors together."""

    flops: float = 4e9
    tensor_bytes: float = 96e6

    def scaled(self, factor: float) -> Self:
        """A bound with `factor` times the FLOPs and its square root times the bytes."""
        return type(self)(self.flops * factor, self.tensor_bytes * math.sqrt(factor))

    def admits(self, config: ConvConfig) -> bool:
        return config.flops <= self.flops and config.tensor_bytes <= self.tensor_bytes


def sample_configurations(
    count: int, *, seed: int, bound: WorkBound | None = None, known: Iterable[ConvConfig] = ()
) -> list[ConvConfig]:
    """Choose distinct, valid convolutions in random order: log-uniform sizes and a third from well-known networks.

    The work bound of a log-uniform configuration is itself drawn log-uniformly, down to a fiftieth of the
    given one, which fills the small region as well as the large. One in a hundred may exceed the bound
    (twice the FLOPs, five times the bytes), so that a model also sees the beginning of what lies above it.
    `known` ones are not chosen; the same arguments give the same list.
    """
    usual = bound or WorkBound()
    large = WorkBound(2 * usual.flops, 5 * usual.tensor_bytes)
    seen = set(known)
    rng = random.Random(f"{seed}:{len(seen)}")
    chosen: list[ConvConfig] = []
    while len(chosen) < count:
        if rng.random() < _NETWORK_SHARE:
            limit, config = usual, _of_network(rng)
        else:
            limit, config = usual.scaled(10 ** -rng.uniform(0, _SMALLEST_LIMIT_EXPONENT)), _log_uniform(rng)
        limit = large if rng.random() < _LARGE_SHARE else limit
        if config not in seen and config.valid and limit.admits(config):
            seen.add(config)
            chosen.append(config)
    return chosen


def _of_network(rng: random.Random) -> ConvConfig:
    """A layer of a well-known network with a batch size and now and then another resolution."""
    layer = rng.choice(network_layers())
    size = max(1, round(layer.input_height * rng.choice(_RESOLUTIONS)))
    return replace(layer, batch_size=_batch(rng), input_height=size, input_width=size)


def _log_uniform(rng: random.Random) -> ConvConfig:
    """Every size log-uniform and independent; not every draw is valid."""
    kernel = rng.choices(_KERNELS, _KERNEL_WEIGHTS)[0]
    dilation = rng.choice((2, 3, 4)) if kernel > 1 and rng.random() < 0.06 else 1
    groups, channels, filters = _channels(rng)
    height = _size(rng, 1, 640)
    return ConvConfig(
        batch_size=_batch(rng),
        input_channels=channels,
        input_height=height,
        input_width=height if rng.random() < 0.8 else _size(rng, 1, 640),
        output_channels=filters,
        kernel_size=kernel,
        stride=rng.choices(_STRIDES, _STRIDE_WEIGHTS)[0],
        padding=_padding(rng, kernel, dilation),
        groups=groups,
        dilation=dilation,
    )


def _channels(rng: random.Random) -> tuple[int, int, int]:
    """Groups, input channels and output channels: 78 % dense, 13 % depthwise, 9 % few groups."""
    channels, filters, kind = _width(rng), _width(rng), rng.random()
    if kind < 0.78:
        return 1, channels, filters
    if kind < 0.91:
        multiplier = 1 if rng.random() < 0.9 else 2
        return channels, channels, channels * multiplier
    groups = rng.choice((2, 4, 8, 16, 32))
    return groups, groups * max(1, channels // groups), groups * max(1, filters // groups)


def _width(rng: random.Random) -> int:
    """A number of channels: log-uniform in 1 to 2048, two thirds of the larger ones rounded to 8."""
    width = _size(rng, 1, 2048)
    return 8 * round(width / 8) if width >= 12 and rng.random() < 0.67 else width


def _padding(rng: random.Random, kernel: int, dilation: int) -> int:
    """Mostly size-preserving, else none or any below the kernel's extent."""
    kind = rng.random()
    if kind < 0.84:
        return dilation * (kernel - 1) // 2
    return 0 if kind < 0.94 else rng.randint(0, dilation * (kernel - 1))


def _batch(rng: random.Random) -> int:
    """A fifth single, half a power of two up to 128, else log-uniform in 1 to 256."""
    kind = rng.random()
    if kind < 0.2:
        return 1
    if kind < 0.7:
        return int(2 ** rng.randint(0, 7))
    return _size(rng, 1, 256)


def _size(rng: random.Random, low: int, high: int) -> int:
    """A log-uniform integer from low to high, both included."""
    return int(math.exp(rng.uniform(math.log(low), math.log(high + 1))))
