"""A fitted network: its weights, its answer on arrays, and its graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.training.families._family import Settings
from perfcast.training.families._soft_inputs import SoftInputs
from perfcast.training.families._spread import spread_node
from perfcast.workloads import Rows

EXPERTS = 8
"""Algorithms whose times are told apart."""
SHARPNESS = 4.0
"""Of the soft minimum over them: the larger, the less the second best counts."""
CHUNK = 2048
"""Rows computed at a time, so that they stay in the processor's cache."""
Layer: TypeAlias = tuple[Rows, Rows]


@dataclass(frozen=True)
class Waves:
    """Cosines beside the inputs: cos(x · frequencies + phases).

    Attributes:
        frequencies: float32 [kept, waves], one above or below 0 in each column.
        phases: float32 [waves].
    """

    frequencies: Rows
    phases: Rows


@dataclass(frozen=True)
class Member:
    """One fit's weights, float32.

    Attributes:
        layers: Matrix [in, out] and bias [out] of each hidden layer.
        head: The last layer's; one output, or `EXPERTS` and an overhead.
        skip: [in of the first layer, outputs], from the inputs straight to the last layer.
    """

    layers: tuple[Layer, ...]
    head: Layer
    skip: Rows


@dataclass(frozen=True)
class FittedNetwork:
    """One or more members, the mean of whose answers is the answer.

    Attributes:
        soft: Scaling of the inputs.
        waves: What is made of them beside.
        members: The fits.
        center, scale: The target's.
        settings: As given, with fewer epochs where the fit was stopped.
        relative: Whether it answers a logarithm.
    """

    soft: SoftInputs
    waves: Waves
    members: tuple[Member, ...]
    center: float
    scale: float
    settings: Settings
    relative: bool

    def predict(self, inputs: Rows) -> Rows:
        """The network on arrays."""
        chunks = (inputs[begin : begin + CHUNK] for begin in range(0, len(inputs), CHUNK))
        answers = [self._answer(chunk) for chunk in chunks]
        return np.concatenate(answers) if answers else np.zeros(0, np.float32)

    def _answer(self, inputs: Rows) -> Rows:
        value = with_waves(self.soft(inputs), self.waves)
        total = np.sum([_of_member(value, member) for member in self.members], axis=0)
        return np.asarray(total * np.float32(self.scale / len(self.members)) + np.float32(self.center))

    def graph(self) -> onnx.ModelProto:
        """One product for the first layer of all members and what skips it, then one a member and layer."""
        inputs = spox.argument(spox.Tensor(np.float32, ("rows", "inputs")))
        members = self.members
        value = self._read_node(inputs)
        hidden = _silu_node(_layer(value, _joined([member.layers[0] for member in members])))
        parts = op.split(hidden, num_outputs=len(members), axis=1) if len(members) > 1 else [hidden]
        deep = [self._deep_node(part, member) for part, member in zip(parts, members, strict=True)]
        last = _silu_node(op.concat(deep, axis=1) if len(deep) > 1 else deep[0])
        order = self._order()
        skip, end = _joined([(member.skip, member.head[1]) for member in members])
        heads = _beside([member.head[0] for member in members])
        skipped = _layer(value, (skip[:, order], end[order]))
        outputs = op.add(op.matmul(last, op.constant(value=heads[:, order])), skipped)
        return spox.build({"inputs": inputs}, self._answer_nodes(outputs))

    def _read_node(self, inputs: spox.Var) -> spox.Var:
        value = self.soft.node(inputs)
        if not len(self.waves.phases):
            return value
        turned = _layer(value, (self.waves.frequencies, self.waves.phases))
        return op.concat([value, op.cos(turned)], axis=1)

    @staticmethod
    def _deep_node(value: spox.Var, member: Member) -> spox.Var:
        """The layers after the first, without what the last one's neurons make of it."""
        for count, layer in enumerate(member.layers[1:]):
            value = _layer(_silu_node(value) if count else value, layer)
        return value

    def _order(self) -> list[int]:
        """Of the members' outputs: all times first, so that they are one block, then the overheads."""
        outputs = self.members[0].skip.shape[1]
        places = np.arange(outputs * len(self.members)).reshape(-1, outputs)
        return [*places[:, :EXPERTS].ravel().tolist(), *places[:, EXPERTS:].ravel().tolist()]

    def _answer_nodes(self, outputs: spox.Var) -> dict[str, spox.Var]:
        """From all members' outputs [rows, outputs · members] to the target, and to the spread of several."""
        count = len(self.members)
        answers = self._least_node(outputs) if self.relative else outputs
        share = np.full((count, 1), self.scale / count, np.float32)
        target = _layer(answers, (share, np.array([self.center], np.float32)))
        if count == 1:
            return {"target": target}
        return {"target": target, "spread": spread_node(answers, np.full(count, 1 / count), scale=self.scale)}

    def _least_node(self, outputs: spox.Var) -> spox.Var:
        """The soft minimum of each member's times with its overhead added, [rows, members]."""
        count = len(self.members)
        times, overhead = (
            _columns(outputs, 0, EXPERTS * count),
            _columns(outputs, EXPERTS * count, (EXPERTS + 1) * count),
        )
        apart = op.reshape(times, op.constant(value=np.array([-1, count, EXPERTS], dtype=np.int64)))
        sharp = op.mul(apart, op.const(-SHARPNESS, np.float32))
        total = op.reduce_log_sum_exp(sharp, op.constant(value=np.array([2], dtype=np.int64)), keepdims=0)
        least = op.mul(total, op.const(-1 / SHARPNESS, np.float32))
        return op.add(least, op.softplus(op.sub(overhead, least)))

    def details(self) -> dict[str, Any]:
        """Members, epochs and size."""
        weights = sum(array.size for m in self.members for array in (*sum(m.layers, ()), *m.head, m.skip))
        return {"members": len(self.members), "epochs": self.settings["epochs"], "weights": weights}

    def thresholds(self) -> dict[int, Rows]:
        """None."""
        return {}


def with_waves(value: Rows, waves: Waves) -> Rows:
    """Scaled inputs [rows, kept] and their cosines, [rows, kept + waves]."""
    turned = value @ waves.frequencies + waves.phases
    return np.hstack([value, np.cos(turned, out=turned)])


def _of_member(value: Rows, member: Member) -> Rows:
    """[rows, in] to [rows], before the target's scale."""
    outputs = value @ member.skip + member.head[1]
    for matrix, bias in member.layers:
        value = _silu(value @ matrix + bias)
    outputs += value @ member.head[0]
    if outputs.shape[1] == 1:
        return outputs[:, 0]
    sharp = outputs[:, :EXPERTS] * -np.float32(SHARPNESS)
    most = sharp.max(axis=1)
    total = most + np.log(np.exp(sharp - most[:, None]).sum(axis=1))
    return np.asarray(np.logaddexp(total * np.float32(-1 / SHARPNESS), outputs[:, EXPERTS]))


def _silu(value: Rows) -> Rows:
    with np.errstate(over="ignore"):
        share = np.exp(-value)
    share += 1
    return np.asarray(np.divide(value, share, out=share))


def _joined(layers: Sequence[Layer]) -> Layer:
    return np.hstack([matrix for matrix, _ in layers]), np.concatenate([bias for _, bias in layers])


def _beside(matrices: Sequence[Rows]) -> Rows:
    """Matrices as the blocks of a diagonal."""
    rows, columns = np.sum([matrix.shape for matrix in matrices], axis=0)
    joined, row, column = np.zeros((rows, columns), matrices[0].dtype), 0, 0
    for matrix in matrices:
        joined[row : row + matrix.shape[0], column : column + matrix.shape[1]] = matrix
        row, column = row + matrix.shape[0], column + matrix.shape[1]
    return joined


def _columns(value: spox.Var, begin: int, end: int) -> spox.Var:
    limits = [np.array([limit], dtype=np.int64) for limit in (begin, end, 1)]
    return op.slice(value, *(op.constant(value=limit) for limit in limits))


def _layer(value: spox.Var, layer: Layer) -> spox.Var:
    return op.add(op.matmul(value, op.constant(value=layer[0])), op.constant(value=layer[1]))


def _silu_node(value: spox.Var) -> spox.Var:
    return op.mul(value, op.sigmoid(value))
