"""XGBoost's own files, and ONNX."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import xgboost
from onnx import TensorProto, helper
from tests.unit.discovery.conftest import Convert, all_features

from perfcast.errors import Refused
from perfcast.export import run


@pytest.fixture
def booster(rows: np.ndarray, cost: np.ndarray) -> xgboost.Booster:
    return xgboost.train({"max_depth": 4, "nthread": 1}, xgboost.DMatrix(rows[:, :7], cost), 25)


@pytest.mark.parametrize("kind", ["ubj", "json"])
def test_a_native_booster_is_read(kind: str, booster: xgboost.Booster, rows: np.ndarray, to_graph: Convert) -> None:
    converted = to_graph(f"best_xgb_model.{kind}", bytes(booster.save_raw(kind)))
    assert converted.family == "xgboost"
    expected = booster.inplace_predict(rows[:, :7])
    np.testing.assert_allclose(run(converted.graph, all_features(rows)), expected, rtol=1e-4)


def test_a_saved_regressor_keeps_its_best_round(
    rows: np.ndarray, cost: np.ndarray, to_graph: Convert, tmp_path: Path
) -> None:
    noisy = cost + np.random.default_rng(1).normal(0, 2, len(cost))
    model = xgboost.XGBRegressor(n_estimators=200, learning_rate=0.5, early_stopping_rounds=5, n_jobs=1)
    model.fit(rows[:300, :7], noisy[:300], eval_set=[(rows[300:, :7], noisy[300:])], verbose=False)
    model.save_model(tmp_path / "saved.ubj")
    converted = to_graph("best_xgb_model.ubj", (tmp_path / "saved.ubj").read_bytes())
    assert f"{model.best_iteration + 1} trees" in converted.original
    expected = np.clip(model.predict(rows[:, :7]), 0, None)
    np.testing.assert_allclose(run(converted.graph, all_features(rows)), expected, rtol=1e-4, atol=1e-6)


def test_names_within_the_file_decide_the_order(rows: np.ndarray, cost: np.ndarray, to_graph: Convert) -> None:
    order = [5, 6, 0, 1, 2, 3, 4]
    names = ["Kernel Size", "stride", "batch_size", "input_channels", "input_height", "input-width", "output_channels"]
    matrix = xgboost.DMatrix(rows[:, order], cost, feature_names=names)
    booster = xgboost.train({"max_depth": 4, "nthread": 1}, matrix, 25)
    converted = to_graph("best_xgb_model.ubj", bytes(booster.save_raw("ubj")))
    assert converted.inputs[:2] == ("kernel_size", "stride")
    np.testing.assert_allclose(run(converted.graph, all_features(rows)), booster.predict(matrix), rtol=1e-4)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"booster": "gblinear"}, "gblinear"),
        ({"booster": "dart"}, "dart"),
        ({"objective": "reg:logistic"}, "objective"),
    ],
)
def test_other_boosters_are_refused(
    settings: dict[str, str], reason: str, rows: np.ndarray, cost: np.ndarray, to_graph: Convert
) -> None:
    booster = xgboost.train(settings | {"nthread": "1"}, xgboost.DMatrix(rows[:, :7], cost / 100), 3)
    with pytest.raises(Refused, match=reason):
        to_graph("best_xgb_model.json", bytes(booster.save_raw("json")))


@pytest.mark.parametrize(
    ("file", "data"), [("best_model.json", b'{"a": 1}'), ("best_model.json", b"junk"), ("best_model.ubj", b"junk")]
)
def test_what_is_no_booster_is_refused_in_a_line(file: str, data: bytes, to_graph: Convert) -> None:
    with pytest.raises(Refused, match=r"^XGBoost can't read it: .+") as refused:
        to_graph(file, data)
    assert "\n" not in str(refused.value)


def linear(width: int, *, kind: int = TensorProto.FLOAT, outputs: int = 1) -> bytes:
    """The sum of all inputs, in an older operator set."""
    array = np.ones((width, outputs), dtype=np.float64 if kind == TensorProto.DOUBLE else np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["X", "weights"], ["variable"])],
        "sum",
        [helper.make_tensor_value_info("X", kind, [None, width])],
        [helper.make_tensor_value_info("variable", kind, [None, outputs])],
        [onnx.numpy_helper.from_array(array, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.DOUBLE])
def test_an_onnx_file_is_taken_in_whole(kind: int, rows: np.ndarray, to_graph: Convert) -> None:
    converted = to_graph("best_nn_model.onnx", linear(7, kind=kind))
    assert converted.family is None
    np.testing.assert_allclose(run(converted.graph, all_features(rows)), rows[:, :7].sum(axis=1), rtol=1e-5)


def test_other_graphs_are_refused(to_graph: Convert) -> None:
    with pytest.raises(Refused, match="reads 9 inputs"):
        to_graph("best_model.onnx", linear(9))
    with pytest.raises(Refused, match=r"gives .* numbers for"):
        to_graph("best_model.onnx", linear(7, outputs=3))


def test_model_yaml_names_the_inputs_of_other_counts(rows: np.ndarray, to_graph: Convert) -> None:
    hints = b"inputs: [batch_size, kernel_area, output_channels]"
    converted = to_graph("best_model.onnx", linear(3), model__yaml=hints)
    assert converted.inputs == ("batch_size", "kernel_area", "output_channels")
    expected = rows[:, 0] + rows[:, 5] ** 2 + rows[:, 4]
    np.testing.assert_allclose(run(converted.graph, all_features(rows)), expected, rtol=1e-6)


def test_model_yaml_may_name_another_workload(to_graph: Convert) -> None:
    hints = b"{inputs: [request_rate, active_users], workload: cpu-utilization}"
    converted = to_graph("best_model.onnx", linear(2), model__yaml=hints)
    assert converted.workload == "cpu-utilization"
    row = np.array([[30, 20, 5, 0, 1, 0, 1, 1]], dtype=np.float32)
    assert run(converted.graph, row).tolist() == [50.0]


@pytest.mark.parametrize(
    ("hints", "reason"),
    [
        (b"inputs: [batch_size]", "names 1 inputs, but the model reads 3"),
        (b"inputs: [batch_size, kernel, stride]", "has no kernel; it has batch_size"),
        (b"{inputs: [batch_size, stride, groups], workload: gpu}", "unknown workload 'gpu'"),
        (b"names: [batch_size]", "model.yaml: .*expected 'inputs:'"),
        (b"- - :", "model.yaml"),
    ],
)
def test_a_model_yaml_that_does_not_fit_is_refused(hints: bytes, reason: str, to_graph: Convert) -> None:
    with pytest.raises(Refused, match=reason):
        to_graph("best_model.onnx", linear(3), model__yaml=hints)


def test_unknown_names_are_not_guessed_at(rows: np.ndarray, cost: np.ndarray, to_graph: Convert) -> None:
    names = ["batch", "channels", "height", "width", "filters", "kernel", "stride"]
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows[:, :7], cost, feature_names=names), 3)
    with pytest.raises(Refused, match="its inputs are called batch, channels"):
        to_graph("best_xgb_model.ubj", bytes(booster.save_raw("ubj")))
