"""Operators in ONNX Runtime: models of one operator, as its optimiser leaves it in the graph of a CNN."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.workloads.cnn_execution_time.profiler import BLOCKED, OnnxRuntimeRunner, Timer, time_calls

from ._configurations import LARGEST_BLOCK, POOLS, REORDERS, OperatorConfig, Shape, in_blocks

PLAIN = "plain"
_BLOCKS = "com.microsoft.nchwc"
"""The domain of what works on channels in blocks (NCHWc)."""
_OPSET, _IR = 17, 8


class OnnxRuntimeOperators(OnnxRuntimeRunner):
    """ONNX Runtime's CPU provider with one thread, on a graph of one operator with constant weights."""

    def prepare(self, config: OperatorConfig) -> Timer:
        """Build the session of a configuration, bind inputs and output, and return its timer."""
        options = self.session_options()
        session = self._ort.InferenceSession(self._model(config), options, providers=["CPUExecutionProvider"])
        value, binding = self._ort.OrtValue, session.io_binding()
        for name, shape in zip(_names(config), bound_inputs(config), strict=True):
            binding.bind_ortvalue_input(name, value.ortvalue_from_numpy(self._inputs.take(shape).copy()))
        output = value.ortvalue_from_shape_and_type(list(bound_output(config)), np.float32)
        binding.bind_ortvalue_output("y", output)
        run = session.run_with_iobinding
        return lambda calls: time_calls(lambda: run(binding), calls)

    def path(self, config: OperatorConfig) -> str | None:
        """Whether it works on channels in blocks."""
        return BLOCKED if works_in_blocks(config) else PLAIN

    def _model(self, config: OperatorConfig) -> bytes:
        helper, float32 = self._onnx.helper, self._onnx.TensorProto.FLOAT
        weights = [self._weights.take(shape) for shape in config.weight_shapes]
        nodes, constants = _GRAPHS.get(config.operator, _simple)(_Given(helper, config, weights))
        inputs = zip(_names(config), bound_inputs(config), strict=True)
        graph = helper.make_graph(
            nodes,
            config.operator,
            [helper.make_tensor_value_info(name, float32, shape) for name, shape in inputs],
            [helper.make_tensor_value_info("y", float32, bound_output(config))],
            [self._onnx.numpy_helper.from_array(values, name) for name, values in constants.items()],
        )
        sets = [
            helper.make_opsetid("", _OPSET),
            helper.make_opsetid("com.microsoft", 1),
            helper.make_opsetid(_BLOCKS, 1),
        ]
        return bytes(helper.make_model(graph, opset_imports=sets, ir_version=_IR).SerializeToString())


def works_in_blocks(config: OperatorConfig) -> bool:
    """Whether ONNX Runtime runs it on channels in blocks inside a CNN.

    Its optimiser does so for pools of whole blocks, and for whatever scales a map by whole factors.
    """
    if config.operator == "resize":
        return not (config.output_height % config.height or config.output_width % config.width)
    pools = (*POOLS, "global_average_pool")
    return config.operator in REORDERS or (config.operator in pools and config.channels % LARGEST_BLOCK == 0)


def bound_inputs(config: OperatorConfig) -> tuple[Shape, ...]:
    """Shapes of what is bound as input: channels in whole blocks where it reads blocks, rows of a linear layer."""
    images, channels, height, width = config.input_shape
    if config.operator == "linear":
        return ((images * channels * height, width),)
    if works_in_blocks(config) and config.operator != "reorder_in":
        return ((images, in_blocks(channels), height, width),)
    return config.input_shapes


def bound_output(config: OperatorConfig) -> Shape:
    """Shape of what is bound as output: channels in whole blocks where it makes blocks, rows of a linear layer."""
    images, channels, height, width = config.output_shape
    if config.operator == "linear":
        return images * channels * height, width
    if works_in_blocks(config) and config.operator != "reorder_out":
        return images, in_blocks(channels), height, width
    return config.output_shape


def _names(config: OperatorConfig) -> list[str]:
    return [f"x{number}" for number in range(len(config.input_shapes))]


@dataclass(frozen=True, slots=True)
class _Given:
    """What a graph is made of: ONNX's helper, the configuration and its weights."""

    helper: Any
    config: OperatorConfig
    weights: Sequence[npt.NDArray[np.float32]]

    def node(self, kind: str, *constants: str, domain: str = "", **attributes: Any) -> Any:
        """A node that reads the inputs and constants and makes `y`."""
        inputs = [*_names(self.config), *constants]
        return self.helper.make_node(kind, inputs, ["y"], domain=domain, **attributes)


_Graph: TypeAlias = tuple[list[Any], Mapping[str, npt.NDArray[Any]]]
"""Nodes, and the constants that they read."""
_Maker: TypeAlias = Callable[[_Given], _Graph]

_TYPES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.01}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "hard_swish": ("HardSwish", {}),
    "softmax": ("Softmax", {"axis": -1}),
    "add": ("Add", {}),
    "multiply": ("Mul", {}),
    "scale": ("Mul", {}),
    "concat": ("Concat", {"axis": 1}),
    "global_average_pool": ("GlobalAveragePool", {}),
    "to_channels_last": ("Transpose", {"perm": (0, 2, 3, 1)}),
    "to_channels_first": ("Transpose", {"perm": (0, 3, 1, 2)}),
    "transpose": ("Transpose", {"perm": (0, 2, 1, 3)}),
    "matmul": ("MatMul", {}),
    "reorder_in": ("ReorderInput", {}),
}
"""Operators that are one node without constants."""


def _simple(given: _Given) -> _Graph:
    kind, attributes = _TYPES[given.config.operator]
    return [given.node(kind, domain=_domain(given.config), **attributes)], {}


def _domain(config: OperatorConfig) -> str:
    return _BLOCKS if works_in_blocks(config) else ""


def _with_weights(kind: str, **attributes: Any) -> _Maker:
    def make(given: _Given) -> _Graph:
        constants = {f"w{number}": values for number, values in enumerate(given.weights)}
        return [given.node(kind, *constants, **attributes)], constants

    return make


def _batch_norm(given: _Given) -> _Graph:
    *others, variance = given.weights
    return _with_weights("BatchNormalization")(replace(given, weights=[*others, np.abs(variance) + 1]))


def _clip(given: _Given) -> _Graph:
    limits = {"low": np.array(0, dtype=np.float32), "high": np.array(6, dtype=np.float32)}
    return [given.node("Clip", *limits)], limits


def _silu(given: _Given) -> _Graph:
    """Written in two nodes, which the optimiser fuses."""
    return [given.helper.make_node("Sigmoid", ["x0"], ["s"]), given.node("Mul", "s")], {}


def _gelu(given: _Given) -> _Graph:
    """What the optimiser makes of the error function with its factors."""
    return [given.node("Gelu", domain="com.microsoft")], {}


def _pool(kind: str, **attributes: int) -> _Maker:
    def make(given: _Given) -> _Graph:
        config = given.config
        window = {
            "kernel_shape": [config.kernel_size] * 2, "strides": [config.stride] * 2, "pads": [config.padding] * 4,
        }  # fmt: skip
        return [given.node(kind, domain=_domain(config), **window, **attributes)], {}

    return make


def _resize(given: _Given) -> _Graph:
    config = given.config
    nearest = config.kernel_size == 1
    how = {
        "mode": "nearest" if nearest else "linear",
        "coordinate_transformation_mode": "asymmetric" if nearest else "half_pixel",
    }
    if works_in_blocks(config):
        factors = (1, 1, config.output_height // config.height, config.output_width // config.width)
        return [given.node("Upsample", domain=_BLOCKS, scales=factors, **how)], {}
    sizes = {"sizes": np.array(config.output_shape, dtype=np.int64)}
    return [given.node("Resize", "", "", "sizes", nearest_mode="floor", **how)], sizes


def _pad(given: _Given) -> _Graph:
    config = given.config
    rows, columns = config.output_height - config.height, config.output_width - config.width
    before, after = (0, 0, rows // 2, columns // 2), (0, 0, rows - rows // 2, columns - columns // 2)
    return [given.node("Pad", "sides")], {"sides": np.array([*before, *after], dtype=np.int64)}


def _slice(given: _Given) -> _Graph:
    _, *ends = given.config.output_shape
    constants = {"starts": np.zeros(3, dtype=np.int64), "ends": np.array(ends, dtype=np.int64), "axes": np.arange(1, 4)}
    return [given.node("Slice", *constants)], constants


def _reorder_out(given: _Given) -> _Graph:
    return [given.node("ReorderOutput", domain=_BLOCKS, channels=given.config.channels)], {}


_GRAPHS: Mapping[str, _Maker] = {
    "batch_norm": _batch_norm,
    "clip": _clip,
    "silu": _silu,
    "gelu": _gelu,
    "layer_norm": _with_weights("LayerNormalization", axis=-1),
    "linear": _with_weights("Gemm", transB=1),
    "max_pool": _pool("MaxPool"),
    "average_pool": _pool("AveragePool", count_include_pad=1),
    "resize": _resize,
    "pad": _pad,
    "slice": _slice,
    "reorder_out": _reorder_out,
}
