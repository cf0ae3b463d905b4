"""Operators in PyTorch, called as the modules of its networks call them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from perfcast.workloads.cnn_execution_time.profiler import TorchRunner

from ._configurations import OperatorConfig

Call: TypeAlias = Callable[[], Any]
Maker: TypeAlias = Callable[[Any, OperatorConfig, Sequence[Any]], Call]
"""From torch, a configuration and its tensors (weights last) to what is timed."""


class TorchOperators(TorchRunner):
    """PyTorch with one thread, on `cpu` or `cuda`, forward."""

    def __init__(self, *, device: str) -> None:
        super().__init__(device=device, training=False)

    def path(self, config: OperatorConfig) -> str | None:
        """None: nobody tells."""
        return None

    def _call(self, config: OperatorConfig) -> tuple[Call, Callable[[], Any]]:
        """What is timed, and the mode of torch in which it runs; no two of its tensors share memory."""
        inputs = [self._tensor(self._inputs, shape).clone() for shape in config.input_shapes]
        weights = [self._tensor(self._weights, shape).clone() for shape in config.weight_shapes]
        return _MAKERS[config.operator](self._torch, config, [*inputs, *weights]), self._torch.inference_mode


def _batch_norm(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
    x, scale, shift, mean, variance = tensors
    variance = variance.abs() + 1
    return lambda: torch.nn.functional.batch_norm(x, mean, variance, scale, shift)


def _in_place(name: str) -> Maker:
    """An activation that overwrites its input, as those of CNNs do."""

    def make(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
        function, (x,) = getattr(torch.nn.functional, name), tensors
        return lambda: function(x, inplace=True)

    return make


def _activation(name: str) -> Maker:
    def make(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
        function, (x,) = getattr(torch.nn.functional, name), tensors
        return lambda: function(x)

    return make


def _tensor_activation(name: str) -> Maker:
    def make(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
        function, (x,) = getattr(torch, name), tensors
        return lambda: function(x)

    return make


def _softmax(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
    (x,) = tensors
    return lambda: torch.nn.functional.softmax(x, dim=-1)


def _layer_norm(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
    x, scale, shift = tensors
    return lambda: torch.nn.functional.layer_norm(x, (config.width,), scale, shift)


def _add(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
    x, y = tensors
    return lambda: x.add_(y)


def _multiply(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
    x, y = tensors
    return lambda: x * y


def _concat(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
    return lambda: torch.cat(tensors, 1)


def _pool(name: str) -> Maker:
    def make(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
        function, (x,) = getattr(torch.nn.functional, name), tensors
        return lambda: function(x, config.kernel_size, config.stride, config.padding)

    return make


def _global_average_pool(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
    (x,) = tensors
    return lambda: torch.nn.functional.adaptive_avg_pool2d(x, 1)


def _resize(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
    (x,), size = tensors, config.output_shape[2:]
    if config.kernel_size == 1:
        return lambda: torch.nn.functional.interpolate(x, size, mode="nearest")
    return lambda: torch.nn.functional.interpolate(x, size, mode="bilinear", align_corners=False)


def _pad(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
    (x,) = tensors
    rows, columns = config.output_height - config.height, config.output_width - config.width
    sides = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    return lambda: torch.nn.functional.pad(x, sides)


def _slice(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
    """A copy: the part alone would be a view, which costs nothing."""
    (x,), (_, channels, height, width) = tensors, config.output_shape
    return lambda: x[:, :channels, :height, :width].clone(memory_format=torch.contiguous_format)


def _permute(*axes: int) -> Maker:
    def make(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
        (x,) = tensors
        return lambda: x.permute(axes).clone(memory_format=torch.contiguous_format)

    return make


def _linear(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
    x, weights, bias = tensors
    rows = x.reshape(-1, config.width)
    return lambda: torch.nn.functional.linear(rows, weights, bias)


def _matmul(torch: Any, config: OperatorConfig, tensors: Sequence[Any]) -> Call:
    x, y = tensors
    return lambda: torch.matmul(x, y)


_MAKERS: Mapping[str, Maker] = {
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
