"""A model as it was read from a file, whatever made it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import spox
import spox.opset.ai.onnx.v21 as op

Doubles: TypeAlias = npt.NDArray[np.float64]
Stage: TypeAlias = Callable[[spox.Var], spox.Var]
"""Adds nodes: from double [rows, columns] to double [rows, columns]."""


@dataclass(frozen=True)
class Regressor:
    """A model as nodes of a graph.

    Attributes:
        family: As in a manifest; None where the file doesn't tell.
        stage: From double [rows, inputs] to double [rows, 1].
        special: By an input's position the values at which the answer jumps: what stands for missing, then thresholds.
    """

    family: str | None
    stage: Stage
    special: Mapping[int, Doubles] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Original(Regressor):
    """What a conversion needs to know of a model.

    Attributes:
        kind: Class and library, for people.
        inputs: How many it reads.
        names: What it calls them; empty where it doesn't say.
        predict: What its user would call: double [rows, inputs] to double [rows].
        exact: The same with float64 sums, for a model that adds up in float32; None where `predict` is that.
        notes: Remarks for the manifest.
    """

    kind: str
    inputs: int
    predict: Callable[[Doubles], Doubles]
    names: tuple[str, ...] = ()
    exact: Callable[[Doubles], Doubles] | None = None
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


def unchanged(value: spox.Var) -> spox.Var:
    """The stage that does nothing."""
    return value


def dense(layers: Iterable[tuple[Any, Any]], between: Stage) -> Stage:
    """Layers of weights [in, out] and bias [out], in whose kind of number is computed, with an activation between."""

    def layer(weights: Any, bias: Any) -> Stage:
        return lambda rows: op.add(op.matmul(rows, op.constant(value=weights)), op.constant(value=bias))

    return chain([stage for weights, bias in layers for stage in (layer(weights, bias), between)][:-1])


def in_short(error: BaseException | str) -> str:
    """The first line of what an error says, shortened; its kind where it says nothing."""
    text = str(error).strip().splitlines()
    return text[0][:300] if text else type(error).__name__


def flat(values: object) -> Doubles:
    """A model's answers as double [rows]."""
    return np.asarray(values, dtype=np.float64).reshape(-1)
