"""Polynomials of degree 1 to 4 in scaled inputs, with Ridge (Hoerl and Kennard 1970) or Lasso (Tibshirani 1996)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from math import comb
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.errors import Stopped
from perfcast.training.families._family import Family, Lesson, Report, Settings, Space, Stop, Trial, never
from perfcast.training.families._smooth_inputs import WIDE, Doubles, SmoothInputs, smooth_inputs
from perfcast.workloads import Rows

MOST_TERMS = 1500
MOST_ROWS = 60_000
"""Rows beyond which a random part is enough for so few coefficients."""
CHUNK = 4096
LEAST_SPREAD = 1e-9
SETTLED = 1e-7
"""Change of a coefficient, in standard deviations, below which Lasso has converged."""
LOGGED = {"wide": WIDE, "all": 1.0, "none": float("inf")}
"""From which factor between its values on an input is taken as a logarithm, if none of them is below 0."""
MOST_ALPHA = 20.0
"""With half as much, Lasso leaves nothing but a constant."""
OVER, OVER_PLANE = 0.1, 0.5
"""Share of the target's training range by which an answer may leave it."""
BEYOND_PLANE = 1.0
"""How far beyond their training range inputs count for a plane, in standard deviations; bent curves end there.

With inputs with which the cost is to rise a plane rises without end."""
_Limits: TypeAlias = tuple[Doubles, Doubles]


@dataclass(frozen=True)
class FittedPolynomial:
    """Coefficients of monomials; computed in float64, natively and in the graph, since terms of both signs cancel.

    Attributes:
        smooth: Scaling of the inputs.
        terms: int64 [terms, degree]: the inputs multiplied in each monomial; position `kept` stands for 1.
        coefficients: float64 [terms].
        intercept: Added.
        low, high: Limits of the answer, in target space.
        settings: As given.
    """

    smooth: SmoothInputs
    terms: npt.NDArray[np.int64]
    coefficients: Doubles
    intercept: float
    low: float
    high: float
    settings: Settings

    def predict(self, inputs: Rows) -> Rows:
        """The polynomial, limited."""
        return np.clip(self.value(inputs) + self.intercept, self.low, self.high).astype(np.float32)

    def value(self, inputs: Rows) -> Doubles:
        """The monomials with their coefficients, float64 [rows]."""
        parts = [inputs[begin : begin + CHUNK] for begin in range(0, len(inputs), CHUNK)]
        values = [_monomials(self.smooth, self.terms, part) @ self.coefficients for part in parts]
        return np.concatenate([np.zeros(0), *values])

    def graph(self) -> onnx.ModelProto:
        """Gather, multiply, one matrix product."""
        inputs = spox.argument(spox.Tensor(np.float32, ("rows", "inputs")))
        scaled = self.smooth.node(inputs, np.float64)
        padded = op.pad(scaled, op.constant(value=np.array([0, 0, 0, 1])), op.const(1, np.float64))
        product = op.gather(padded, op.constant(value=self.terms[:, 0]), axis=1)
        for place in range(1, self.terms.shape[1]):
            product = op.mul(product, op.gather(padded, op.constant(value=self.terms[:, place]), axis=1))
        value = op.add(
            op.matmul(product, op.constant(value=self.coefficients[:, None])), op.const(self.intercept, np.float64)
        )
        limited = op.clip(value, op.const(self.low, np.float64), op.const(self.high, np.float64))
        return spox.build({"inputs": inputs}, {"target": op.cast(limited, to=np.float32)})

    def details(self) -> dict[str, Any]:
        """Number of terms."""
        return {"terms": len(self.terms), "inputs": len(self.smooth.columns)}

    def thresholds(self) -> dict[int, Rows]:
        """None."""
        return {}


class Polynomial(Family):
    """Polynomials of all inputs in degree 2 and of the most telling ones in degrees 3 and 4."""

    name = "polynomial"

    def keeps_trends(self, settings: Settings) -> bool:
        """A plane does: no coefficient of it goes against one."""
        return int(settings["degree"]) == 1

    def start(self, lesson: Lesson) -> Settings:  # noqa: ARG002
        """Degree 3, Ridge."""
        return {"degree": 3, "penalty": "ridge", "alpha": 1e-3, "terms": 900, "logged": "wide"}

    def plain(self, lesson: Lesson) -> Sequence[Settings]:
        """A plane and a constant."""
        plane = {**self.start(lesson), "degree": 1, "logged": "all" if lesson.relative else "none"}
        return plane, {**plane, "penalty": "lasso", "alpha": MOST_ALPHA}

    def space(self, trial: Trial, lesson: Lesson) -> Settings:
        """Degree, penalty and its weight, number of terms, of which inputs logarithms are taken."""
        space = Space(trial, self.name)
        space.whole("degree", 1, 4)
        space.choice("penalty", ["ridge", "lasso"])
        space.number("alpha", 1e-5, MOST_ALPHA, log=True)
        space.whole("terms", 200, MOST_TERMS, log=True)
        space.choice("logged", ["wide", "all" if lesson.relative else "none"])
        return space.settings

    def fit(
        self,
        lesson: Lesson,
        settings: Settings,
        *,
        stop: Stop = never,
        report: Report | None = None,  # noqa: ARG002
    ) -> FittedPolynomial:
        """Choose the terms, then solve from the Gram matrix."""
        inputs, target = _some_rows(lesson)
        wide = LOGGED[settings.get("logged", "wide")]
        degree = int(settings["degree"])
        beyond, over = (BEYOND_PLANE, OVER_PLANE) if degree == 1 else (0.0, OVER)
        smooth = smooth_inputs(inputs, margin=beyond, wide=wide)
        trends = np.array(lesson.trends)[smooth.columns] if degree == 1 else np.zeros(len(smooth.columns))
        smooth = replace(smooth, high=np.where(trends > 0, np.inf, smooth.high))
        order = list(range(len(smooth.columns)))
        if degree > 1:
            order = _most_telling(smooth(inputs, np.float64), target)
        terms = _terms(order, degree=degree, most=min(int(settings["terms"]), MOST_TERMS))
        gram, moment, scale = _normal_equations(smooth, terms, inputs, target, stop)
        solve = _lasso if settings["penalty"] == "lasso" else _ridge
        weights = solve(gram, moment, float(settings["alpha"]), stop, _limits(trends, len(terms))) / scale
        used = weights != 0
        used[:1] |= not used.any()
        margin = over * float(np.ptp(target))
        low, high = (
            float(target.min()) - margin,
            np.inf if trends.any() and not lesson.relative else float(target.max()) + margin,
        )
        fitted = FittedPolynomial(smooth, terms[used], weights[used], 0.0, -np.inf, np.inf, settings)
        middle = _middle(target - fitted.value(inputs), relative=lesson.relative)
        return replace(fitted, intercept=middle, low=low, high=high)


def _some_rows(lesson: Lesson) -> tuple[Rows, Doubles]:
    if len(lesson.target) <= MOST_ROWS:
        return lesson.inputs, lesson.target.astype(np.float64)
    rows = np.random.default_rng(lesson.seed).choice(len(lesson.target), MOST_ROWS, replace=False)
    return lesson.inputs[rows], lesson.target[rows].astype(np.float64)


def _middle(rest: Doubles, *, relative: bool) -> float:
    """The addend with the least error: the median of what is left over, or of logarithms that of relative errors.

    Of exp(c - r) - 1 that is the logarithm of the median of exp(r), weighted by exp(-r).
    """
    ordered = np.sort(rest)
    weights = np.cumsum(np.exp(np.minimum(ordered[0] - ordered, 0.0)) if relative else np.ones(len(rest)))
    return float(ordered[np.searchsorted(weights, weights[-1] / 2)])


def _most_telling(scaled: npt.NDArray[np.floating], target: Doubles) -> list[int]:
    """By orthogonal matching pursuit (Pati, Rezaiifar and Krishnaprasad 1993): each explains most of the rest."""
    basis, rest = scaled.astype(np.float64), target - target.mean()
    left, order = list(range(basis.shape[1])), []
    while left:
        length = np.sqrt((basis[:, left] ** 2).sum(axis=0))
        gain = np.abs(rest @ basis[:, left]) / np.where(length > 1e-6 * np.sqrt(len(rest)), length, np.inf)
        best = left.pop(int(gain.argmax()))
        order.append(best)
        unit = basis[:, best] / max(float(np.linalg.norm(basis[:, best])), 1e-12)
        rest = rest - unit * (unit @ rest)
        basis = basis - np.outer(unit, unit @ basis)
    return order


def _terms(order: list[int], *, degree: int, most: int) -> npt.NDArray[np.int64]:
    """The monomials of degree 1, then of each higher degree in as many of the first inputs as fit."""
    kept = len(order)
    terms: list[tuple[int, ...]] = [(position,) for position in order] or [(kept,)]
    share = (most - len(terms)) / max(1, degree - 1)
    for power in range(2, degree + 1):
        room = int(len(order) + share * (power - 1)) - len(terms)
        width = max((n for n in range(kept + 1) if comb(n + power - 1, power) <= room), default=0)
        terms += list(combinations_with_replacement(order[:width], power))
    return np.array([term + (kept,) * (degree - len(term)) for term in terms], dtype=np.int64)


def _monomials(smooth: SmoothInputs, terms: npt.NDArray[np.int64], inputs: Rows) -> Doubles:
    scaled = smooth(inputs, np.float64)
    padded = np.concatenate([scaled, np.ones((len(scaled), 1))], axis=1)
    product: Doubles = padded[:, terms[:, 0]].astype(np.float64, copy=False)
    for place in range(1, terms.shape[1]):
        product = product * padded[:, terms[:, place]]
    return product


def _normal_equations(
    smooth: SmoothInputs, terms: npt.NDArray[np.int64], inputs: Rows, target: Doubles, stop: Stop
) -> tuple[Doubles, Doubles, Doubles]:
    """Correlations of the monomials with each other and with the target, and the monomials' deviations."""
    size, rows = len(terms), len(target)
    gram, moment, total = np.zeros((size, size)), np.zeros(size), np.zeros(size)
    middle = target.mean()
    for begin in range(0, rows, CHUNK):
        if stop():
            raise Stopped("polynomial was stopped before its terms were counted")
        part = _monomials(smooth, terms, inputs[begin : begin + CHUNK])
        gram += part.T @ part
        moment += part.T @ (target[begin : begin + CHUNK] - middle)
        total += part.sum(axis=0)
    mean = total / rows
    covariance = gram / rows - np.outer(mean, mean)
    scale = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    scale[scale < LEAST_SPREAD] = np.inf
    return covariance / np.outer(scale, scale), moment / rows / scale, scale


def _limits(trends: Doubles, terms: int) -> _Limits:
    """Between what each coefficient must lie: none goes against a trend."""
    if not trends.any():
        return np.full(terms, -np.inf), np.full(terms, np.inf)
    return np.where(trends > 0, 0.0, -np.inf), np.where(trends < 0, 0.0, np.inf)


def _ridge(gram: Doubles, moment: Doubles, alpha: float, stop: Stop, limits: _Limits) -> Doubles:  # noqa: ARG001
    penalised = gram + alpha * np.eye(len(gram))
    if not np.isfinite(limits).any():
        return np.asarray(np.linalg.solve(penalised, moment), dtype=np.float64)
    from sklearn.linear_model import LinearRegression  # takes a while to import

    # Least squares whose Gram matrix this is; what may be below 0 is there twice, once turned round.
    root, (low, high) = np.linalg.cholesky(penalised), limits
    rises, falls = np.flatnonzero(high > 0), np.flatnonzero(low < 0)
    both = np.hstack([root.T[:, rises], -root.T[:, falls]])
    found = LinearRegression(positive=True, fit_intercept=False).fit(both, np.linalg.solve(root, moment)).coef_
    weights = np.zeros(len(gram))
    weights[rises] += found[: len(rises)]
    weights[falls] -= found[len(rises) :]
    return weights


def _lasso(gram: Doubles, moment: Doubles, alpha: float, stop: Stop, limits: _Limits) -> Doubles:
    """Minimises ½ wᵀGw - mᵀw + a·max|m|·‖w‖₁ by FISTA (Beck and Teboulle 2009, section 4), with restarts.

    From the Gram matrix alone, so that its time doesn't depend on the number of rows, and it can be stopped.
    """
    step = 1.0 / float(np.linalg.norm(gram, 2))
    limit = alpha * 0.1 * float(np.abs(moment).max(initial=0.0)) * step
    weights = ahead = np.zeros(len(moment))
    pace = 1.0
    for _ in range(600):
        if stop():
            break
        moved = ahead - step * (gram @ ahead - moment)
        fresh = np.clip(np.sign(moved) * np.maximum(np.abs(moved) - limit, 0.0), *limits)
        if (ahead - fresh) @ (fresh - weights) > 0:  # the momentum points uphill: start anew
            pace = 1.0
        faster = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        ahead = fresh + (pace - 1) / faster * (fresh - weights)
        done = float(np.abs(fresh - weights).max(initial=0.0)) < SETTLED
        weights, pace = fresh, faster
        if done:
            break
    return weights
