"""Operators in ONNX Runtime: models of one operator, as its optimiser leaves it in the graph of a CNN."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.workloads.cnn_execution_time.profiler import BLOCKED, OnnxRuntimeRunner, Timer, time_calls

from ._configurations import LARGEST_BLOCK, POOLS, REORDERS, OperatorConfig, Shape, in_blocks

PLAIN = "plain"
_BLOCKS = "com.microsoft.nchwc"
"""The domain of what works on channels in blocks (NCHWc)."""
_OPSET, _IR = 17, 8

Constants: TypeAlias = Mapping[str, npt.NDArray[Any]]


class OnnxRuntimeOperators(OnnxRuntimeRunner):
    """ONNX Runtime's CPU provider with one thread, on a graph of one operator with constant weights."""

    def prepare(self, config: OperatorConfig) -> Timer:
        """Build the session of a configuration, bind inputs and output, and return its timer."""
        options = self._session_options()
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
        nodes, constants = _GRAPHS.get(config.operator, _simple)(helper, config, weights)
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


Graph: TypeAlias = tuple[list[Any], Constants]
Maker: TypeAlias = Callable[[Any, OperatorConfig, Sequence[npt.NDArray[np.float32]]], Graph]
"""From ONNX's helper, a configuration and its weights to nodes, which make `y`, and constants."""

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


def _simple(helper: Any, config: OperatorConfig, weights: Sequence[npt.NDArray[np.float32]]) -> Graph:
    kind, attributes = _TYPES[config.operator]
    return [helper.make_node(kind, _names(config), ["y"], domain=_domain(config), **attributes)], {}


def _domain(config: OperatorConfig) -> str:
    return _BLOCKS if works_in_blocks(config) else ""


def _with_weights(kind: str, **attributes: Any) -> Maker:
    def make(helper: Any, config: OperatorConfig, weights: Sequence[npt.NDArray[np.float32]]) -> Graph:
        constants = {f"w{number}": values for number, values in enumerate(weights)}
        return [helper.make_node(kind, ["x0", *constants], ["y"], **attributes)], constants

    return make


def _batch_norm(helper: Any, config: OperatorConfig, weights: Sequence[npt.NDArray[np.float32]]) -> Graph:
    *others, variance = weights
    return _with_weights("BatchNormalization")(helper, config, [*others, np.abs(variance) + 1])


def _clip(helper: Any, config: OperatorConfig, weights: Sequence[npt.NDArray[np.float32]]) -> Graph:
    return [helper.make_node("Clip", ["x0", "low", "high"], ["y"])], {"low": np.float32(0), "high": np.float32(6)}  # type: ignore[dict-item]


def _silu(helper: Any, config: OperatorConfig, weights: Sequence[npt.NDArray[np.float32]]) -> Graph:
    """Written in two nodes, which the optimiser fuses."""
    return [helper.make_node("Sigmoid", ["x0"], ["s"]), helper.make_node("Mul", ["x0", "s"], ["y"])], {}


def _gelu(helper: Any, config: OperatorConfig, weights: Sequence[npt.NDArray[np.float32]]) -> Graph:
    """What the optimiser makes of the error function with its factors."""
    return [helper.make_node("Gelu", ["x0"], ["y"], domain="com.microsoft")], {}


def _pool(kind: str) -> Maker:
    def make(helper: Any, config: OperatorConfig, weights: Sequence[npt.NDArray[np.float32]]) -> Graph:
        window = {
            "kernel_shape": [config.kernel_size] * 2, "strides": [config.stride] * 2, "pads": [config.padding] * 4,
        }  # fmt: skip
        return [helper.make_node(kind, ["x0"], ["y"], domain=_domain(config), **window)], {}

    return make


def _resize(helper: Any, config: OperatorConfig, weights: Sequence[npt.NDArray[np.float32]]) -> Graph:
    nearest = config.kernel_size == 1
    how = {
        "mode": "nearest" if nearest else "linear",
        "coordinate_transformation_mode": "asymmetric" if nearest else "half_pixel",
    }
    if works_in_blocks(config):
        factors = (1, 1, config.output_height // config.height, config.output_width // config.width)
        return [helper.make_node("Upsample", ["x0"], ["y"], domain=_BLOCKS, scales=factors, **how)], {}
    sizes = {"sizes": np.array(config.output_shape, dtype=np.int64)}
    return [helper.make_node("Resize", ["x0", "", "", "sizes"], ["y"], nearest_mode="floor", **how)], sizes


def _pad(helper: Any, config: OperatorConfig, weights: Sequence[npt.NDArray[np.float32]]) -> Graph:
    rows, columns = config.output_height - config.height, config.output_width - config.width
    before, after = (0, 0, rows // 2, columns // 2), (0, 0, rows - rows // 2, columns - columns // 2)
    return [helper.make_node("Pad", ["x0", "sides"], ["y"])], {"sides": np.array([*before, *after], dtype=np.int64)}


def _slice(helper: Any, config: OperatorConfig, weights: Sequence[npt.NDArray[np.float32]]) -> Graph:
    _, *ends = config.output_shape
    constants = {"starts": np.zeros(3, dtype=np.int64), "ends": np.array(ends, dtype=np.int64), "axes": np.arange(1, 4)}
    return [helper.make_node("Slice", ["x0", *constants], ["y"])], constants


def _reorder_out(helper: Any, config: OperatorConfig, weights: Sequence[npt.NDArray[np.float32]]) -> Graph:
    return [helper.make_node("ReorderOutput", ["x0"], ["y"], domain=_BLOCKS, channels=config.channels)], {}


_GRAPHS: Mapping[str, Maker] = {
    "batch_norm": _batch_norm,
    "clip": _clip,
    "silu": _silu,
    "gelu": _gelu,
    "layer_norm": _with_weights("LayerNormalization", axis=-1),
    "linear": _with_weights("Gemm", transB=1),
    "max_pool": _pool("MaxPool"),
    "average_pool": _pool("AveragePool"),
    "resize": _resize,
    "pad": _pad,
    "slice": _slice,
    "reorder_out": _reorder_out,
}
