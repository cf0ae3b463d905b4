"""The first predecessor's training calls, literally, and the rest of the training contract, with a real worker."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.contract.conftest import fill, start
from tests.contract.test_process import HEAVY
from tests.patience import PATIENCE_SECONDS, until
from tests.workers import QUICK, Shop, small_dataset, start_worker, stop

from perfcast.settings import load_settings

MILLISECONDS = {"job_poll_seconds": 0.2, "job_heartbeat_seconds": 0.3}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server and a worker over one folder with rows to learn from."""
    folder = tmp_path_factory.mktemp("trained")
    fill(folder)
    settings = load_settings(data_dir=folder, **QUICK | MILLISECONDS)
    shop = Shop(settings)
    shop.datasets.add(small_dataset(400))
    shop.close()
    server, url = start(folder)
    worker = start_worker(settings)
    yield url
    stop(worker)
    stop(server)  # type: ignore[arg-type]


@pytest.fixture
def client(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
        yield client


def wait(client: httpx2.Client, job_id: str, *statuses: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = client.get(f"/jobs/{job_id}").json()
        return job if job["status"] in statuses else None

    return until(look, 90)


def test_the_training_job_of_the_first_readme(address: str) -> None:
    response = httpx2.post(f"{address}/train", json={"n_trials": 20})
    job_id = response.json()["job_id"]
    assert response.status_code == 202
    assert response.json()["status"] == "queued"

    response = httpx2.get(f"{address}/jobs/{job_id}")
    assert response.json().keys() >= {
        "job_id", "status", "progress", "trial", "n_trials", "best_score", "best_family", "eta_seconds", "created_at",
        "started_at", "finished_at", "attempt", "error", "model_version",
    }  # fmt: skip
    assert (response.json()["n_trials"], response.json()["model_name"]) == (20, "cpu-utilization")
    assert httpx2.get(f"{address}/train/status/{job_id}").json()["job_id"] == job_id
    assert job_id in [job["job_id"] for job in httpx2.get(f"{address}/train/jobs").json()["jobs"]]
    assert httpx2.post(f"{address}/train/cancel/{job_id}").status_code == 202
    with httpx2.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
        assert wait(client, job_id, "cancelled")["finished_at"].endswith("Z")
        assert client.post(f"/train/cancel/{job_id}").status_code == 409


def test_a_job_ends_with_a_version_and_its_events_tell_the_way(client: httpx2.Client) -> None:
    body = {"n_trials": 3, "families": ["polynomial", "xgboost"], "model_name": "fresh", "dataset": "simulated"}
    submitted = client.post("/train", json=body)
    job_id = submitted.json()["job_id"]
    assert submitted.headers["location"] == f"/jobs/{job_id}"
    seen: list[dict[str, Any]] = []
    with client.stream("GET", f"/jobs/{job_id}/events", timeout=90) as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in events.iter_lines() if line]
    assert lines[-2:] == ["event: done", "data: {}"]
    seen = [json.loads(line[6:]) for line in lines if line.startswith("data: ") and len(line) > 10]
    assert seen[-1]["status"] == "succeeded"
    assert {"running", "succeeded"} <= {job["status"] for job in seen}
    assert [job["progress"] for job in seen] == sorted(job["progress"] for job in seen)
    one, other = client.get(f"/jobs/{job_id}").json(), client.get(f"/train/status/{job_id}").json()
    assert one == other == seen[-1]
    assert client.get("/models/fresh").json()["champion"] == one["model_version"]
    assert [trial["trial"] for trial in one["trials"]] == [1, 2, 3]


def test_jobs_are_listed_newest_first_by_page_and_status(client: httpx2.Client) -> None:
    ids = [client.post("/train", json={"model_name": "listed"}).json()["job_id"] for _ in range(3)]
    for job_id in ids:
        client.post(f"/train/cancel/{job_id}")
        wait(client, job_id, "cancelled")
    query = {"model_name": "listed", "status": "cancelled", "limit": 2}
    first = client.get("/train/jobs", params=query).json()
    second = client.get("/train/jobs", params=query | {"offset": 2}).json()
    assert [job["job_id"] for job in first["jobs"] + second["jobs"]] == ids[::-1]
    assert first["total"] == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"n_trials": 0}, "n_trials"),
        ({"n_trials": "20"}, "n_trials"),
        ({"trials": 20}, "trials"),
        ({"families": ["xgbost"]}, "families"),
        ({"workload": "cpu"}, "workload"),
        ({"workload": "cnn-execution-time"}, "dataset"),
        ({"dataset": "nowhere"}, "dataset"),
        ({"model_name": "a/b"}, "model_name"),
        ({"model_name": "xgb_prediction-training-gpul40s", "dataset": "simulated"}, "model_name"),
        ({"timeout_seconds": -1}, "timeout_seconds"),
        ({"metric": "r2"}, "metric"),
        ({"promote": "always"}, "promote"),
        ({"seed": -1}, "seed"),
    ],
)
def test_a_wrong_field_is_named(client: httpx2.Client, body: dict[str, Any], field: str) -> None:
    response = client.post("/train", json=body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["errors"][0]["field"] == field
    assert field in response.json()["detail"]


def test_a_body_sent_by_curl_without_a_content_type_is_read_as_json(client: httpx2.Client) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    response = client.post("/train", content=b'{"n_trials": 0}', headers=form)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "n_trials"


def test_an_unknown_job_is_404_everywhere(client: httpx2.Client) -> None:
    for method, path in (
        ("GET", "/jobs/none"),
        ("GET", "/train/status/none"),
        ("GET", "/jobs/none/events"),
        ("POST", "/train/cancel/none"),
    ):
        response = client.request(method, path)
        assert (response.status_code, "'none'" in response.json()["detail"]) == (404, True)


def test_an_empty_body_means_all_defaults(client: httpx2.Client) -> None:
    response = client.post("/train")
    assert response.status_code == 202
    assert response.json()["n_trials"] == 20
    client.post(f"/train/cancel/{response.json()['job_id']}")


ASK = """
import json, sys
from starlette.testclient import TestClient
from perfcast.api import create_app
from perfcast.settings import load_settings
with TestClient(create_app(load_settings())) as client:
    job = client.post("/train", json={"n_trials": 20})
    client.get("/jobs/" + job.json()["job_id"])
print(json.dumps([job.status_code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def test_taking_a_job_imports_no_training_library(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    shop = Shop(settings)
    shop.datasets.add(small_dataset(50))
    shop.close()
    environment = os.environ | settings.environment | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 202
    assert HEAVY.isdisjoint(modules)


def test_without_rows_the_answer_says_what_to_do(tmp_path: Path) -> None:
    fill(tmp_path)
    server, url = start(tmp_path)
    response = httpx2.post(f"{url}/train", json={"n_trials": 20})
    stop(server)  # type: ignore[arg-type]
    assert response.status_code == 422
    assert "perfcast data import" in response.json()["detail"]


def test_the_document_shows_examples_of_every_training_call(client: httpx2.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert paths["/train"]["post"]["requestBody"]["content"]["application/json"]["examples"]["trials"]["value"] == {
        "n_trials": 20
    }
    for path in ("/train/status/{job_id}", "/jobs/{job_id}", "/train/jobs"):
        assert paths[path]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    assert "text/event-stream" in paths["/jobs/{job_id}/events"]["get"]["responses"]["200"]["content"]
