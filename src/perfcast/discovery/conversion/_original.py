"""A model as it was read from a file, whatever made it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import spox
import spox.opset.ai.onnx.v21 as op

Doubles: TypeAlias = npt.NDArray[np.float64]
Stage: TypeAlias = Callable[[spox.Var], spox.Var]
"""Adds nodes: from double [rows, columns] to double [rows, columns]."""


@dataclass(frozen=True)
class Original:
    """What a conversion needs to know of a model.

    Attributes:
        family: As in a manifest; None where the file doesn't tell.
        kind: Class and library, for people.
        inputs: How many it reads.
        names: What it calls them; empty where it doesn't say.
        predict: What its user would call: double [rows, inputs] to double [rows].
        exact: The same with float64 sums, for a model that adds up in float32; None where `predict` is that.
        stage: The same as nodes of a graph, from double [rows, inputs] to double [rows, 1].
        special: By an input's position the values at which the answer jumps: what stands for missing, then thresholds.
        notes: Remarks for the manifest.
    """

    family: str | None
    kind: str
    inputs: int
    predict: Callable[[Doubles], Doubles]
    stage: Stage
    names: tuple[str, ...] = ()
    exact: Callable[[Doubles], Doubles] | None = None
    special: Mapping[int, Doubles] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def constant(value: object) -> spox.Var:
    """A double constant."""
    return op.constant(value=np.asarray(value, dtype=np.float64))


def chain(stages: Sequence[Stage]) -> Stage:
    """One after another."""

    def run(value: spox.Var) -> spox.Var:
        for stage in stages:
            value = stage(value)
        return value

    return run


def flat(values: object) -> Doubles:
    """A model's answers as double [rows]."""
    return np.asarray(values, dtype=np.float64).reshape(-1)
