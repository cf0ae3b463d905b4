"""Small data whose truth is known."""

from collections.abc import Callable

import numpy as np
import pytest

from perfcast.datasets import Dataset
from perfcast.training.families import Lesson
from perfcast.workloads import Workload, workload_from_document

MakeLesson = Callable[..., Lesson]


@pytest.fixture(scope="session")
def workload() -> Workload:
    """A relative cost of four features, one of them a choice, and two derived quantities."""
    return workload_from_document(
        {
            "name": "copying",
            "cost": {"name": "copy_ms", "unit": "ms", "minimum": 0, "relative": True},
            "features": [
                {"name": "megabytes", "minimum": 0.01, "trend": "increasing"},
                {"name": "streams", "type": "integer", "minimum": 1},
                {"name": "medium", "type": "choice", "values": ["disk", "memory", "network"]},
                {"name": "page", "type": "integer", "minimum": 1},
            ],
            "derived": [
                {"name": "share", "expression": "megabytes / streams", "trend": "increasing"},
                {"name": "blocks", "expression": "ceil(megabytes / 4)", "trend": "increasing"},
            ],
        }
    )


def _rows(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    megabytes = np.exp(random.uniform(-2, 6, rows))
    streams = random.integers(1, 9, rows)
    medium = random.integers(0, 3, rows)
    cost = (0.2 + megabytes / np.minimum(streams, 4)) * np.array([3.0, 0.3, 8.0])[medium]
    features = np.stack([megabytes, streams, medium, np.full(rows, 4096)], axis=1).astype(np.float32)
    return features, (cost * np.exp(0.05 * random.standard_normal(rows))).astype(np.float32)


@pytest.fixture(scope="session")
def dataset(workload: Workload) -> Dataset:
    """1,500 rows with 5 % noise."""
    return Dataset("copies", workload, *_rows(1500, 0))


@pytest.fixture(scope="session")
def make_lesson(workload: Workload) -> MakeLesson:
    """Makes lessons, from as many rows as asked for."""

    def make(rows: int = 600, *, held: int = 200, seed: int = 0, columns: tuple[int, ...] | None = None) -> Lesson:
        features, cost = _rows(rows + held, 1)
        inputs, target = workload.inputs(features), np.log(cost)
        kept = list(columns if columns is not None else range(inputs.shape[1]))
        inputs = np.ascontiguousarray(inputs[:, kept])
        return Lesson(
            inputs=inputs[:rows],
            target=target[:rows],
            input_names=tuple(workload.input_names[position] for position in kept),
            trends=tuple(workload.trends[position] for position in kept),
            relative=True,
            seed=seed,
            validation=(inputs[rows:], target[rows:]) if held else None,
        )

    return make
