"""Versions over HTTP: uploads and deletion."""

import json
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient
from tests.drafts import draft, linear_graph, weighted

from perfcast.api import Services
from perfcast.api.models._answers import VersionAdded, VersionDeleted
from perfcast.registry import Registry
from perfcast.storage import schema
from perfcast.workloads import builtin_workloads

CPU = builtin_workloads()["cpu-utilization"]
LOAD: dict[str, Any] = {
    "request_rate": 100,
    "active_users": 60,
    "db_connections": 25,
    "timestamp": "2026-03-02T14:05:00Z",
}
GRAPH = weighted(CPU, request_rate=0.75)


def send(client: TestClient, name: str, graph: bytes = GRAPH, **manifest: Any) -> Any:
    files = {"graph": ("model.onnx", graph), "manifest": ("manifest.json", json.dumps(manifest))}
    return client.post(f"/models/{name}/versions", files=files)


def test_an_uploaded_version_is_a_candidate_until_it_is_activated_and_has_no_bounds(client: TestClient) -> None:
    response = send(client, "cpu-utilization", label="v1.3.0", note="from the lab")
    added = response.json()
    assert response.status_code == 201, added
    assert (added["model_version"], added["label"], added["type"], added["calibrated"]) == (3, "v1.3.0", "onnx", False)
    assert client.get(response.headers["location"]).json()["label"] == "v1.3.0"
    shown = client.get("/models/cpu-utilization").json()["versions"]
    assert [len(version["notes"]) for version in shown] == [0, 0, 1]
    assert shown[-1]["notes"][0].startswith("uploaded: its graph was checked for its shape")
    assert client.post("/predict", json=LOAD).json()["model_version"] == 1
    client.post("/models/cpu-utilization:v1.3.0/activate")
    answer = client.post("/predict", json=LOAD).json()
    assert (answer["cpu_utilization"], answer["lower"], answer["upper"]) == (75.0, None, None)


def test_a_new_model_is_made_with_its_workload_and_a_manifest_that_is_a_plain_field(client: TestClient) -> None:
    response = client.post(
        "/models/lab/versions",
        files={"graph": ("model.onnx", GRAPH)},
        data={"manifest": '{"workload": "cpu-utilization", "type": "xgboost", "ranges": {"request_rate": [0, 50]}}'},
    )
    assert response.status_code == 201, response.text
    answer = client.post("/predict", json={"model_name": "lab:1", "features": LOAD}).json()
    assert (answer["cpu_utilization"], answer["model_type"], answer["extrapolated"]) == (
        75.0,
        "xgboost",
        ["request_rate"],
    )


def test_a_whole_manifest_of_another_installation_brings_its_calibration(client: TestClient) -> None:
    manifest = msgspec.to_builtins(draft(CPU, GRAPH).manifest) | {"model": "theirs", "version": 7, "label": None}
    files = {"graph": ("model.onnx", GRAPH), "manifest": ("manifest.json", json.dumps(manifest))}
    added = client.post("/models/brought/versions", files=files).json()
    assert added["calibrated"] is True
    assert client.get("/models/brought:1/metrics").json()["metrics"]["mae"] == 1.5
    answer = client.post("/predict", json={"model_name": "brought:1", "features": LOAD}).json()
    assert (answer["lower"], answer["upper"]) == (71.0, 79.0)


def test_a_label_that_is_taken_is_409(client: TestClient) -> None:
    assert send(client, "cpu-utilization", label="v2.0").status_code == 201
    assert send(client, "cpu-utilization", label="v2.0").status_code == 409


@pytest.mark.parametrize(
    ("graph", "manifest", "field", "said"),
    [
        (b"nothing", {}, "graph", "no ONNX file"),
        (linear_graph([1.0] * 7), {}, "graph", "takes 7 features"),
        (linear_graph([1.0] * 8, cost="output"), {}, "graph", "must lead from 'features'"),
        (linear_graph([-1.0] * 8, operator="Log"), {}, "graph", "no finite cost"),
        (GRAPH, {"calibration": 3}, "manifest", "calibration"),
        (GRAPH, {"calibrated": True}, "manifest", "unknown field `calibrated`"),
        (GRAPH, {"workload": "cpu-utilisation"}, "manifest.workload", "did you mean 'cpu-utilization'"),
        (GRAPH, {"workload": {"name": "x"}}, "manifest.workload", "x"),
        (GRAPH, {"ranges": {"requests": [0, 1]}}, "manifest.ranges", "'requests' is no feature"),
        (GRAPH, {"ranges": {"request_rate": [2, 1]}}, "manifest.ranges", "not less"),
        (GRAPH, {"label": "3"}, "label", "number"),
        (GRAPH, {"type": "a b"}, "manifest", "type"),
    ],
)
def test_what_can_not_be_used_is_422_naming_the_part(
    client: TestClient, graph: bytes, manifest: dict[str, Any], field: str, said: str
) -> None:
    response = send(client, "cpu-utilization", graph, **manifest)
    assert response.status_code == 422, response.text
    (error,) = response.json()["errors"]
    assert error["field"] == field
    assert said in error["message"]
    assert client.get("/models/cpu-utilization").json()["versions"][-1]["version"] == 2


def test_a_new_model_needs_a_workload_and_an_old_one_keeps_its_own(client: TestClient) -> None:
    response = send(client, "unheard-of")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "manifest.workload")
    cnn = builtin_workloads()["cnn-execution-time"]
    response = send(client, "cpu-utilization", weighted(cnn, batch_size=1), workload="cnn-execution-time")
    assert response.status_code == 422
    assert "answers for 'cpu-utilization'" in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"content": GRAPH, "headers": {"content-type": "application/octet-stream"}}, "body"),
        ({"json": {"graph": "x"}}, "body"),
        ({"files": {"manifest": ("m.json", "{}")}}, "graph"),
        ({"files": {"graph": ("m.onnx", GRAPH), "grpah": ("m.onnx", GRAPH)}}, "grpah"),
        ({"content": b"--x", "headers": {"content-type": "multipart/form-data"}}, "body"),
        ({"content": b"none of it", "headers": {"content-type": "multipart/form-data; boundary=x"}}, "body"),
        ({"files": {"graph": ("m.onnx", GRAPH), "manifest": ("m.json", b"\xff{")}}, "manifest"),
        ({"files": {"graph": ("m.onnx", GRAPH)}, "data": {"manifest": "x" * 1_200_000}}, "body"),
    ],
)
def test_a_body_that_is_no_upload_is_422_and_says_how_to_send_one(
    client: TestClient, body: dict[str, Any], field: str
) -> None:
    response = client.post("/models/cpu-utilization/versions", **body)
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["field"] == field


def test_a_graph_may_be_larger_than_other_bodies_but_not_endless(client: TestClient) -> None:
    assert (
        send(client, "cpu-utilization", linear_graph([0.5] * 8) + b"\xa2\x06\xd0\x0f" + b" " * 2000).status_code == 201
    )
    response = send(client, "cpu-utilization", b"\0" * 20_000_001)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "graph")
    assert send(client, "cpu-utilization", b"\0" * 22_000_001).status_code == 413


def test_a_version_is_deleted_by_number_or_label(client: TestClient, registry: Registry) -> None:
    send(client, "cpu-utilization", label="v1.3.0")
    assert client.delete("/models/cpu-utilization/versions/v1.3.0").json()["model_version"] == 3
    assert client.delete("/models/cpu-utilization/versions/2").status_code == 200
    assert registry.model("cpu-utilization").versions == (1,)
    assert client.delete("/models/cpu-utilization/versions/2").status_code == 404
    assert client.delete("/models/nowhere/versions/1").status_code == 404
    assert client.delete("/models/nowhere/versions/v9.9").status_code == 404
    assert client.delete("/models/cpu-utilization/versions/0").status_code == 404
    assert client.delete("/models/cpu-utilization/versions/a b").status_code == 422
    assert send(client, "cpu-utilization").json()["model_version"] == 4


def test_a_version_that_an_alias_holds_is_not_deleted(client: TestClient) -> None:
    response = client.delete("/models/cpu-utilization/versions/1")
    assert response.status_code == 409
    assert "is champion; move that alias first" in response.json()["detail"]
    assert client.post("/predict", json=LOAD).json()["model_version"] == 1


def test_a_deleted_version_no_longer_answers(client: TestClient) -> None:
    body = {"model_name": "cpu-utilization:2", "features": LOAD}
    assert client.post("/predict", json=body).status_code == 200
    client.delete("/models/cpu-utilization/versions/2")
    assert client.post("/predict", json=body).status_code == 400


def test_answers_are_as_documented(client: TestClient) -> None:
    added, removed = send(client, "cpu-utilization"), client.delete("/models/cpu-utilization/versions/3")
    for model, answer in ((VersionAdded, added.json()), (VersionDeleted, removed.json())):
        assert model.model_validate(answer, strict=True).model_dump(exclude_unset=True) == answer


def test_a_version_whose_manifest_can_not_be_read_can_be_deleted(client: TestClient, services: Services) -> None:
    with services.database.begin() as connection:
        broken = schema.version.update().where(schema.version.c.number == 2).values(manifest="{}")
        connection.execute(broken)
    assert client.delete("/models/cpu-utilization/versions/2").status_code == 200
