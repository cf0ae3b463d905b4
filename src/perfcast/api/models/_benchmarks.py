"""How quickly a version answers, measured beside live traffic without holding it up."""

import time
from asyncio import get_running_loop
from typing import Any

import msgspec
import numpy as np

from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._problems import Overloaded
from perfcast.errors import InvalidInput
from perfcast.serving import AnswerCache, Follower, Predictor

_ROWS = 64
_SLICE_SECONDS = 0.002
_PAUSE_SECONDS = 0.002
_LARGEST = 1e6


class Benchmarks:
    """Runs benchmarks, one at a time, and remembers what came of them, by version and number of iterations."""

    def __init__(self, follower: Follower, answers: AnswerCache) -> None:
        self._follower = follower
        self._answers = answers
        self._revision = follower.routes.revision
        self._running = False

    async def run(self, reference: str, iterations: int, *, fresh: bool) -> dict[str, Any]:
        """Measure a version by so many rows, or say what was measured before, unless it shall be `fresh`.

        Raises:
            NotFound: There is no such model or version.
            NoUsableModel: It can't answer.
            Overloaded: Another benchmark runs.
        """
        in_thread = get_running_loop().run_in_executor
        predictor = await in_thread(None, self._follower.reach, reference)
        question = f"benchmark:{iterations}"
        version = predictor.version.manifest.graph.sha256
        known = None if fresh else await in_thread(None, self._known, version, question)
        if known is not None:
            found: dict[str, Any] = msgspec.json.decode(known)
            return found | {"cached": True}
        if self._running:
            raise Overloaded("a benchmark runs already; ask again when it has ended")
        self._running = True
        try:
            result = await in_thread(None, measure, predictor, iterations)
            await in_thread(None, self._answers.put, version, question, msgspec.json.encode(result))
        finally:
            self._running = False
        return result | {"cached": False}

    def _known(self, version: str, question: str) -> bytes | None:
        routes = self._follower.routes
        if routes.revision != self._revision:
            self._answers.keep({slot.version.manifest.graph.sha256 for slot in routes.slots})
            self._revision = routes.revision
        return self._answers.get(version, question)


def measure(predictor: Predictor, iterations: int) -> dict[str, Any]:
    """Predict rows like those it has learnt from, one after another, in short slices with pauses between.

    The pauses give the interpreter to the thread that answers live traffic; they are in no latency.
    """
    rows = _rows(predictor)
    took: list[int] = []
    failed = 0
    until = time.monotonic() + _SLICE_SECONDS
    for number in range(iterations):
        begin = time.perf_counter_ns()
        try:
            predictor.answer(rows[number % len(rows)])
        except InvalidInput:
            failed += 1
        took.append(time.perf_counter_ns() - begin)
        if time.monotonic() > until:
            time.sleep(_PAUSE_SECONDS)
            until = time.monotonic() + _SLICE_SECONDS
    return _result(predictor, np.array(took) / 1e6, failed)


def _result(predictor: Predictor, milliseconds: Any, failed: int) -> dict[str, Any]:
    p50, p95, p99 = np.percentile(milliseconds, [50, 95, 99])
    average, low, high = (float(value) for value in (milliseconds.mean(), milliseconds.min(), milliseconds.max()))
    latencies = {"avg": average, "min": low, "max": high, "p50": p50, "p95": p95, "p99": p99}
    metrics = predictor.version.manifest.metrics
    return {
        "model_name": predictor.model,
        "model_version": predictor.number,
        "iterations": len(milliseconds),
        "successful_predictions": len(milliseconds) - failed,
        **{f"{name}_latency_ms": round(float(value), 6) for name, value in latencies.items()},
        "predictions_per_second": round(1000 / average, 1),
        "metrics": None if metrics is None else msgspec.to_builtins(metrics),
        "timestamp": timestamp(),
    }


def _rows(predictor: Predictor) -> list[list[float]]:
    """Rows that it has learnt from, where it keeps some; else from between the bounds of the trained range."""
    kept = predictor.version.manifest.reference
    if kept is not None and kept.background:
        return [list(row) for row in kept.background]
    ranges = predictor.version.manifest.ranges
    columns = []
    draw = np.random.default_rng(0)
    for feature in predictor.workload.features:
        low, high = ranges.get(feature.name, (max(feature.minimum, -_LARGEST), min(feature.maximum, _LARGEST)))
        values = low + (high - low) * draw.random(_ROWS)
        columns.append(np.rint(values) if feature.whole else values)
    rows: list[list[float]] = np.stack(columns, axis=1).tolist()
    return rows
