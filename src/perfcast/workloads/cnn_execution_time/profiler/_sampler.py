"""The seeded sampler that chooses which convolutions to measure."""

import random
from collections.abc import Iterable
from dataclasses import replace

from ._configurations import ConvConfig, WorkBound, network_layers
from ._draws import draw_batch, draw_size
from ._uneven import make_uneven

_NETWORK_SHARE = 0.35
_LARGE_SHARE = 0.01
_SMALLEST_LIMIT_EXPONENT = 1.7
_KERNELS = (1, 3, 5, 7, 2, 4, 9, 11)
_KERNEL_WEIGHTS = (28, 38, 12, 8, 4, 3, 4, 3)
_STRIDES = (1, 2, 3, 4)
_STRIDE_WEIGHTS = (66, 27, 3, 4)
_RESOLUTIONS = (1.0, 1.0, 1.0, 0.5, 0.75, 1.25, 1.5)
_MOST_BATCH = 256
_NETWORKS_OWN = 0.5
"""Of the uneven ones from networks, the share that those networks have themselves."""
UNEVEN_SHARE = 0.15


def sample_configurations(
    count: int,
    *,
    seed: int,
    bound: WorkBound | None = None,
    known: Iterable[ConvConfig] = (),
    uneven: float = UNEVEN_SHARE,
    asymmetric: bool = False,
) -> list[ConvConfig]:
    """Choose distinct, valid convolutions in random order: log-uniform sizes and a third from well-known networks.

    A share of the draws is `uneven`, 0 to 1: their kernel, stride or padding isn't the same in both directions; where
    `asymmetric`, some of them have different padding on opposite sides. The work bound of a log-uniform configuration
    is itself drawn log-uniformly, down to a fiftieth of the given one, which fills the small region as well as the
    large. One in a hundred may exceed the bound (twice the FLOPs, five times the bytes), so that a model also sees the
    beginning of what lies above it. `known` ones are not chosen; the same arguments give the same list.
    """
    usual = bound or WorkBound()
    large = replace(usual, flops=2 * usual.flops, tensor_bytes=5 * usual.tensor_bytes)
    seen = set(known)
    rng = random.Random(f"{seed}:{len(seen)}")
    chosen: list[ConvConfig] = []
    while len(chosen) < count:
        wanted = rng.random() < uneven
        if rng.random() < _NETWORK_SHARE:
            limit, config = usual, _of_network(rng, uneven=wanted)
        else:
            limit, config = usual.scaled(10 ** -rng.uniform(0, _SMALLEST_LIMIT_EXPONENT)), _log_uniform(rng)
        if wanted and not config.uneven:
            config = make_uneven(rng, config, asymmetric=asymmetric)
        limit = large if rng.random() < _LARGE_SHARE else limit
        if config.uneven == wanted and config not in seen and config.valid and limit.admits(config):
            seen.add(config)
            chosen.append(config)
    return chosen


def _of_network(rng: random.Random, *, uneven: bool) -> ConvConfig:
    """A layer of a well-known network with a batch size and now and then another resolution.

    Of an uneven one or, half of the time, of any that is to be made so.
    """
    own = uneven and rng.random() < _NETWORKS_OWN
    layer = rng.choice([layer for layer in network_layers() if layer.uneven == own])
    size = max(1, round(layer.input_height * rng.choice(_RESOLUTIONS)))
    return replace(layer, batch_size=draw_batch(rng, _MOST_BATCH), input_height=size, input_width=size)


def _log_uniform(rng: random.Random) -> ConvConfig:
    """Every size log-uniform and independent; not every draw is valid."""
    kernel = rng.choices(_KERNELS, _KERNEL_WEIGHTS)[0]
    dilation = rng.choice((2, 3, 4)) if kernel > 1 and rng.random() < 0.06 else 1
    groups, channels, filters = _channels(rng)
    height = draw_size(rng, 1, 640)
    return ConvConfig(
        batch_size=draw_batch(rng, _MOST_BATCH),
        input_channels=channels,
        input_height=height,
        input_width=height if rng.random() < 0.8 else draw_size(rng, 1, 640),
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
    width = draw_size(rng, 1, 2048)
    return 8 * round(width / 8) if width >= 12 and rng.random() < 0.67 else width


def _padding(rng: random.Random, kernel: int, dilation: int) -> int:
    """Mostly size-preserving, else none or any below the kernel's extent."""
    kind = rng.random()
    if kind < 0.84:
        return dilation * (kernel - 1) // 2
    return 0 if kind < 0.94 else rng.randint(0, dilation * (kernel - 1))
