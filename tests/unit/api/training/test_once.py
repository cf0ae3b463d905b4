"""`POST /train` under an `Idempotency-Key`."""

import pytest
from starlette.testclient import TestClient
from tests.workers import small_dataset

from perfcast.api import Services
from perfcast.datasets import Datasets

NIGHT = {"Idempotency-Key": "night 7"}


@pytest.fixture(autouse=True)
def rows(client: TestClient, services: Services) -> None:
    assert client.get("/livez").status_code == 200
    Datasets(services.database, services.blobs).add(small_dataset(50))


def test_the_same_sent_again_is_answered_with_the_same_job(client: TestClient) -> None:
    first = client.post("/train", json={"n_trials": 20}, headers=NIGHT)
    again = client.post("/train", headers=NIGHT)  # which asks for the same, with its defaults left out
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["job_id"] == first.json()["job_id"]
    assert again.headers["location"] == first.headers["location"]
    assert client.get("/train/jobs").json()["total"] == 1
    assert client.post("/train").json()["job_id"] != first.json()["job_id"]


def test_it_is_also_when_what_it_named_is_no_longer_the_newest(client: TestClient, services: Services) -> None:
    first = client.post("/train", json={"dataset": "simulated"}, headers=NIGHT).json()
    Datasets(services.database, services.blobs).add(small_dataset(60))
    assert client.post("/train", json={"dataset": "simulated"}, headers=NIGHT).json()["job_id"] == first["job_id"]


def test_something_else_under_the_same_key_is_refused(client: TestClient) -> None:
    first = client.post("/train", json={"n_trials": 20}, headers=NIGHT).json()
    other = client.post("/train", json={"n_trials": 21}, headers=NIGHT)
    assert other.status_code == 409
    assert first["job_id"] in other.json()["detail"]
    assert "Idempotency-Key" in other.json()["detail"]


def test_a_key_that_is_too_long_is_named(client: TestClient) -> None:
    refused = client.post("/train", headers={"Idempotency-Key": "n" * 256})
    assert refused.status_code == 422
    assert "Idempotency-Key" in refused.json()["detail"]
