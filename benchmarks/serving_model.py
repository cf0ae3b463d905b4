"""The one model that every server of `serving.py` serves: 300 trees of depth 6 on the features of `cpu-utilization`.

    .venv/bin/python benchmarks/serving_model.py FOLDER

writes `model.onnx`, which the baselines load, and registers the same graph, with intervals, in a Perfcast installation
whose DATA_DIR is FOLDER/var.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xgboost

from perfcast.datasets import Dataset
from perfcast.export import Target
from perfcast.registry import CHAMPION, Registry
from perfcast.settings import load_settings
from perfcast.storage import Blobs, Database
from perfcast.training import Trained, draft
from perfcast.training.families._xgboost import FittedXGBoost
from perfcast.workloads import Workload, builtin_workloads

ROWS = 20_000
MODEL = "cpu-utilization"


def make(folder: Path, *, rounds: Sequence[int] = (300,)) -> None:
    """Fit the model, write its graph and register it; the first becomes the champion.

    Args:
        folder: Made where it isn't there.
        rounds: Trees of each version; the graph that is written is the first one's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    workload = builtin_workloads()[MODEL]
    dataset = _dataset(workload)
    split = dataset.split()
    inputs, cost = workload.inputs(split.train.features), split.train.cost
    models = [Trained(workload, "xgboost", _fit(inputs, cost, n), Target()) for n in rounds]
    drafts = [draft(workload, dataset, split, model) for model in models]
    (folder / "model.onnx").write_bytes(drafts[0].graph)
    settings = load_settings(data_dir=folder / "var")
    database = Database(settings.database_address)
    database.migrate()
    registry = Registry(database, Blobs(settings.artifacts_address))
    versions = registry.add_all(MODEL, drafts, dataset=dataset.name)
    registry.point(MODEL, CHAMPION, versions[0].number)
    database.close()


def _dataset(workload: Workload) -> Dataset:
    """Features anywhere, and a cost that depends on some of them."""
    random = np.random.default_rng(0)
    load = random.uniform(0, (400, 300, 100), (ROWS, 3))
    clock = random.uniform(-1, 1, (ROWS, 4))
    features = np.column_stack([load, clock, random.integers(0, 2, ROWS)]).astype(np.float32)
    cost = 0.12 * features[:, 0] + (features[:, 1] / 60) ** 2 + 3 * features[:, 3] * features[:, 4]
    cost = np.clip(cost + random.normal(0, 1, ROWS), 0, 100)
    return Dataset("serving-benchmark", workload, features, cost.astype(np.float32))


def _fit(inputs: np.ndarray, cost: np.ndarray, rounds: int) -> FittedXGBoost:
    matrix = xgboost.DMatrix(inputs, cost)
    booster = xgboost.train({"max_depth": 6, "nthread": 1}, matrix, num_boost_round=rounds)
    return FittedXGBoost({"max_depth": 6, "rounds": rounds}, inputs.shape[1], booster)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
