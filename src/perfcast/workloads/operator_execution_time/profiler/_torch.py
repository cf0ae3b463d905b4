"""Operators in PyTorch, called as the modules of its networks call them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from perfcast.workloads.cnn_execution_time.profiler import TorchRunner

from ._configurations import OperatorConfig

Call: TypeAlias = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class _Given:
    """What a call is made of: `torch`, the configuration, and its tensors with weights last."""

    torch: Any
    config: OperatorConfig
    tensors: Sequence[Any]

    @property
    def functional(self) -> Any:
        return self.torch.nn.functional


_Maker: TypeAlias = Callable[[_Given], Call]


class TorchOperators(TorchRunner):
    """PyTorch with one thread, on `cpu` or `cuda`, forward."""

    def __init__(self, *, device: str) -> None:
        super().__init__(device=device, training=False)

    def path(self, config: OperatorConfig) -> str | None:  # noqa: ARG002  # as every runner has it
        """None: nobody tells."""
        return None

    def _call(self, config: OperatorConfig) -> tuple[Call, Callable[[], Any]]:
        """What is timed, and the mode of torch in which it runs; no two of its tensors share memory."""
        inputs = [self._tensor(self._inputs, shape).clone() for shape in config.input_shapes]
        weights = [self._tensor(self._weights, shape).clone() for shape in config.weight_shapes]
        given = _Given(self._torch, config, [*inputs, *weights])
        return _MAKERS[config.operator](given), self._torch.inference_mode


def _batch_norm(given: _Given) -> Call:
    x, scale, shift, mean, variance = given.tensors
    variance = variance.abs() + 1
    return lambda: given.functional.batch_norm(x, mean, variance, scale, shift)


def _in_place(name: str) -> _Maker:
    """An activation that overwrites its input, as those of CNNs do."""

    def make(given: _Given) -> Call:
        function, (x,) = getattr(given.functional, name), given.tensors
        return lambda: function(x, inplace=True)

    return make


def _activation(name: str) -> _Maker:
    def make(given: _Given) -> Call:
        function, (x,) = getattr(given.functional, name), given.tensors
        return lambda: function(x)

    return make


def _tensor_activation(name: str) -> _Maker:
    def make(given: _Given) -> Call:
        function, (x,) = getattr(given.torch, name), given.tensors
        return lambda: function(x)

    return make


def _softmax(given: _Given) -> Call:
    (x,) = given.tensors
    return lambda: given.functional.softmax(x, dim=-1)


def _layer_norm(given: _Given) -> Call:
    x, scale, shift = given.tensors
    return lambda: given.functional.layer_norm(x, (given.config.width,), scale, shift)


def _add(given: _Given) -> Call:
    x, y = given.tensors
    return lambda: x.add_(y)


def _multiply(given: _Given) -> Call:
    x, y = given.tensors
    return lambda: x * y


def _concat(given: _Given) -> Call:
    return lambda: given.torch.cat(given.tensors, 1)


def _pool(name: str) -> _Maker:
    def make(given: _Given) -> Call:
        function, (x,) = getattr(given.functional, name), given.tensors
        return lambda: function(x, given.config.kernel_size, given.config.stride, given.config.padding)

    return make


def _global_average_pool(given: _Given) -> Call:
    (x,) = given.tensors
    return lambda: given.functional.adaptive_avg_pool2d(x, 1)


def _resize(given: _Given) -> Call:
    (x,), size = given.tensors, given.config.output_shape[2:]
    if given.config.kernel_size == 1:
        return lambda: given.functional.interpolate(x, size, mode="nearest")
    return lambda: given.functional.interpolate(x, size, mode="bilinear", align_corners=False)


def _pad(given: _Given) -> Call:
    (x,) = given.tensors
    rows, columns = given.config.output_height - given.config.height, given.config.output_width - given.config.width
    sides = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    return lambda: given.functional.pad(x, sides)


def _slice(given: _Given) -> Call:
    """A copy: the part alone would be a view, which costs nothing."""
    (x,), (_, channels, height, width) = given.tensors, given.config.output_shape
    return lambda: x[:, :channels, :height, :width].clone(memory_format=given.torch.contiguous_format)


def _permute(*axes: int) -> _Maker:
    def make(given: _Given) -> Call:
        (x,) = given.tensors
        return lambda: x.permute(axes).clone(memory_format=given.torch.contiguous_format)

    return make


def _linear(given: _Given) -> Call:
    x, weights, bias = given.tensors
    rows = x.reshape(-1, given.config.width)
    return lambda: given.functional.linear(rows, weights, bias)


def _matmul(given: _Given) -> Call:
    x, y = given.tensors
    return lambda: given.torch.matmul(x, y)


_MAKERS: Mapping[str, _Maker] = {
    "batch_norm": _batch_norm,
    "relu": _in_place("relu"),
    "clip": _in_place("relu6"),
    "leaky_relu": _in_place("leaky_relu"),
    "silu": _in_place("silu"),
    "hard_swish": _in_place("hardswish"),
    "hard_sigmoid": _activation("hardsigmoid"),
    "gelu": _activation("gelu"),
    "sigmoid": _tensor_activation("sigmoid"),
    "tanh": _tensor_activation("tanh"),
    "softmax": _softmax,
    "layer_norm": _layer_norm,
    "add": _add,
    "multiply": _multiply,
    "scale": _multiply,
    "concat": _concat,
    "max_pool": _pool("max_pool2d"),
    "average_pool": _pool("avg_pool2d"),
    "global_average_pool": _global_average_pool,
    "resize": _resize,
    "pad": _pad,
    "slice": _slice,
    "to_channels_last": _permute(0, 2, 3, 1),
    "to_channels_first": _permute(0, 3, 1, 2),
    "transpose": _permute(0, 2, 1, 3),
    "linear": _linear,
    "matmul": _matmul,
}
