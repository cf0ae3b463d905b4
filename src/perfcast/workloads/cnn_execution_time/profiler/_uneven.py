"""Convolutions whose kernel, stride or padding isn't the same in both directions, made of others."""

import random
from dataclasses import replace

from ._configurations import ConvConfig

_ASYMMETRIC_SHARE = 0.3
"""Where asymmetric padding is wanted."""
_ANY_LENGTH = 0
_KERNELS = ((1, 7), (7, 1), (1, 3), (3, 1), (1, 5), (5, 1), (1, _ANY_LENGTH), (_ANY_LENGTH, 1), (3, 5), (5, 3))
_KERNEL_WEIGHTS = (18, 18, 16, 16, 8, 8, 7, 7, 1, 1)
_LENGTHS = (2, 4, 6, 9, 11, 15, 21, 31)
_STRIDES = ((2, 1), (1, 2))
_STRIDE_SHARE, _STRIDE_ALONE_SHARE = 0.06, 0.04
_SIZE_KEPT_SHARE = 0.85
_SAME_KERNELS = (3, 5, 7, 2, 4)
_SAME_KERNEL_WEIGHTS = (55, 30, 5, 7, 3)
_SAME_SHARE = 0.9


def make_uneven(rng: random.Random, config: ConvConfig, *, asymmetric: bool) -> ConvConfig:
    """A convolution like this one, which is square, that isn't; not every draw is uneven or valid.

    Mostly with a kernel of one row or column, now and then with a stride in one direction alone; where `asymmetric`,
    also with padding as TensorFlow's `same` gives it, such as none above and one row below.
    """
    if asymmetric and rng.random() < _ASYMMETRIC_SHARE:
        return _asymmetric(rng, config)
    if rng.random() < _STRIDE_ALONE_SHARE:
        return _with_strides(rng, config)
    return _rectangular(rng, config)


def _rectangular(rng: random.Random, config: ConvConfig) -> ConvConfig:
    """With a rectangular kernel that mostly keeps the size."""
    drawn = rng.choices(_KERNELS, _KERNEL_WEIGHTS)[0]
    down, across = (rng.choice(_LENGTHS) if side == _ANY_LENGTH else side for side in drawn)
    kept = rng.random() < _SIZE_KEPT_SHARE
    above, left = (config.dilation * (side - 1) // 2 if kept else 0 for side in (down, across))
    made = _padded(replace(config, kernel_size=down, kernel_width=across), (above, above), (left, left))
    return _with_strides(rng, made) if rng.random() < _STRIDE_SHARE else made


def _with_strides(rng: random.Random, config: ConvConfig) -> ConvConfig:
    down, across = rng.choice(_STRIDES)
    return replace(config, stride=down, stride_width=across)


def _asymmetric(rng: random.Random, config: ConvConfig) -> ConvConfig:
    """With TensorFlow's `same` padding, mostly at stride 2, or with any below the kernel's extent on each side."""
    side = rng.choices(_SAME_KERNELS, _SAME_KERNEL_WEIGHTS)[0]
    stride = 2 if side % 2 or rng.random() < 0.5 else 1
    made = replace(config, kernel_size=side, kernel_width=side, stride=stride, stride_width=stride)
    if rng.random() < _SAME_SHARE:
        return with_same_padding(made)
    above, below, left, right = (rng.randrange(extent) for extent in made.extent for _ in range(2))
    return _padded(made, (above, below), (left, right))


def with_same_padding(config: ConvConfig) -> ConvConfig:
    """With zeros for ``ceil(input / stride)`` outputs, the odd one below or at the right, as TensorFlow's `same`."""
    down, across = config.extent
    return _padded(
        config, _same(config.input_height, down, config.stride), _same(config.input_width, across, config.stride_width)
    )


def _same(size: int, extent: int, stride: int) -> tuple[int, int]:
    """Before and behind."""
    total = max((-(-size // stride) - 1) * stride + extent - size, 0)
    return total // 2, total - total // 2


def _padded(config: ConvConfig, rows: tuple[int, int], columns: tuple[int, int]) -> ConvConfig:
    (above, below), (left, right) = rows, columns
    return replace(config, padding=above, padding_bottom=below, padding_width=left, padding_right=right)
