"""What small constants come to: the arithmetic on shapes that exporters leave in a graph."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from perfcast.networks.reading._file import LARGEST_VALUE, Array, value_of

_Inputs = Sequence[Array]
_Attributes = Mapping[str, Any]


def _constant(_: _Inputs, given: _Attributes) -> Array | None:
    if "value" in given:
        return value_of(given["value"])
    kinds = {"value_int": np.int64, "value_ints": np.int64, "value_float": np.float32, "value_floats": np.float32}
    return next((np.asarray(given[name], kind) for name, kind in kinds.items() if name in given), None)


def _filled(inputs: _Inputs, given: _Attributes) -> Array:
    value = numpy_helper.to_array(given["value"]) if "value" in given else np.zeros(1, np.float32)
    return np.full(tuple(inputs[0]), value.reshape(-1)[0])


def _cast(inputs: _Inputs, given: _Attributes) -> Array:
    return inputs[0].astype(onnx.helper.tensor_dtype_to_np_dtype(given["to"]))


def _axes(inputs: _Inputs, given: _Attributes) -> tuple[int, ...]:
    return tuple(map(int, inputs[1].reshape(-1))) if len(inputs) > 1 else tuple(given.get("axes", ()))


def _squeezed(inputs: _Inputs, given: _Attributes) -> Array:
    return np.squeeze(inputs[0], _axes(inputs, given) or None)


def _slice(inputs: _Inputs, given: _Attributes) -> Array:
    data, *bounds = inputs
    if not bounds:
        bounds = [np.asarray(given[name]) for name in ("starts", "ends", "axes") if name in given]
    starts, ends = bounds[:2]
    axes = bounds[2] if len(bounds) > 2 else np.arange(len(starts))
    steps = bounds[3] if len(bounds) > 3 else np.ones(len(starts), int)
    parts = [slice(None)] * data.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        parts[int(axis)] = slice(int(start), int(end), int(step))
    return data[tuple(parts)]


def _divide(inputs: _Inputs, _: _Attributes) -> Array:
    dividend, divisor = inputs
    if np.issubdtype(dividend.dtype, np.integer):
        return np.asarray(np.sign(dividend) * np.sign(divisor) * (abs(dividend) // abs(divisor)), dividend.dtype)
    return np.asarray(dividend / divisor)


_OPERATORS: Mapping[str, Callable[[_Inputs, _Attributes], Array | None]] = {
    "Add": lambda inputs, _: np.add(*inputs),
    "Cast": _cast,
    "Ceil": lambda inputs, _: np.ceil(inputs[0]),
    "Concat": lambda inputs, given: np.concatenate(list(inputs), given.get("axis", 0)),
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Div": _divide,
    "Equal": lambda inputs, _: np.equal(*inputs),
    "Expand": lambda inputs, _: inputs[0] * np.ones(tuple(inputs[1]), inputs[0].dtype),
    "Floor": lambda inputs, _: np.floor(inputs[0]),
    "Gather": lambda inputs, given: np.take(inputs[0], inputs[1].astype(int), given.get("axis", 0)),
    "Identity": lambda inputs, _: inputs[0],
    "Max": lambda inputs, _: np.maximum.reduce(list(inputs)),
    "Min": lambda inputs, _: np.minimum.reduce(list(inputs)),
    "Mod": lambda inputs, given: np.fmod(*inputs) if given.get("fmod") else np.mod(*inputs),
    "Mul": lambda inputs, _: np.multiply(*inputs),
    "Neg": lambda inputs, _: np.negative(inputs[0]),
    "Range": lambda inputs, _: np.arange(*(value.reshape(-1)[0] for value in inputs)),
    "ReduceProd": lambda inputs, given: np.prod(
        inputs[0], axis=_axes(inputs, given) or None, keepdims=bool(given.get("keepdims", 1)), dtype=inputs[0].dtype
    ),
    "Reshape": lambda inputs, _: inputs[0].reshape(tuple(inputs[1])),
    "Slice": _slice,
    "Sqrt": lambda inputs, _: np.sqrt(inputs[0]),
    "Squeeze": _squeezed,
    "Sub": lambda inputs, _: np.subtract(*inputs),
    "Transpose": lambda inputs, given: np.transpose(inputs[0], given.get("perm")),
    "Unsqueeze": lambda inputs, given: np.expand_dims(inputs[0], _axes(inputs, given)),
    "Where": lambda inputs, _: np.where(*inputs),
}


def evaluate(node: onnx.NodeProto, inputs: Sequence[Array], shape: tuple[int, ...]) -> Array | None:
    """What a node makes of constants.

    Args:
        node: Any node.
        inputs: What its inputs hold.
        shape: What the inference of shapes says of its output.

    Returns:
        Its first output; None where it isn't small, or isn't the arithmetic of shapes.
    """
    operator = _OPERATORS.get(node.op_type)
    if operator is None or math.prod(shape) > LARGEST_VALUE:
        return None
    given = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    try:
        with np.errstate(all="ignore"):
            value = operator(inputs, given)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None
    return value if value is not None and value.shape == shape else None
