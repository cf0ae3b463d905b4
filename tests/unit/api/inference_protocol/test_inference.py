"""The Open Inference Protocol's calls, on a registry that the test fills."""

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.drafts import draft, linear_graph, weighted

from perfcast.api import Services
from perfcast.api.http._schemas import example_of
from perfcast.api.inference_protocol import _answers as examples
from perfcast.api.inference_protocol import _inference
from perfcast.api.inference_protocol._answers import ModelMetadata
from perfcast.monitoring import read_records
from perfcast.registry import Registry
from perfcast.settings import Settings, load_settings
from perfcast.workloads import Workload, builtin_workloads, workload_from_document

INFER = "/v2/models/cpu-utilization/infer"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, refresh_seconds=0.05, prediction_log_seconds=0.05, max_body_bytes=100_000)


def outputs(answer: dict[str, Any]) -> dict[str, list[Any]]:
    return {item["name"]: item["data"] for item in answer["outputs"]}


def matrix(*rows: list[float], name: str = "features") -> dict[str, Any]:
    data = [value for row in rows for value in row]
    return {"inputs": [{"name": name, "datatype": "FP64", "shape": [len(rows), len(rows[0])], "data": data}]}


ROW = [120.0, 60, 25, 0.5, 0.866, 0.2588, 0.9659, 1]


def test_the_documented_examples_are_answered_as_documented(client: TestClient) -> None:
    answer = client.post(INFER, json=examples.BY_COLUMNS).json()
    assert answer["parameters"].pop("prediction_id")
    expected = examples.RESPONSE | {"parameters": {"coverage": 0.95}}
    assert answer == expected | {"outputs": answer["outputs"]}
    assert outputs(answer) == {
        "cpu_utilization": [30, 60],
        "lower": [28, 56],
        "upper": [32, 64],
        "extrapolated": [False, False],
    }
    assert outputs(client.post(INFER, json=examples.BY_MATRIX).json()) == {"cpu_utilization": [30, 60]}
    described = client.get("/v2/models/cpu-utilization").json()
    assert described["inputs"][:2] == example_of(ModelMetadata)["inputs"]
    assert [item["name"] for item in described["outputs"]] == ["cpu_utilization", "lower", "upper", "extrapolated"]


def test_both_ways_to_give_inputs_and_predict_agree(client: TestClient) -> None:
    names = client.get("/v2/models/cpu-utilization").json()["inputs"][0]["parameters"]["columns"].split(",")
    row = [77.7, 12, 3, 0.1, -0.2, 0.3, -0.4, 0]
    columns = [
        {"name": name, "datatype": "FP64", "shape": [1, 1], "data": [[value]]}
        for name, value in zip(names, row, strict=True)
    ]
    by_columns = outputs(client.post(INFER, json={"inputs": columns}).json())
    assert by_columns == outputs(client.post(INFER, json=matrix(row)).json())
    predicted = client.post("/predict", json=dict(zip(names, row, strict=True))).json()
    assert by_columns["cpu_utilization"][0] == pytest.approx(predicted["cpu_utilization"], rel=1e-6)
    assert by_columns["upper"][0] == pytest.approx(predicted["upper"], rel=1e-6)


@pytest.mark.parametrize("version", ["2", "02", "v2", "blue"])
def test_a_version_is_named_by_number_or_label(client: TestClient, registry: Registry, version: str) -> None:
    workload = builtin_workloads()["cpu-utilization"]
    if version == "blue":
        registry.add("cpu-utilization", draft(workload, weighted(workload, request_rate=0.1)), label="blue")
    answer = client.post(f"/v2/models/cpu-utilization/versions/{version}/infer", json=matrix(ROW)).json()
    expected = ("3", 12) if version == "blue" else ("2", 60)
    assert (answer["model_version"], outputs(answer)["cpu_utilization"][0]) == (expected[0], pytest.approx(expected[1]))
    assert client.get(f"/v2/models/cpu-utilization/versions/{version}/ready").json()["ready"] is True


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("nowhere", 404, "unknown model 'nowhere'"),
        ("cpu-utilizatio", 404, "did you mean 'cpu-utilization'"),
        ("cpu-utilization/versions/9", 404, "unknown version"),
        ("cpu-utilization/versions/a:b", 404, "unknown model"),
        ("1", 404, "/v2/models/NAME/versions/VERSION"),
        ("cpu-utilization:1", 404, "/v2/models/NAME/versions/VERSION"),
        ("no champion", 404, "unknown model"),
        ("idle", 503, "has no champion"),
    ],
)
def test_a_model_that_can_not_answer_is_told(
    client: TestClient, registry: Registry, path: str, status: int, message: str
) -> None:
    workload = builtin_workloads()["cpu-utilization"]
    registry.add("idle", draft(workload, weighted(workload, request_rate=1)))
    for answer in (
        client.get(f"/v2/models/{path}"),
        client.get(f"/v2/models/{path}/ready"),
        client.post(f"/v2/models/{path}/infer", json=matrix(ROW)),
    ):
        assert (answer.status_code, message in answer.json()["error"]) == (status, True), answer.text


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"inputs": []}, "give one tensor for each feature, or one named 'features'"),
        (matrix(ROW[:-1]), "features: must have shape [rows, 8]"),
        (matrix(ROW, [-1, *ROW[1:]]), "request_rate: must be at least 0, got -1 (row 1, counted from 0)"),
        (matrix([1e308, *ROW[1:]]), "request_rate"),
        (matrix([*ROW[:1], 1.5, *ROW[2:3], 7, *ROW[4:]]), "hour_sin: must be between -1 and 1"),
        (matrix(ROW, name="request_rate"), "request_rate: must have shape [rows] or [rows, 1]"),
        (matrix(ROW) | {"outputs": [{"name": "nothing"}]}, "is no output; there are cpu_utilization, lower"),
        (matrix(ROW) | {"parameters": {"coverage": 0.7}}, "coverage: expected one of 0.5, 0.8"),
        (
            matrix(ROW) | {"parameters": {"coverage": 0.99}, "outputs": [{"name": "lower"}]},
            "lower: this version promises no interval at coverage 0.99",
        ),
        ({"inputs": [*matrix(ROW)["inputs"], *examples.BY_COLUMNS["inputs"]]}, "no other tensor may stand beside it"),
        ({"inputs": examples.BY_COLUMNS["inputs"][1:]}, "request_rate: is required"),
        ({"inputs": [{"name": "features", "datatype": "FP32", "shape": [0, 8], "data": []}]}, "at least one row"),
    ],
)
def test_bad_input_is_400_and_named(client: TestClient, document: Any, message: str) -> None:
    answer = client.post(INFER, json=document)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert message in answer.json()["error"]
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    ("name", "datatype", "data", "message"),
    [
        ("request_rate", "FP64", "[120, null]", "request_rate: 'data'[1] is null, but FP64 holds finite numbers"),
        ("request_rate", "FP64", "[NaN, 240]", "request_rate: 'data'[0] is NaN, but FP64 holds finite numbers"),
        ("request_rate", "FP32", "[120, 1e999]", "request_rate: 'data'[1] is Infinity, but FP32 holds finite"),
        ("request_rate", "INT64", "[[120], [1.5]]", "request_rate: 'data'[1][0] is 1.5, but INT64 holds whole numbers"),
        ("request_rate", "FP32", "true", "request_rate: 'data' must be a list, or a list of rows, of finite numbers"),
        ("request_rate", "5", "[120, 240]", "request_rate: datatype must be one of BOOL"),
        ("request_rate", "BYTES", '["a", NaN]', "request_rate: 'data'[1] is NaN, but BYTES holds texts"),
        ("request_rate", "FP32", '[1, 2], "shape": ["two"]', "request_rate: is no tensor: Expected `int`, got `str`"),
        ("input__0", "FP32", "[120, 240]", "input__0: is no input of cpu-utilization; give 'features' [rows, 8], or"),
        ("input__0", "FP32", "[[120, 60], [1, 2]]", "one each for request_rate, active_users, db_connections"),
    ],
)
def test_what_is_wrong_with_a_tensor_is_told_by_its_name(
    client: TestClient, name: str, datatype: str, data: str, message: str
) -> None:
    shape = [2, 2] if data.count("], [") and "60" in data else [2, 1] if data.count("], [") else [2]
    wrong = f'{{"name": "{name}", "shape": {shape}, "datatype": "{datatype}", "data": {data}}}'
    rest = ", ".join(map(json.dumps, examples.BY_COLUMNS["inputs"][1:]))
    answer = client.post(INFER, content=f'{{"inputs": [{rest}, {wrong}]}}')
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, name)
    assert message in answer.json()["error"]


@pytest.mark.parametrize(
    ("encoding", "body", "status", "message"),
    [
        (
            "gzip",
            gzip.compress(b" " * 2_000_000, mtime=0),
            413,
            "larger than the 100,000 bytes that MAX_BODY_BYTES allows",
        ),
        (
            "gzip",
            gzip.compress(b"{}", mtime=0)[:-9],
            400,
            "body: can't be unpacked as its Content-Encoding says: it is cut off",
        ),
        ("deflate", zlib.compress(b"{}") + b"x", 400, "it goes on behind its end"),
        ("gzip", b"{}", 400, "body: can't be unpacked"),
        ("br", b"{}", 415, "'br', and only gzip or deflate, once, is unpacked"),
        ("gzip, gzip", b"{}", 415, "only gzip or deflate, once"),
    ],
)
def test_a_body_that_can_not_be_unpacked_is_refused(
    client: TestClient, encoding: str, body: bytes, status: int, message: str
) -> None:
    answer = client.post(INFER, content=body, headers={"Content-Encoding": encoding})
    assert (answer.status_code, message in answer.json()["error"]) == (status, True), answer.text


def test_other_routes_unpack_nothing(client: TestClient) -> None:
    for path in ("/predict", "/predict/batch", "/v2/repository/index"):
        answer = client.post(path, content=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})
        assert (answer.status_code, "none is unpacked" in answer.json()["error"]) == (415, True)


def test_the_index_names_the_versions_that_can_not_answer(
    client: TestClient, registry: Registry, services: Services
) -> None:
    workload = builtin_workloads()["cpu-utilization"]
    registry.add("broken", draft(workload, b"no graph"))
    services.follower.refresh()  # what failed to load is forgotten when the registry has changed
    known = [("cpu-utilization", "1", "READY"), ("cpu-utilization", "2", "READY")]
    assert client.get("/v2/models/broken/versions/1/ready").status_code == 503
    index = client.post("/v2/repository/index").json()
    assert [(entry["name"], entry["version"], entry["state"]) for entry in index] == [
        ("broken", "1", "UNAVAILABLE"),
        *known,
    ]
    assert "broken:1" in index[0]["reason"]
    ready = client.post("/v2/repository/index", json={"ready": True}).json()
    assert [(entry["name"], entry["version"], entry["state"]) for entry in ready] == known
    refused = client.post("/v2/repository/index", json={"ready": "yes"})
    assert (refused.status_code, 'such as {"ready": true}' in refused.json()["error"]) == (400, True)


def test_a_version_without_calibration_has_no_bounds(client: TestClient, registry: Registry) -> None:
    workload = builtin_workloads()["cpu-utilization"]
    registry.add("plain", draft(workload, weighted(workload, request_rate=0.1), calibrated=False))
    registry.point("plain", "champion", 1)
    assert list(outputs(client.post("/v2/models/plain/infer", json=matrix(ROW)).json())) == [
        "cpu_utilization",
        "extrapolated",
    ]
    assert len(client.get("/v2/models/plain").json()["outputs"]) == 2


def chosen_workload() -> Workload:
    features = [
        {"name": "size", "type": "number", "minimum": 0, "maximum": 10},
        {"name": "half", "type": "number", "default": "size / 2"},
        {"name": "kind", "type": "choice", "values": ["small", "große"]},
    ]
    cost = {"name": "seconds", "unit": "s", "minimum": 0}
    return workload_from_document({"name": "chosen", "features": features, "cost": cost})


def test_choices_are_texts_and_what_has_a_default_may_be_left_out(client: TestClient, registry: Registry) -> None:
    registry.add("chosen", draft(chosen_workload(), linear_graph([1.0, 10.0, 100.0])))
    registry.point("chosen", "champion", 1)
    size = {"name": "size", "datatype": "UINT8", "shape": [2], "data": [2, 4]}
    kind = {"name": "kind", "datatype": "BYTES", "shape": [2], "data": ["große", "small"]}
    answer = client.post("/v2/models/chosen/infer", json={"inputs": [size, kind]}).json()
    assert outputs(answer)["seconds"] == [112, 24]
    refused = client.post("/v2/models/chosen/infer", json={"inputs": [size, kind | {"data": ["große", "huge"]}]})
    assert "kind: expected one of small, große" in refused.json()["error"]


def test_the_last_columns_of_the_matrix_may_be_left_out_where_they_have_defaults(
    client: TestClient, registry: Registry
) -> None:
    workload = builtin_workloads()["cnn-execution-time"]
    registry.add("times", draft(workload, linear_graph([float(10**at) if at in (5, 10) else 0 for at in range(15)])))
    registry.point("times", "champion", 1)
    whole = [1.0, 3, 8, 8, 4, 3, 1, 1, 1, 1, 3, 1, 1, 1, 1]
    answers = [
        outputs(client.post("/v2/models/times/infer", json=matrix(whole[:count])).json())["execution_time_ms"]
        for count in (6, 10, 15)
    ]
    assert answers[0] == answers[1] == answers[2]
    for wrong, words in (
        (whole[:5], "features: must have shape [rows, 15]"),
        ([*whole, 1], "features: must have shape [rows, 15]"),
        ([*whole[:5], 9, 1, 0, 1, 1], "kernel_size: the kernel (dilated) must not be higher"),
    ):
        assert words in client.post("/v2/models/times/infer", json=matrix(wrong)).json()["error"]


def test_each_row_counts_and_few_rows_are_recorded(client: TestClient, services: Services) -> None:
    single = client.post(INFER, json=matrix(ROW)).json()["parameters"]["prediction_id"]
    several = client.post(INFER, json=matrix(ROW, ROW, ROW)).json()["parameters"]["prediction_id"]
    client.post(INFER, json=matrix(*[ROW] * 101))
    client.post(INFER, json={})
    assert services.tally.predictions == {("cpu-utilization", "success"): 105, ("cpu-utilization", "error"): 1}
    assert services.records is not None
    services.records.flush()
    with services.database.begin() as connection:
        names = [record.id for record in read_records(connection)]
    assert sorted(names) == sorted([single, *(f"{several}-{row}" for row in range(3))])


def test_many_rows_are_answered_in_order(client: TestClient) -> None:
    rows = [[float(number), *ROW[1:]] for number in range(1000)]
    document = matrix(*rows) | {"outputs": [{"name": "cpu_utilization"}]}
    answer = client.post(INFER, json=document)
    assert len(answer.request.content) > _inference._INLINE
    assert outputs(answer.json())["cpu_utilization"] == [number / 4 for number in range(1000)]
