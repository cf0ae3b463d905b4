"""Rows of convolutions, and files of models as bytes."""

import io
from collections.abc import Callable
from typing import Any

import joblib
import numpy as np
import pytest

from perfcast.discovery._converter import Converted, Order
from perfcast.discovery.conversion._convert import convert
from perfcast.workloads import builtin_workloads

Convert = Callable[..., Converted]


@pytest.fixture(scope="session")
def rows() -> np.ndarray:
    """Configurations in the README's order with padding, float64 [rows, 8]."""
    random = np.random.default_rng(0)
    choices = ([1, 8, 32, 64], [3, 16, 64, 256], [14, 28, 56, 224], [14, 28, 56, 224], [16, 64, 256], [1, 3, 5], [1, 2])
    columns = [random.choice(values, 400) for values in choices]
    columns.append((columns[5] - 1) // 2)
    return np.stack(columns, axis=1).astype(np.float64)


@pytest.fixture(scope="session")
def cost(rows: np.ndarray) -> np.ndarray:
    """Milliseconds: never near 0, so that relative differences mean something."""
    work = rows[:, 0] * rows[:, 1] * rows[:, 2] * rows[:, 3] * rows[:, 4] * rows[:, 5] ** 2 / rows[:, 6] ** 2
    answer: np.ndarray = 5 + 40 * (work / work.max()) ** 0.3
    return answer


@pytest.fixture(scope="session")
def to_graph() -> Convert:
    """Convert bytes in this process, as the converting process does."""

    def run(file: str, data: bytes, **beside: bytes) -> Converted:
        cpu, cnn, *_ = builtin_workloads().values()
        files = {file: data} | {name.replace("__", "."): content for name, content in beside.items()}
        order = Order(file, files, [cnn.document(), cpu.document()], unconfined=True, parent=0)
        return convert(order, lambda: None)

    return run


def dumped(value: Any) -> bytes:
    """As joblib saves it."""
    buffer = io.BytesIO()
    joblib.dump(value, buffer)
    return buffer.getvalue()


def all_features(rows: np.ndarray) -> np.ndarray:
    """The workload's 15 features of rows in the README's order, with the usual padding: float32 [rows, 15]."""
    padding = (rows[:, 5] - 1) // 2
    ones = np.ones(len(rows))
    square = [rows[:, 5], rows[:, 6], padding, padding, padding]
    return np.column_stack([rows[:, :7], padding, ones, ones, *square]).astype(np.float32)
