"""Continuous training over HTTP."""

import pytest
from starlette.testclient import TestClient
from tests.workers import small_dataset

from perfcast.api import Services
from perfcast.datasets import Datasets

PATH = "/schedules/cpu-utilization"


@pytest.fixture(autouse=True)
def rows(client: TestClient, services: Services) -> None:
    assert client.get("/livez").status_code == 200
    Datasets(services.database, services.blobs).add(small_dataset(50))


def test_a_schedule_is_put_read_listed_and_deleted(client: TestClient) -> None:
    assert client.get(PATH).status_code == 404
    put = client.put(PATH, json={"cron": "0 3 * * *", "request": {"n_trials": 50, "families": ["polynomial"]}})
    assert put.status_code == 200
    shown = client.get(PATH).json()
    assert shown == put.json()
    assert (shown["model_name"], shown["cron"], shown["drift"], shown["enabled"]) == (
        "cpu-utilization",
        "0 3 * * *",
        False,
        True,
    )
    assert shown["minimum_interval_seconds"] == 3600
    assert shown["request"]["n_trials"] == 50
    assert shown["next_at"].endswith("T03:00:00.000000Z")
    listed = client.get("/schedules").json()
    assert (listed["total"], listed["schedules"]) == (1, [shown])
    assert client.get(f"{PATH}/history").json()["events"] == []
    assert client.delete(PATH).status_code == 204
    assert client.delete(PATH).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"cron": "0 25 * * *"}, "cron"),
        ({"cron": 3}, "cron"),
        ({}, "cron"),
        ({"new_rows": 0}, "new_rows"),
        ({"new_rows": "many"}, "new_rows"),
        ({"cron": "0 3 * * *", "minimum_interval_seconds": 0}, "minimum_interval_seconds"),
        ({"drift": True, "request": {"families": ["xgbost"]}}, "families"),
        ({"drift": True, "request": {"n_trials": 0}}, "n_trials"),
        ({"drift": True, "sometimes": True}, "sometimes"),
    ],
)
def test_what_is_wrong_is_named_in_problem_details(client: TestClient, body: dict[str, object], field: str) -> None:
    response = client.put(PATH, json=body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_an_unknown_model_is_404_and_the_closest_is_named(client: TestClient) -> None:
    for response in (
        client.put("/schedules/cpu-utilisation", json={"drift": True}),
        client.get("/schedules/cpu-utilisation/history"),
    ):
        assert response.status_code == 404
        assert "'cpu-utilization'" in response.json()["detail"]


def test_every_call_is_documented_with_examples(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {"get", "put", "delete"} <= paths["/schedules/{model}"].keys()
    examples = paths["/schedules/{model}"]["put"]["requestBody"]["content"]["application/json"]["examples"]
    for example in examples.values():
        assert client.put(PATH, json=example["value"]).status_code == 200
    for path in ("/schedules", "/schedules/{model}", "/schedules/{model}/history"):
        assert "example" in paths[path]["get"]["responses"]["200"]["content"]["application/json"]
    shown = paths["/schedules/{model}"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    null_in_the_example = {"signal", "signal_reason", "held_back"}  # which FastAPI leaves out of the document
    assert client.get(PATH).json().keys() - shown.keys() == null_in_the_example
