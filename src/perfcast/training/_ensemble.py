"""A weighted mean of fitted families in target space, in one graph; a fifth candidate beside the families."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.training.families import Fitted, Settings, spread_node
from perfcast.training.fits import Inner
from perfcast.workloads import Rows

ENSEMBLE = "ensemble"
STEPS = 20
MOST_MEMBERS = 3
LEAST_SHARE = 0.1
"""A family that would have less is left out: it costs every answer as much time as any other."""
WORTH = 0.005
"""Share by which the mean's tuning score must be less than the best family's, or it isn't made."""
WORTH_BESIDE_MEMBERS = 0.04
"""The same where the best family's final model has several members. Of what the mean brings to one of them at most two
thirds are left beside all, and every answer pays for it: on inner splits of four sets 0.9, 1.8, 3.0 and 6.7 % for one
were 0, 1.2, 0.9 and 3.7 % for four."""


@dataclass(frozen=True)
class FittedEnsemble:
    """Fitted members and their weights."""

    members: tuple[Fitted, ...]
    weights: Mapping[str, float]

    def predict(self, inputs: Rows) -> Rows:
        """The weighted mean, float32 [rows]."""
        shares = self.weights.values()
        parts = [np.float32(w) * member.predict(inputs) for w, member in zip(shares, self.members, strict=True)]
        return np.asarray(sum(parts[1:], parts[0]), dtype=np.float32)

    def graph(self) -> onnx.ModelProto:
        """The members' graphs side by side; each is a member of the spread, with its own where it has one."""
        inputs = spox.argument(spox.Tensor(np.float32, ("rows", "inputs")))
        column = op.constant(value=np.array([-1, 1], dtype=np.int64))
        outputs = [list(spox.inline(member.graph())(inputs).values()) for member in self.members]
        answers = op.concat([op.reshape(target, column) for target, *_ in outputs], axis=1)
        own = {at: spread for at, (_, *spreads) in enumerate(outputs) for spread in spreads}
        weights = np.array(list(self.weights.values()))
        target = op.matmul(answers, op.constant(value=weights[:, None].astype(np.float32)))
        return spox.build({"inputs": inputs}, {"target": target, "spread": spread_node(answers, weights, own)})

    @property
    def settings(self) -> Settings:
        """The weights."""
        return {"weights": dict(self.weights)}

    def details(self) -> dict[str, Any]:
        """Each member's."""
        return {name: member.details() for name, member in zip(self.weights, self.members, strict=True)}

    def thresholds(self) -> Mapping[int, Rows]:
        """All members' together."""
        together: dict[int, list[Rows]] = {}
        for member in self.members:
            for position, values in member.thresholds().items():
                together.setdefault(position, []).append(values)
        return {position: np.unique(np.concatenate(values)) for position, values in together.items()}


def mix(
    inner: Inner, predictions: Mapping[str, Rows], *, plain: Rows | None = None, several: Collection[str] = ()
) -> tuple[dict[str, float], float] | None:
    """Choose weights by greedy selection with replacement (Caruana et al. 2004, "Ensemble Selection from Libraries").

    Args:
        inner: Where the scores come from.
        predictions: Each family's best, on the validation rows, float32 [rows] in target space.
        plain: The plain model's, likewise.
        several: Families whose final model has several members.

    Returns:
        Weights that add up to 1, and the tuning score of the mean; None where no mean is better by `WORTH`, or
        `WORTH_BESIDE_MEMBERS`, than the best family alone, and clearly better than the plain model.
    """
    alone = {name: inner.score(values) for name, values in predictions.items()}
    if not alone:
        return None
    names, shares = sorted(alone, key=alone.__getitem__)[:MOST_MEMBERS], [0.0]
    while min(shares) < LEAST_SHARE:
        shares, least = _greedy(inner, [predictions[name].astype(np.float64) for name in names])
        chosen = dict(zip(names, shares, strict=True))
        names = [name for name in names if chosen[name] >= LEAST_SHARE]
    mean = np.asarray(sum(np.float32(share) * predictions[name] for name, share in chosen.items()))
    best = min(alone, key=alone.__getitem__)
    needed = WORTH_BESIDE_MEMBERS if best in several else WORTH
    worth = len(chosen) > 1 and least < alone[best] * (1 - needed)
    return (chosen, least) if worth and (plain is None or inner.clearly_better(mean, plain)) else None


def _greedy(inner: Inner, values: Sequence[np.ndarray[Any, np.dtype[np.float64]]]) -> tuple[list[float], float]:
    counts, best, least = np.zeros(len(values)), np.zeros(len(values)), float("inf")
    total = np.zeros_like(values[0])
    for step in range(1, STEPS + 1):
        scores = [inner.score(((total + value) / step).astype(np.float32)) for value in values]
        chosen = int(np.argmin(scores))
        counts[chosen] += 1
        total = total + values[chosen]
        if scores[chosen] < least:
            best, least = counts / step, scores[chosen]
    return [float(weight) for weight in best], least
