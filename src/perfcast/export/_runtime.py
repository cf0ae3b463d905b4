"""Running a graph once, outside any server: for evaluation, parity and measurement."""

import platform
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import onnx

from perfcast.errors import Refused
from perfcast.manifest import GraphFacts, Parity
from perfcast.sessions import Costs, open_session, row_us
from perfcast.sessions import run as run_in
from perfcast.sessions import run_with_spread as run_in_with_spread
from perfcast.workloads import Rows

LARGEST_DIFFERENCE = 1e-4
"""Relative difference between graph and native model that is still taken as the same (rule R3)."""
LEAST_SCALE = 0.01
"""Where errors are judged absolutely, a cost below this share of the largest is compared as if it were that large:
float32 sums near 0 differ by what the large terms in them were rounded by."""
_LIBRARIES = ("perfcast", "numpy", "onnx", "onnxruntime", "xgboost-cpu", "xgboost", "scikit-learn", "torch", "optuna")

Predict = Callable[[Rows], Rows]


def run(graph: bytes, features: Rows) -> Rows:
    """The cost of each row, float32 [rows], of float32 [rows, features], by what `compose` returned."""
    return run_in(open_session(graph), features)


def run_with_spread(graph: bytes, features: Rows) -> Costs:
    """The cost of each row and, where the graph has one, its spread; otherwise as `run`."""
    return run_in_with_spread(open_session(graph), features)


def check_parity(graph: bytes, predict: Predict, features: Rows, *, relative: bool = True) -> Parity:
    """Compare graph and native model (rule R3).

    Args:
        graph: What `compose` returned.
        predict: The native model, from float32 [rows, features] to float32 [rows].
        features: The rows to compare on: held-out ones and some beside the thresholds of trees.
        relative: Whether the cost's errors are judged relative to it; else `LEAST_SCALE` holds near 0.

    Returns:
        The worst and the 99.9th-percentile relative difference.

    Raises:
        Refused: They differ by more than `LARGEST_DIFFERENCE` somewhere.
    """
    native = predict(features).astype(np.float64)
    served = run(graph, features).astype(np.float64)
    least = float(np.abs(native).max(initial=0.0)) * (1e-9 if relative else LEAST_SCALE)
    scale = np.maximum(np.abs(native), max(least, float(np.finfo(np.float32).tiny)))
    difference = np.abs(served - native) / scale
    if not np.isfinite(difference).all():
        raise Refused("parity: graph or native model gave a cost that is not a finite number")
    worst = float(difference.max(initial=0.0))
    if worst > LARGEST_DIFFERENCE:
        row = int(difference.argmax())
        raise Refused(
            f"parity: graph and native model differ by {worst:.2e} relative (allowed {LARGEST_DIFFERENCE:.0e}), "
            f"{served[row]:g} against {native[row]:g} on {features[row].tolist()}"
        )
    return Parity(rows=len(features), worst=worst, p999=float(np.quantile(difference, 0.999)))


def measure(graph: bytes, features: Rows, native: Predict | None = None, *, repeats: int = 300) -> GraphFacts:
    """Size and single-row time of a graph.

    Args:
        graph: What `compose` returned.
        features: float32 [rows, features]; rows are taken one after another.
        native: The native model, to be timed beside it (with a tenth of the repeats).
        repeats: How many rows to time.
    """
    model = onnx.load_model_from_string(graph)
    session = open_session(graph)
    opset = next((item.version for item in model.opset_import if item.domain in ("", "ai.onnx")), 0)
    return GraphFacts(
        sha256=sha256(graph).hexdigest(),
        bytes=len(graph),
        opset=opset,
        ir=model.ir_version,
        row_us=row_us(partial(run_in, session), features, repeats),
        native_row_us=row_us(native, features, max(1, repeats // 10)) if native else None,
    )


def libraries() -> dict[str, str]:
    """Versions of Python and of those libraries that models are made with and that are installed."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
