"""The second README's folder of models, given to a real worker and a real API process by `MODELS_DIR`."""

import importlib.util
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import joblib
import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from tests.contract.conftest import start
from tests.contract.test_second_readme import REQUEST
from tests.patience import PATIENCE_SECONDS, until
from tests.unit.discovery.test_confinement import ATTEMPTS, Code
from tests.workers import start_worker, stop

from perfcast.settings import load_settings

MAKE = Path(__file__).parents[2] / "examples" / "predecessor_models" / "make.py"
README_INPUTS = [
    "batch_size",
    "input_channels",
    "input_height",
    "input_width",
    "output_channels",
    "kernel_size",
    "stride",
]
TYPES = {
    "nn_best_model": "neural_network",
    "nn_prediction-training-cpu": "neural_network",
    "nn_prediction-training-gpul40s": "neural_network",
    "poly_best_lasso_model": "polynomial",
    "rf_prediction-training-cpu": "random_forest",
    "rf_prediction-training-gpul40s": "random_forest",
    "xgb_prediction-training-cpu": "xgboost",
    "xgb_prediction-training-gpul40s": "xgboost",
}
_ENOUGH_SECONDS = 45
"""To convert a file: one that has nothing wrong takes less on a crowded machine, too."""
NAMED = "poly_best_ridge_model"
"""Reads three inputs, which a model.yaml names."""
BAD = {
    "bad/best_evil_model.joblib": "secrets: []",
    "bad/best_few_model.joblib": "it reads 5 inputs, not the 7 of cnn-execution-time nor 8 with padding",
    "bad/best_link_model.joblib": "is a link that leaves the folder of models",
    "bad/best_junk_model.pth": "PyTorch can't read it",
    "bad/best_slow_model.joblib": f"longer than the {_ENOUGH_SECONDS} s that MODELS_CONVERT_SECONDS allows",
    "cut/best_xgb_model.joblib": "can't be loaded",
    "yaml/best_wrong_model.joblib": "model.yaml names 2 inputs, but the model reads 7",
}


@dataclass(frozen=True)
class Place:
    """A folder of models with all that can be in one, and what watches over it."""

    root: Path
    folder: Path
    client: httpx2.Client
    make: ModuleType

    @property
    def markers(self) -> list[Path]:
        """Left by code that should not have been able to."""
        return sorted(self.root.glob("marker*"))

    def models(self) -> dict[str, Any]:
        return dict(self.client.get("/models").json())

    def ask(self, model: str, row: np.ndarray) -> dict[str, Any]:
        config = dict(zip(README_INPUTS, map(int, row), strict=True))
        response = self.client.post("/predict", json={"model_name": model, "cnn_config": config})
        assert response.status_code == 200, response.text
        return dict(response.json())


def loaded_make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("predecessor_models", MAKE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def add_others(folder: Path, root: Path) -> None:
    """What else lies about in such folders, and what should not."""
    for name in ("bad", "cut", "yaml", "named"):
        (folder / name).mkdir()
    random = np.random.default_rng(0)
    rows = random.integers(1, 64, (60, 7)).astype(np.float64)
    cost = 5 + rows @ np.arange(1, 8)
    shutil.copy(folder / "prediction-training-cpu/nn/output/best_model.pth", folder / "bad/best_model_fold_1.pth")
    shutil.copy(folder / "prediction-training-cpu/nn/output/best_model.pth", folder / "bad/best_fold_1_model.pth")
    (folder / "bad/best_junk_model.pth").write_bytes(b"junk")
    forest = folder / "prediction-training-cpu/xgboost/best_xgb_model.joblib"
    (folder / "cut/best_xgb_model.joblib").write_bytes(forest.read_bytes()[:-500])
    joblib.dump(LinearRegression().fit(rows[:, :5], cost), folder / "bad/best_few_model.joblib")
    joblib.dump(LinearRegression().fit(rows, cost), folder / "yaml/best_wrong_model.joblib")
    (folder / "yaml/model.yaml").write_text("inputs: [batch_size, stride]")
    joblib.dump(LinearRegression().fit(rows[:, :3], cost), folder / "named/best_ridge_model.joblib")
    (folder / "named/model.yaml").write_text("inputs: [kernel_area, batch_size, stride]")
    attempts = ATTEMPTS.replace("PORT", "9").replace("MARKER", str(root / "marker-named"))
    joblib.dump(Code(attempts), folder / "bad/best_evil_model.joblib")
    joblib.dump(Code("import time; time.sleep(600)"), folder / "bad/best_slow_model.joblib")
    unnamed = root / "unnamed"
    unnamed.mkdir()
    joblib.dump(Code(f"open({str(root / 'marker-unnamed')!r}, 'w')"), unnamed / "best_evil_model.joblib")
    (folder / "bad/best_link_model.joblib").symlink_to(unnamed / "best_evil_model.joblib")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("predecessor")
    folder, make = root / "CNN_Algorithms", loaded_make()
    make.make(folder, rows=400, trees=15, epochs=5)
    add_others(folder, root)
    data = root / "var"
    data.mkdir()
    settings = load_settings(
        data_dir=data, models_dir=folder, models_poll_seconds=0.2, models_convert_seconds=_ENOUGH_SECONDS
    )
    process, address = start(data)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SECRET_TOKEN", "s3cret")
        worker = start_worker(settings, root / "worker.log")
    try:
        fresh = httpx2.Limits(max_keepalive_connections=0)  # a busy server may close one that has waited for long
        with httpx2.Client(base_url=address, timeout=60, limits=fresh) as client:
            held = Place(root, folder, client, make)
            until(lambda: len(held.models()["not_loaded"]) == len(BAD) and held.models()["total_models"] == 9, 300)
            until(lambda: all(model["loaded"] for model in held.models()["models"].values()))
            yield held
    finally:
        stop(worker)
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


def test_every_model_has_its_name_type_and_inputs(place: Place) -> None:
    models = place.models()["models"]
    assert {name: model["type"] for name, model in models.items()} == TYPES | {NAMED: "polynomial"}
    for name in TYPES:
        assert models[name]["input_features"] == README_INPUTS
    assert models[NAMED]["input_features"] == ["kernel_area", "batch_size", "stride"]
    assert list(models) == sorted(models)


def test_what_could_not_be_loaded_is_told_with_its_reason(place: Place) -> None:
    reasons = {item["path"]: item["reason"] for item in place.models()["not_loaded"]}
    assert reasons.keys() == BAD.keys()
    for path, reason in BAD.items():
        assert reason in reasons[path]
    evil = reasons["bad/best_evil_model.joblib"]
    assert "came through" not in evil
    assert evil.count("Error'") == 7


def test_no_code_of_a_file_did_anything(place: Place) -> None:
    assert place.markers == []


def original(place: Place, path: str) -> Callable[[np.ndarray], np.ndarray]:
    """The model's own answer, by the library that made it."""
    file = place.folder / path
    if file.suffix == ".joblib":
        answer: Callable[[np.ndarray], np.ndarray] = joblib.load(file).predict
        return answer
    network = place.make.Network()
    network.load_state_dict(torch.load(file, weights_only=True))

    def run(rows: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            given: np.ndarray = network(torch.tensor(rows, dtype=torch.float32)).numpy().ravel()
        return given

    return run


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("nn_prediction-training-cpu", "prediction-training-cpu/nn/output/best_model.pth"),
        ("nn_prediction-training-gpul40s", "prediction-training-gpul40s/nn/output/best_model.pth"),
        ("nn_best_model:v1.2.0", "models/v1.2.0/best_model.pth"),
        ("xgb_prediction-training-cpu", "prediction-training-cpu/xgboost/best_xgb_model.joblib"),
        ("xgb_prediction-training-gpul40s", "prediction-training-gpul40s/xgboost/best_xgb_model.joblib"),
        ("rf_prediction-training-cpu", "prediction-training-cpu/rdf/best_rf_model.joblib"),
        ("rf_prediction-training-gpul40s", "prediction-training-gpul40s/rdf/best_rf_model.joblib"),
        ("poly_best_lasso_model", "polynomial-regression/best_lasso_model.joblib"),
    ],
)
def test_answers_equal_the_originals(place: Place, model: str, path: str) -> None:
    rows = place.make.measured()[0][1000:1040]
    expected = np.clip(original(place, path)(rows), 0, None)
    served = np.array([place.ask(model, row)["execution_time_ms"] for row in rows])
    scale = np.maximum(expected, 1e-3 * np.max(expected))  # answers are rounded, and float32 has no digits near 0
    assert np.max(np.abs(served - expected) / scale) < 1e-4
    assert np.unique(served).size > 5


def test_the_readmes_calls_work_as_they_stand(place: Place) -> None:
    answer = place.client.post("/predict", headers={"Content-Type": "application/json"}, content=REQUEST).json()
    shown = ["execution_time_ms", "model_name", "model_type", "prediction_timestamp", "status"]
    assert list(answer)[:5] == shown
    assert (answer["model_name"], answer["model_type"]) == ("xgb_prediction-training-gpul40s", "xgboost")
    assert answer["status"] == "success"
    assert (answer["lower"], answer["upper"], answer["extrapolated"]) == (None, None, [])
    model = place.client.get("/models/xgb_prediction-training-gpul40s").json()
    assert model["type"] == "xgboost"
    assert model["input_features"] == README_INPUTS
    assert place.client.get("/health").json()["models_loaded"] == 9
    batch = place.client.post("/predict/batch", content=b"[" + REQUEST + b"]").json()
    assert (batch["total_requests"], batch["successful_predictions"]) == (1, 1)
    assert batch["results"][0]["execution_time_ms"] == answer["execution_time_ms"]
    measured = place.client.get("/benchmark/xgb_prediction-training-gpul40s?iterations=100").json()
    assert (measured["iterations"], measured["successful_predictions"]) == (100, 100)
    assert measured["min_latency_ms"] <= measured["avg_latency_ms"] <= measured["max_latency_ms"]
    text = place.client.get("/metrics").text
    assert 'ml_predictions_total{model_name="xgb_prediction-training-gpul40s",status="success"}' in text


def test_each_converted_file_is_one_log_line(place: Place) -> None:
    lines = [json.loads(line) for line in (place.root / "worker.log").read_text().splitlines() if line[:1] == "{"]
    converted = [line["model"] for line in lines if line["event"] == "model converted"]
    assert {*TYPES, NAMED} <= set(converted)
    failed = {line["path"] for line in lines if line["event"] == "model can't be converted"}
    assert failed == BAD.keys()


def test_a_changed_file_answers_without_a_restart(place: Place) -> None:
    path = "prediction-training-cpu/rdf/best_rf_model.joblib"
    row = place.make.measured()[0][1000]
    before = place.ask("rf_prediction-training-cpu", row)
    rows = np.random.default_rng(1).integers(1, 64, (60, 7)).astype(np.float64)
    fresh = place.folder / "fresh"
    joblib.dump(LinearRegression().fit(rows, 7 + rows @ np.arange(1, 8)), fresh)
    os.replace(fresh, place.folder / path)  # noqa: PTH105 - as an operator's tool does
    answer = until(lambda: _if_version(place.ask("rf_prediction-training-cpu", row), before["model_version"] + 1), 120)
    assert answer["model_type"] == "polynomial"
    assert answer["execution_time_ms"] == pytest.approx(7 + row @ np.arange(1, 8), rel=1e-4)


def _if_version(answer: dict[str, Any], version: int) -> dict[str, Any] | None:
    return answer if answer["model_version"] == version else None
