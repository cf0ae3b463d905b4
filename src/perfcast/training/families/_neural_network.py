"""A residual multilayer perceptron on log-scaled inputs (Gorishniy et al. 2021, section 3.2, without normalisation)."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.training.families._family import Family, Lesson, Report, Settings, Space, Stop, Trial, never
from perfcast.training.families._smooth_inputs import Array, SmoothInputs
from perfcast.workloads import Rows


@dataclass(frozen=True)
class FittedNetwork:
    """The weights as arrays: layer by layer, matrix [in, out] and bias [out].

    Attributes:
        smooth: Scaling of the inputs.
        layers: First layer, two for each residual block, last layer.
        center, scale: The target's.
        settings: As given, with fewer epochs where the fit was stopped.
        epochs: How many were run up to the best.
        relative: Whether it answers a logarithm. Where not, answers near 0 are differences of large numbers, so that
            all is computed in float64, natively and in the graph.
    """

    smooth: SmoothInputs
    layers: tuple[tuple[Rows, Rows], ...]
    center: float
    scale: float
    settings: Settings
    epochs: int
    relative: bool

    @property
    def dtype(self) -> type[np.float32] | type[np.float64]:
        """In which it computes."""
        return np.float32 if self.relative else np.float64

    def predict(self, inputs: Rows) -> Rows:
        """The network on arrays."""
        value = self.smooth(inputs, self.dtype)
        first, *blocks, last = self._typed()
        value = value @ first[0] + first[1]
        for one, two in zip(blocks[::2], blocks[1::2], strict=True):
            value = value + (_silu(value @ one[0] + one[1]) @ two[0] + two[1])
        answer = _silu(value) @ last[0] + last[1]
        return np.asarray(answer[:, 0] * self.dtype(self.scale) + self.dtype(self.center), dtype=np.float32)

    def graph(self) -> onnx.ModelProto:
        """One matrix product a layer."""
        inputs = spox.argument(spox.Tensor(np.float32, ("rows", "inputs")))
        first, *blocks, last = self._typed()
        value = _layer(self.smooth.node(inputs, self.dtype), first)
        for one, two in zip(blocks[::2], blocks[1::2], strict=True):
            value = op.add(value, _layer(_silu_node(_layer(value, one)), two))
        answer = _layer(_silu_node(value), last)
        scale, center = (op.const(number, self.dtype) for number in (self.scale, self.center))
        target = op.cast(op.add(op.mul(answer, scale), center), to=np.float32)
        return spox.build({"inputs": inputs}, {"target": target})

    def _typed(self) -> list[tuple[Array, Array]]:
        return [(matrix.astype(self.dtype), bias.astype(self.dtype)) for matrix, bias in self.layers]

    def details(self) -> dict[str, Any]:
        """Epochs and size."""
        return {"epochs": self.epochs, "weights": sum(m.size + b.size for m, b in self.layers)}

    def thresholds(self) -> dict[int, Rows]:
        """None."""
        return {}


class NeuralNetwork(Family):
    """A residual network; on a GPU where torch sees one."""

    name = "neural_network"

    def start(self, lesson: Lesson) -> Settings:  # noqa: ARG002
        """A small network, in few epochs."""
        return {"width": 96, "blocks": 2, "epochs": 48, "learning_rate": 4e-3, "weight_decay": 1e-3, "beta": 0.1}

    def space(self, trial: Trial, lesson: Lesson) -> Settings:  # noqa: ARG002
        """Size, schedule, regularisation, and where the loss turns from squared to absolute."""
        space = Space(trial, self.name)
        space.whole("width", 48, 256, log=True)
        space.whole("blocks", 1, 4)
        space.whole("epochs", 32, 200, log=True)
        space.number("learning_rate", 5e-4, 1e-2, log=True)
        space.number("weight_decay", 1e-5, 0.3, log=True)
        space.number("beta", 0.01, 1.0, log=True)
        return space.settings

    def fit(
        self, lesson: Lesson, settings: Settings, *, stop: Stop = never, report: Report | None = None
    ) -> FittedNetwork:
        """Train on the whole schedule, keeping the averaged weights that do best on the validation rows.

        Where the lesson's seconds are too few for it, the schedule is shortened on the way.
        """
        deadline = time.monotonic() + lesson.seconds
        from perfcast.training.families._network_fit import fit  # imports torch, which takes a while

        found = fit(lesson, settings, deadline, stop, report)
        return FittedNetwork(*found, lesson.relative)


def _silu(value: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(value / (1 + np.exp(-value)), dtype=value.dtype)


def _layer(value: spox.Var, layer: tuple[Array, Array]) -> spox.Var:
    return op.add(op.matmul(value, op.constant(value=layer[0])), op.constant(value=layer[1]))


def _silu_node(value: spox.Var) -> spox.Var:
    return op.mul(value, op.sigmoid(value))
