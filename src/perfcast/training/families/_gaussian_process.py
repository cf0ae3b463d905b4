"""A Gaussian process: what few rows tell beyond a base, the less the farther a row is from them.

Its kernel is a constant, a line and a radial part over all inputs (Rasmussen and Williams 2006, "Gaussian Processes for
Machine Learning", equations 2.25 and 4.9): with ten rows it is little more than a constant, with more it bends.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.training.families._family import Settings
from perfcast.training.families._smooth_inputs import Doubles
from perfcast.training.families._soft_inputs import LIMIT, SoftInputs
from perfcast.workloads import Rows

USUAL = {"constant": 0.1, "line": 0.02, "radial": 0.02, "reach": 1.0, "noise": 0.01}
"""Variances of logarithms, and the distance at which rows are alike, before there are rows: those of devices' times
beside a model of other devices (benchmarks/devices.py)."""
ITERATIONS = 60


@dataclass(frozen=True)
class FittedProcess:
    """A fitted process.

    Attributes:
        soft: Scaling of the inputs.
        known: The scaled rows that it learnt from, float64 [rows, kept].
        weights: Of each of them, float64 [rows].
        kernel: What `USUAL` names, as the rows made it.
    """

    soft: SoftInputs
    known: Doubles
    weights: Doubles
    kernel: Mapping[str, float]

    def predict(self, inputs: Rows) -> Rows:
        """The expected target, float32 [rows]."""
        return np.asarray(_covariance(self.kernel, _scaled(self.soft, inputs), self.known) @ self.weights, np.float32)

    def graph(self) -> onnx.ModelProto:
        """The same in a graph."""
        inputs = spox.argument(spox.Tensor(np.float32, ("rows", "inputs")))
        rows = op.mul(op.cast(self.soft.node(inputs), to=np.float64), _constant(np.array(LIMIT)))
        kernel, width = self.kernel, self.known.shape[1]
        line = self.known.T @ self.weights * kernel["line"] / width
        flat = op.add(
            op.matmul(rows, _constant(line[:, None])), _constant(np.array([kernel["constant"] * self.weights.sum()]))
        )
        squares = op.reduce_sum(op.mul(rows, rows), op.constant(value=np.array([1], dtype=np.int64)), keepdims=1)
        crossed = op.matmul(rows, _constant(-2 * self.known.T))
        apart = op.add(op.add(squares, crossed), _constant((self.known**2).sum(axis=1)[None, :]))
        near = op.exp(op.mul(apart, _constant(np.array(-0.5 / (width * kernel["reach"] ** 2)))))
        bent = op.matmul(near, _constant(kernel["radial"] * self.weights[:, None]))
        return spox.build({"inputs": inputs}, {"target": op.cast(op.add(flat, bent), to=np.float32)})

    @property
    def settings(self) -> Settings:
        """The kernel."""
        return dict(self.kernel)

    def details(self) -> dict[str, Any]:
        """How many rows it holds."""
        return {"rows": len(self.known)}

    def thresholds(self) -> Mapping[int, Rows]:
        """None."""
        return {}


def fit_process(soft: SoftInputs, inputs: Rows, target: Rows) -> FittedProcess:
    """Fit few rows: the most likely kernel, held near the usual one, and the weights.

    Args:
        soft: Scaling, learnt from more rows than these.
        inputs: float32 [rows, inputs]; some hundreds at most, since the time grows with their cube.
        target: float32 [rows].
    """
    from scipy.optimize import minimize

    known, wanted = _scaled(soft, inputs), target.astype(np.float64)
    usual = np.log(list(USUAL.values()))

    def unlikeliness(logs: Doubles) -> float:
        """Minus the logarithm of the marginal likelihood (equation 5.8), and of a log-normal prior."""
        root = np.linalg.cholesky(_noisy(_named(logs), known))
        white = np.linalg.solve(root, wanted)
        return float(0.5 * white @ white + np.log(np.diag(root)).sum() + 0.5 * ((logs - usual) ** 2).sum())

    found = minimize(unlikeliness, usual, method="L-BFGS-B", bounds=[(u - 5, u + 5) for u in usual],
                     options={"maxiter": ITERATIONS})  # fmt: skip
    kernel = _named(found.x)
    weights = np.linalg.solve(_noisy(kernel, known), wanted).astype(np.float64)
    return FittedProcess(soft, known, weights, kernel)


def _named(logs: Doubles) -> dict[str, float]:
    return dict(zip(USUAL, np.exp(logs).tolist(), strict=True))


def _scaled(soft: SoftInputs, inputs: Rows) -> Doubles:
    """In deviations, as far as `LIMIT` of them."""
    return LIMIT * soft(inputs).astype(np.float64)


def _noisy(kernel: Mapping[str, float], known: Doubles) -> Doubles:
    return _covariance(kernel, known, known) + kernel["noise"] * np.eye(len(known))


def _covariance(kernel: Mapping[str, float], rows: Doubles, known: Doubles) -> Doubles:
    """Between rows [rows, kept] and known ones [known, kept]: float64 [rows, known]."""
    crossed, width = rows @ known.T, known.shape[1]
    apart = (rows**2).sum(axis=1)[:, None] + (known**2).sum(axis=1)[None, :] - 2 * crossed
    near = np.exp(-0.5 * apart / (width * kernel["reach"] ** 2))
    return np.asarray(kernel["constant"] + kernel["line"] / width * crossed + kernel["radial"] * near)


def _constant(values: Doubles) -> spox.Var:
    return op.constant(value=np.asarray(values, np.float64))
