"""What a model's inputs are: said by `model.yaml`, by the model itself, or told by their count."""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from perfcast.discovery.conversion._original import Original
from perfcast.errors import Refused
from perfcast.workloads import Workload

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


class Hints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a `model.yaml` says.

    Attributes:
        inputs: What the model reads, in order: features or derived quantities of the workload; None for the usual ones.
        workload: Which it answers for; None for the predecessor's.
        activation: What stands between a network's layers.
    """

    inputs: tuple[str, ...] | None = None
    workload: str | None = None
    activation: Literal["relu", "tanh", "sigmoid", "elu", "gelu", "leaky_relu", "silu"] | None = None


def read_hints(data: bytes) -> Hints:
    """Read a `model.yaml`.

    Raises:
        Refused: It isn't one.
    """
    try:
        return msgspec.yaml.decode(data, type=Hints)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Refused(f"model.yaml: {error}; expected 'inputs:' and a list of names, in the model's order") from None


def find_inputs(original: Original, hints: Hints | None, workloads: Sequence[Workload]) -> tuple[Workload, list[int]]:
    """The workload a model answers for, and which of its inputs the model reads.

    Args:
        original: The model.
        hints: From the `model.yaml` beside it.
        workloads: Known ones; the first is meant where nothing else is said.

    Returns:
        Workload and positions among its `input_names`, in the model's own order.

    Raises:
        Refused: It can't be told; nothing is guessed.
    """
    if hints is not None and (hints.inputs is not None or hints.workload is not None):
        return _hinted(original, hints, workloads)
    if original.names:
        return _named(original, workloads)
    workload = workloads[0]
    if original.inputs not in (7, 8):
        raise Refused(
            f"it reads {original.inputs} inputs, not the 7 of {workload.name} nor 8 with padding; "
            "put a model.yaml beside it with 'inputs:' and their names in its order"
        )
    return workload, [workload.input_names.index(name) for name in README_ORDER[: original.inputs]]


def _hinted(original: Original, hints: Hints, workloads: Sequence[Workload]) -> tuple[Workload, list[int]]:
    known = {workload.name: workload for workload in workloads}
    name = hints.workload or workloads[0].name
    if name not in known:
        raise Refused(f"model.yaml: unknown workload '{name}'; known are {', '.join(known)}")
    workload = known[name]
    inputs = hints.inputs or ()
    if len(inputs) != original.inputs:
        raise Refused(f"model.yaml names {len(inputs)} inputs, but the model reads {original.inputs}")
    unknown = [item for item in inputs if item not in workload.input_names]
    if unknown:
        raise Refused(f"model.yaml: {name} has no {', '.join(unknown)}; it has {', '.join(workload.input_names)}")
    return workload, [workload.input_names.index(item) for item in inputs]


def _named(original: Original, workloads: Sequence[Workload]) -> tuple[Workload, list[int]]:
    names = [re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") for name in original.names]
    for workload in workloads:
        if len(names) == original.inputs and set(names) <= set(workload.input_names):
            return workload, [workload.input_names.index(name) for name in names]
    raise Refused(
        f"its inputs are called {', '.join(original.names)}, which no workload's are; "
        "put a model.yaml beside it with 'inputs:' and their names here, in its order"
    )
