"""What a model's inputs are: said by `model.yaml`, by the model itself, or told by their count."""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

from perfcast.discovery.conversion._original import Doubles, Original
from perfcast.errors import InvalidDeclaration, Refused
from perfcast.workloads import ArrayArithmetic, Expression, Name, Rows, Workload, evaluate, names, parse, read_yaml

README_ORDER = (
    "batch_size",
    "input_channels",
    "input_height",
    "input_width",
    "output_channels",
    "kernel_size",
    "stride",
    "padding",
)
"""The predecessor's inputs in order; its models read the first 7, or all 8."""
Input = str | int | float


class Hints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a `model.yaml` says.

    Attributes:
        inputs: What the model reads, in order or by the names in its file: features, derived quantities, numbers or
            arithmetic over them. None for what the model calls them, else the workload's features in order.
        workload: Which it answers for; None for the predecessor's.
        activation: What stands between a network's layers.
    """

    inputs: tuple[Input, ...] | dict[str, Input] | None = None
    workload: str | None = None
    activation: Literal["relu", "tanh", "sigmoid", "elu", "gelu", "leaky_relu", "silu"] | None = None


def read_hints(data: bytes) -> Hints:
    """Read a `model.yaml`."""
    try:
        return read_yaml(data, Hints)
    except ValueError as error:
        raise Refused(
            f"model.yaml: {error}; expected 'inputs:' and a list of names, in the model's order, or a line for each, "
            "such as 'Input_Size: input_height'"
        ) from None


def expression_of(text: str, workload: Workload) -> Expression:
    """What an input is, over the workload's own."""
    try:
        expression = Name(text) if text in workload.input_names else parse(text)
    except InvalidDeclaration as error:
        raise Refused(f"model.yaml: {error}") from None
    unknown = [name for name in names(expression) if name not in workload.input_names]
    if unknown:
        known = ", ".join(workload.input_names)
        raise Refused(f"model.yaml: {workload.name} has no {', '.join(unknown)}; it has {known}")
    return expression


def computed(inputs: Sequence[Expression], workload: Workload, features: Rows) -> Doubles:
    """What the model reads: float32 [rows, features] to double [rows, inputs]."""
    values = dict(zip(workload.input_names, workload.inputs(features).T, strict=True))
    columns = [np.broadcast_to(evaluate(item, values, ArrayArithmetic()), len(features)) for item in inputs]
    return np.stack(columns, axis=1).astype(np.float64)


def find_inputs(original: Original, hints: Hints, workloads: Sequence[Workload]) -> tuple[Workload, list[str]]:
    """The workload a model answers for, the first where nothing else is said, and what its inputs are.

    Returns:
        Workload, and an expression over its `input_names` for each input, in the model's own order.
    """
    usual = workloads[0]
    if hints.workload is not None:
        known = {workload.name: workload for workload in workloads}
        if hints.workload not in known:
            raise Refused(f"model.yaml: unknown workload '{hints.workload}'; known are {', '.join(known)}")
        workloads = [known[hints.workload]]
    if hints.inputs is not None:
        return workloads[0], _hinted(original, hints.inputs)
    if original.names:
        return _named(original, workloads)
    workload = workloads[0]
    if workload is usual and original.inputs in (7, 8):
        return workload, list(README_ORDER[: original.inputs])
    if hints.workload is None:
        raise Refused(
            f"it reads {original.inputs} inputs, not the 7 of {workload.name} nor 8 with padding; "
            "put a model.yaml beside it with 'inputs:' and their names in its order"
        )
    if original.inputs != len(workload.features):
        raise Refused(
            f"it reads {original.inputs} inputs, not the {len(workload.features)} features of {workload.name}; "
            "add 'inputs:' to its model.yaml, and their names in its order"
        )
    return workload, list(workload.feature_names)


def _hinted(original: Original, inputs: tuple[Input, ...] | dict[str, Input]) -> list[str]:
    if isinstance(inputs, dict):
        order = original.names or tuple(inputs)
        if unlike := sorted(set(order) ^ set(inputs)):
            raise Refused(
                f"model.yaml: 'inputs:' needs one line for each of {', '.join(order)}; "
                f"missing or not among them: {', '.join(unlike)}"
            )
        inputs = tuple(inputs[item] for item in order)
    if len(inputs) != original.inputs:
        raise Refused(f"model.yaml names {len(inputs)} inputs, but the model reads {original.inputs}")
    return list(map(str, inputs))


def _named(original: Original, workloads: Sequence[Workload]) -> tuple[Workload, list[str]]:
    plain = [re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") for name in original.names]
    for workload in workloads:
        if len(plain) == original.inputs and set(plain) <= set(workload.input_names):
            return workload, plain
    whose = "no workload's are" if len(workloads) > 1 else f"{workloads[0].name}'s are not"
    raise Refused(
        f"its inputs are called {', '.join(original.names)}, which {whose}; "
        "put a model.yaml beside it with 'inputs:' and a line for each, such as 'Input_Size: input_height'"
    )
