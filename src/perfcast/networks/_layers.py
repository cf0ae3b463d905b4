"""A network as a list of layers, each described by its workload's features: for what nobody has a file of."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from perfcast.errors import FieldError, InvalidInput
from perfcast.networks._call import CONVOLUTIONS, OPERATORS, Call, Plan
from perfcast.networks._graph import FLOAT_BYTES, Shape
from perfcast.workloads import RowReader, builtin_workloads

MOST_CALLS = 4_000
_LONGEST_NAME = 200
_PRODUCTS = frozenset({"linear", "matmul"})


def plan_of_layers(layers: Sequence[Mapping[str, Any]]) -> Plan:
    """The calls of layers that run one after the other, as they are: nothing is fused.

    Args:
        layers: Each with an `operator` (`convolution` if left out) and its workload's features but for `batch_size`;
            a `name` and a `count` if it runs several times.

    Raises:
        InvalidInput: A layer can't be; names it, the first is 0.
    """
    readers = {name: RowReader(workload) for name, workload in builtin_workloads().items()}
    calls: list[Call] = []
    names: set[str] = set()
    for number, layer in enumerate(layers):
        given = dict(layer)
        count, operator = given.pop("count", 1), given.get("operator", "convolution")
        name = given.pop("name", "")
        if not isinstance(name, str) or len(name) > _LONGEST_NAME:
            raise InvalidInput.of(f"layers[{number}].name", f"must be text of {_LONGEST_NAME} letters at most")
        name = name or f"{operator}_{number}"
        name = f"{name} ({number})" if name in names else name
        names.add(name)
        room = MOST_CALLS - len(calls)
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= room:
            raise InvalidInput.of(
                f"layers[{number}].count", f"must be a whole number from 1, and {MOST_CALLS:,} layers at most"
            )
        calls += [_call(readers, number, name, operator, given)] * count
    if not calls:
        raise InvalidInput.of("layers", "must be one layer or more")
    return Plan(tuple(calls))


def _call(readers: Mapping[str, RowReader], number: int, name: str, operator: Any, given: dict[str, Any]) -> Call:
    """One layer at a batch of one."""
    if "batch_size" in given:
        raise InvalidInput.of(f"layers[{number}].batch_size", "is one for all layers, and stands beside them")
    if operator == "convolution":
        given.pop("operator", None)
    workload = CONVOLUTIONS if operator == "convolution" else OPERATORS
    features = {**given, "batch_size": 1}
    reader = readers[workload]
    try:
        row = reader.read(features)
    except InvalidInput as error:
        raise InvalidInput([FieldError(f"layers[{number}].{one.field}", one.message) for one in error.fields]) from None
    sizes = {
        feature.name: int(value) for feature, value in zip(builtin_workloads()[workload].features, row, strict=True)
    }
    described = _convolution(sizes) if operator == "convolution" else _operator(str(operator), sizes)
    shape_in, shape_out, flops, weights = described
    moved = FLOAT_BYTES * (math.prod(shape_in) * sizes.get("inputs", 1) + math.prod(shape_out))
    return Call(name, str(operator), features, (name,), shape_in, shape_out, flops, moved, FLOAT_BYTES * weights)


_Described = tuple[Shape, Shape, int, int]
"""What goes in and comes out, operations, and how many numbers the weights are."""


def _convolution(sizes: Mapping[str, int]) -> _Described:
    made = []
    for side, before, after in (("height", "padding", "padding_bottom"), ("width", "padding_width", "padding_right")):
        kernel, stride = ("kernel_size", "stride") if side == "height" else ("kernel_width", "stride_width")
        extent = sizes["dilation"] * (sizes[kernel] - 1) + 1
        padded = sizes[f"input_{side}"] + sizes[before] + sizes[after]
        made.append((padded - extent) // sizes[stride] + 1)
    depth = sizes["input_channels"] // sizes["groups"] * sizes["kernel_size"] * sizes["kernel_width"]
    filters = sizes["output_channels"]
    shape_in = (1, sizes["input_channels"], sizes["input_height"], sizes["input_width"])
    return shape_in, (1, filters, *made), 2 * filters * depth * math.prod(made), filters * depth


def _operator(operator: str, sizes: Mapping[str, int]) -> _Described:
    shape_in = (1, sizes["channels"], sizes["height"], sizes["width"])
    if operator not in _PRODUCTS:
        shape_out = (1, sizes["output_channels"], sizes["output_height"], sizes["output_width"])
        return shape_in, shape_out, math.prod(shape_out), 0
    shape_out = (1, sizes["channels"], sizes["height"], sizes["output_channels"])
    weights = sizes["width"] * sizes["output_channels"] if operator == "linear" else 0
    return shape_in, shape_out, 2 * math.prod(shape_out) * sizes["width"], weights
