"""The seeded sampler that chooses which operators to measure, in shapes as CNNs have them."""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from perfcast.workloads.cnn_execution_time.profiler import WorkBound, draw_batch
from perfcast.workloads.cnn_execution_time.profiler import draw_size as _size

from ._configurations import FEWEST_REORDERED, REORDERS, OperatorConfig, pooled

BOUND = WorkBound(flops=3e9, tensor_bytes=64e6)
SHARES: Mapping[str, int] = {
    "batch_norm": 4, "relu": 4, "clip": 2, "leaky_relu": 2, "sigmoid": 3, "tanh": 2, "silu": 3, "hard_sigmoid": 3,
    "hard_swish": 3, "gelu": 3, "softmax": 6, "layer_norm": 5, "add": 4, "multiply": 3, "scale": 5, "concat": 5,
    "max_pool": 9, "average_pool": 8, "global_average_pool": 6, "resize": 8, "pad": 5, "slice": 6,
    "to_channels_last": 5, "to_channels_first": 5, "transpose": 6, "linear": 18, "matmul": 8, "reorder_in": 4,
    "reorder_out": 4,
}  # fmt: skip
"""How often each operator is drawn, relative to the others; more for those whose time depends on more than size."""
_LARGE_SHARE = 0.01
_SMALLEST_LIMIT_EXPONENT = 1.7
_REAL_SHARE = 0.5
_MOST_BATCH = 128
_SIZES = (224, 112, 75, 56, 38, 28, 19, 14, 10, 7)
_SIZE_WEIGHTS = (3, 14, 2, 20, 2, 20, 2, 20, 2, 15)
_ONE_PIXEL_SHARE, _TOKEN_SHARE = 0.12, 0.1
_WIDTHS = (96, 128, 192, 256, 384, 512, 640, 768, 1024, 1280, 1536, 2048, 3072)
_TOKENS = (1, 49, 50, 64, 144, 196, 197, 256, 257, 576, 577, 784, 1024, 3136)
_LINEAR = (
    (25088, 4096), (4096, 4096), (4096, 1000), (9216, 4096), (512, 1000), (1024, 1000), (2048, 1000), (1280, 1000),
    (1024, 4096), (768, 1000), (960, 1280), (576, 1024), (2208, 1000), (1920, 1000), (400, 120), (120, 84), (84, 10),
    (256, 10), (512, 10), (512, 512),
)  # fmt: skip
"""Depth and columns of classifiers."""
_LINEAR_WEIGHTS = (5, 5, 3, 4, *[1] * (len(_LINEAR) - 4))
"""The large ones more often, since few batches of them are within the bound."""
_FACTORS = (1, 3, 4, 0.25, 0.5, 2)
"""Columns of a transformer's layers, relative to their depth."""

Four: TypeAlias = tuple[int, int, int, int]
Draw: TypeAlias = Callable[[random.Random, str], OperatorConfig]


def sample_operators(
    count: int, *, seed: int, bound: WorkBound, known: Iterable[OperatorConfig] = (), reorders: bool = False
) -> list[OperatorConfig]:
    """Choose distinct, valid operators in random order: half of them as networks have them, half log-uniform.

    The work bound of a configuration is itself drawn log-uniformly, down to a fiftieth of the given one; weights don't
    count for it. One in a hundred may exceed the bound (twice the FLOPs, five times the bytes). `known` ones are not
    chosen; the same arguments give the same list.

    Args:
        count: How many.
        seed: Of the draws.
        bound: The most work of a usual call.
        known: Chosen before.
        reorders: Whether the runtime brings channels into blocks and back, which is then measured, too.
    """
    large = replace(bound, flops=2 * bound.flops, tensor_bytes=5 * bound.tensor_bytes)
    operators = [operator for operator in SHARES if reorders or operator not in REORDERS]
    weights = [SHARES[operator] for operator in operators]
    seen = set(known)
    rng = random.Random(f"{seed}:{len(seen)}")
    chosen: list[OperatorConfig] = []
    while len(chosen) < count:
        operator = rng.choices(operators, weights)[0]
        config, limit = _admitted(rng, operator, bound, large)
        if config not in seen and config.valid and limit.admits(config):
            seen.add(config)
            chosen.append(config)
    return chosen


def _admitted(
    rng: random.Random, operator: str, bound: WorkBound, large: WorkBound
) -> tuple[OperatorConfig, WorkBound]:
    """A draw that its bound admits, so that each operator has its share; the last of many where none is admitted."""
    limit = bound.scaled(10 ** -rng.uniform(0, _SMALLEST_LIMIT_EXPONENT)) if rng.random() > _REAL_SHARE else bound
    limit = large if rng.random() < _LARGE_SHARE else limit
    for _ in range(50):
        config = _DRAWS.get(operator, _plain)(rng, operator)
        if limit.admits(config) and config.valid:
            break
    return config, limit


def _plain(rng: random.Random, operator: str) -> OperatorConfig:
    """What makes a tensor of its input's shape."""
    inputs = 2 if operator in ("add", "multiply") else 1
    kind = rng.random()
    if kind < _TOKEN_SHARE and operator not in ("batch_norm", *REORDERS):
        return OperatorConfig.of(operator, _tokens(rng), inputs=inputs)
    images, channels, height, width = shape = _image(rng)
    if operator == "scale" and height * width == 1:  # it would be `multiply`
        return OperatorConfig.of(operator, (images, channels, 2, 2))
    if kind > 1 - _ONE_PIXEL_SHARE and operator not in ("scale", "add", *REORDERS):
        shape = (*shape[:2], 1, 1)
    return OperatorConfig.of(operator, shape, inputs=inputs)


def _reorder_in(rng: random.Random, operator: str) -> OperatorConfig:
    images, channels, height, width = _image(rng)
    whole = -(-channels // FEWEST_REORDERED) * FEWEST_REORDERED
    return OperatorConfig.of(operator, (images, whole, height, width))


def _rows(rng: random.Random, operator: str) -> OperatorConfig:
    """Over the last dimension: tokens, maps with their channels last, or the weights of attention."""
    kind = rng.random()
    if operator == "softmax" and kind < 0.4:
        images, heads, tokens, _, _ = _attention(rng)
        return OperatorConfig.of(operator, (images, heads, tokens, tokens))
    if operator == "softmax" and kind < 0.6:
        return OperatorConfig.of(operator, (_batch(rng), 1, 1, rng.choice((10, 100, 1000, _size(rng, 2, 4096)))))
    if kind < 0.8:
        return OperatorConfig.of(operator, _tokens(rng))
    images, channels, height, width = _image(rng)
    return OperatorConfig.of(operator, (images, height, width, channels))


def _concat(rng: random.Random, operator: str) -> OperatorConfig:
    images, channels, height, width = _image(rng)
    inputs = rng.choices((2, 3, 4, 5, 6, rng.randint(7, 48)), (50, 14, 22, 4, 4, 6))[0]
    if inputs > 6:
        channels = min(channels, 48)
    total = channels * inputs + (0 if rng.random() < 0.7 else rng.randrange(inputs))
    return OperatorConfig.of(operator, (images, channels, height, width), output_channels=total, inputs=inputs)


def _pool(rng: random.Random, operator: str) -> OperatorConfig:
    images, channels, *sides = _image(rng)
    usual = ((3, 2, 1), (2, 2, 0), (3, 1, 1), (3, 2, 0), (5, 1, 2), (7, 7, 0), (8, 8, 0))
    kernel, stride, padding = rng.choices(usual, (30, 33, 15, 14, 4, 2, 2))[0]
    if rng.random() < 0.2:
        kernel, stride = rng.randint(2, 13), rng.randint(1, 4)
        padding = rng.choice((0, kernel // 2))
    shape = (images, channels, max(kernel, sides[0]), max(kernel, sides[1]))
    height, width = (pooled(size, kernel, stride, padding) for size in shape[2:])
    return OperatorConfig.of(
        operator, shape, output_height=height, output_width=width, kernel_size=kernel, stride=stride, padding=padding
    )


def _global_pool(rng: random.Random, operator: str) -> OperatorConfig:
    return OperatorConfig.of(operator, _image(rng), output_height=1, output_width=1)


def _resize(rng: random.Random, operator: str) -> OperatorConfig:
    """Mostly to twice the size; `kernel_size` 1 is nearest, 2 bilinear."""
    shape, kind = _image(rng), rng.random()
    factor = 2.0 if kind < 0.6 else rng.choice((4.0, 8.0)) if kind < 0.75 else rng.uniform(0.3, 4)
    height, width = (max(1, round(size * factor)) for size in shape[2:])
    return OperatorConfig.of(operator, shape, output_height=height, output_width=width, kernel_size=rng.choice((1, 2)))


def _pad(rng: random.Random, operator: str) -> OperatorConfig:
    shape, more = _image(rng), rng.choice((1, 1, 2, 2, 4, 6))
    return OperatorConfig.of(operator, shape, output_height=shape[2] + more, output_width=shape[3] + more)


def _slice(rng: random.Random, operator: str) -> OperatorConfig:
    """A part of the channels, of the map, of tokens or of their numbers."""
    kind, part = rng.random(), rng.choice((2, 2, 3, 4))
    if kind < 0.3:
        shape = _tokens(rng)
        if rng.random() < 0.3:
            return OperatorConfig.of(operator, shape, output_height=1)
        return OperatorConfig.of(operator, shape, output_width=max(1, shape[3] // part))
    _, channels, height, width = shape = _image(rng)
    if kind < 0.7:
        return OperatorConfig.of(operator, shape, output_channels=max(1, channels // part))
    if kind < 0.8:
        return OperatorConfig.of(operator, shape, output_height=max(1, height // 2), output_width=max(1, width // 2))
    less = rng.choice((1, 1, 2, 4))
    return OperatorConfig.of(operator, shape, output_height=height - less, output_width=width - less)


def _layout(rng: random.Random, operator: str) -> OperatorConfig:
    """Maps, or what was made of them: pixels in a row."""
    images, channels, height, width = shape = _image(rng)
    return OperatorConfig.of(operator, shape if rng.random() < 0.75 else (images, channels, 1, height * width))


def _transpose(rng: random.Random, operator: str) -> OperatorConfig:
    """Channel shuffle, attention's heads, or anything."""
    kind = rng.random()
    if kind < 0.35:
        images, channels, height, width = _image(rng)
        groups = rng.choice((2, 2, 2, 3, 4, 8))
        return OperatorConfig.of(operator, (images, groups, max(1, channels // groups), height * width))
    if kind < 0.7:
        images, heads, tokens, width, _ = _attention(rng)
        first, second = (tokens, heads) if rng.random() < 0.5 else (heads, tokens)
        return OperatorConfig.of(operator, (images, first, second, width))
    return OperatorConfig.of(operator, (_batch(rng), _size(rng, 2, 512), _size(rng, 2, 512), _size(rng, 1, 512)))


def _linear(rng: random.Random, operator: str) -> OperatorConfig:
    """Classifiers, the layers of transformers and ConvNeXt, squeezed channels, or log-uniform."""
    kind = rng.random()
    if kind < 0.25:
        depth, columns = rng.choices(_LINEAR, _LINEAR_WEIGHTS)[0]
        return OperatorConfig.of(operator, (_batch(rng), 1, 1, depth), output_channels=columns)
    if kind < 0.5:
        images, channels, tokens, depth = _tokens(rng)
        columns = max(1, int(depth * rng.choice(_FACTORS)))
        return OperatorConfig.of(operator, (images, channels, tokens, depth), output_channels=columns)
    if kind < 0.6:
        depth, columns = _channels(rng), max(1, _channels(rng) // rng.choice((1, 4, 8, 16)))
        return OperatorConfig.of(operator, (_batch(rng), 1, 1, depth), output_channels=columns)
    depth, columns = _aligned(rng, 8, 8192), _aligned(rng, 4, 4096)
    rows = 1 if rng.random() < 0.15 else _size(rng, 1, 4096)
    batch = 1 if rng.random() < 0.5 else min(rows, _batch(rng))
    return OperatorConfig.of(operator, (batch, 1, max(1, rows // batch), depth), output_channels=columns)


def _matmul(rng: random.Random, operator: str) -> OperatorConfig:
    """Queries by keys, or their weights by values."""
    images, heads, tokens, width, others = _attention(rng)
    depth, columns = (width, others) if rng.random() < 0.5 else (others, width)
    return OperatorConfig.of(operator, (images, heads, tokens, depth), output_channels=columns)


_DRAWS: Mapping[str, Draw] = {
    "softmax": _rows,
    "layer_norm": _rows,
    "concat": _concat,
    "max_pool": _pool,
    "average_pool": _pool,
    "global_average_pool": _global_pool,
    "resize": _resize,
    "pad": _pad,
    "slice": _slice,
    "to_channels_last": _layout,
    "to_channels_first": _layout,
    "transpose": _transpose,
    "linear": _linear,
    "matmul": _matmul,
    "reorder_in": _reorder_in,
}


def _image(rng: random.Random) -> Four:
    """Half like those of networks, where channels grow as maps shrink; half log-uniform."""
    if rng.random() < _REAL_SHARE:
        size = rng.choices(_SIZES, _SIZE_WEIGHTS)[0]
        channels = 8 * max(1, round(_size(rng, 16, 1024) * min(2.0, 28 / size) / 8))
        return _batch(rng), channels, size, size
    height = _size(rng, 1, 224)
    return _batch(rng), _channels(rng), height, height if rng.random() < 0.8 else _size(rng, 1, 224)


def _tokens(rng: random.Random) -> Four:
    """Tokens of a transformer, some in a map with its channels last."""
    if rng.random() < _REAL_SHARE:
        size = rng.choice((56, 28, 14, 7))
        if rng.random() < 0.4:
            return _batch(rng), size, size, rng.choice(_WIDTHS)
        return _batch(rng), 1, rng.choice(_TOKENS), rng.choice(_WIDTHS)
    return _batch(rng), 1, _size(rng, 1, 4096), _aligned(rng, 8, 4096)


def _attention(rng: random.Random) -> tuple[int, int, int, int, int]:
    """Images, heads, tokens, width of a head, tokens that are looked at."""
    heads = rng.choice((1, 2, 3, 4, 6, 8, 12, 16, _size(rng, 1, 64)))
    tokens = rng.choice((49, 64, 196, 197, 256, _size(rng, 16, 1024)))
    width = rng.choice((32, 32, 64, 64, 64, 96, 128, _size(rng, 16, 128)))
    return _batch(rng), heads, tokens, width, tokens if rng.random() < 0.8 else _size(rng, 16, 1024)


def _channels(rng: random.Random) -> int:
    """Log-uniform in 3 to 2048, mostly a multiple of 8."""
    return _aligned(rng, 3, 2048)


def _aligned(rng: random.Random, low: int, high: int) -> int:
    size = _size(rng, low, high)
    return 8 * round(size / 8) if size >= 12 and rng.random() < 0.75 else size


def _batch(rng: random.Random) -> int:
    return draw_batch(rng, _MOST_BATCH)
