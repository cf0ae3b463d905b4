"""One trace from the caller through the API, the job and its training process; one id in all their log lines."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest
from tests.collector import Collector, attributes, collector
from tests.contract.conftest import start
from tests.patience import PATIENCE_SECONDS, until
from tests.services import free_port
from tests.workers import Shop

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{CALLER}-01", "X-Request-ID": "what-the-caller-says"}
ROW = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}


@contextmanager
def installation(shop: Shop, **environment: str) -> Iterator[httpx2.Client]:
    """An API and a worker, logging to one file."""
    given = shop.settings.environment | {"LOG_FILE": str(shop.settings.data_dir / "perfcast.log")} | environment
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "LOG_FORMAT": "json"}
    server, address = start(shop.settings.data_dir, **given | {"API_PORT": "0"})
    words = [sys.executable, "-m", "perfcast", "worker"]
    worker = subprocess.Popen(words, env=os.environ | given | paths, stderr=subprocess.DEVNULL)
    try:
        with httpx2.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
            yield client
    finally:
        for process in (worker, server):
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE_SECONDS)


def train(shop: Shop, client: httpx2.Client) -> str:
    """Submit a quick job as a caller who traces; gives its id once its model answers."""
    asked = {"n_trials": 2, "families": ["polynomial"], "dataset": "simulated"}
    answer = client.post("/train", json=asked, headers=HEADERS)
    assert answer.status_code == 202, answer.text
    assert answer.json()["request_id"] == HEADERS["X-Request-ID"]
    job = shop.wait(shop.jobs.find(answer.json()["job_id"]), "succeeded")
    until(lambda: client.get("/readyz").status_code == 200)
    return job.id


@pytest.fixture
def received() -> Iterator[Collector]:
    with collector() as held:
        yield held


def test_spans_from_the_caller_to_the_training_process_form_one_trace(either_shop: Shop, received: Collector) -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": received.endpoint, "OTEL_METRIC_EXPORT_INTERVAL": "200"}
    with installation(either_shop, **environment) as client:
        job = train(either_shop, client)
        assert client.post("/predict", json=ROW).status_code == 200
        assert client.post("/predict", json=ROW, headers=HEADERS).status_code == 200
        until(lambda: received.named("job"))  # is exported when the training process has ended
    found = {span.name: span for span in received.spans if span.trace == TRACE}
    expected = {"POST /train", "job", "training process", "search", "final fits", "export", "register"}
    assert set(found) == expected | {"promotion gate", "POST /predict"}
    parents = {name: next((n for n, s in found.items() if s.id == span.parent), CALLER) for name, span in found.items()}
    assert parents == {
        "POST /train": CALLER,
        "job": "POST /train",
        "training process": "job",
        **dict.fromkeys(("search", "final fits", "export", "register", "promotion gate"), "training process"),
        "POST /predict": CALLER,
    }
    services = {name: span.service for name, span in found.items()}
    assert (services["POST /train"], services["job"]) == ("perfcast-api", "perfcast-worker")
    assert services["search"] == "perfcast-training"
    assert not [span for span in received.spans if span.failed]
    assert found["job"].attributes["perfcast.job"] == job
    assert found["POST /train"].attributes["http.response.status_code"] == 202
    assert len(received.named("POST /predict")) == 1  # the caller's who traces
    resource, metrics = received.pushes[-1]
    assert resource["service.name"] == "perfcast-api"
    predictions = {
        attributes(point.attributes)["status"]: point.as_double
        for point in metrics["ml_predictions_total"].sum.data_points
    }
    assert predictions == {"success": 2.0}


def test_log_lines_of_all_three_processes_have_the_callers_id_and_trace_without_a_collector(shop: Shop) -> None:
    with installation(shop) as client:
        job = train(shop, client)
    lines = [json.loads(line) for line in (shop.settings.data_dir / "perfcast.log").read_text().splitlines()]
    told = {line["event"]: line for line in lines if line.get("request_id") == HEADERS["X-Request-ID"]}
    of_each = [told[event] for event in ("job submitted", "job begun", "training begun")]
    assert {(line["job"], line["trace_id"]) for line in of_each} == {(job, TRACE)}


def test_a_collector_that_is_gone_or_silent_disturbs_nobody(shop: Shop) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        for port in (free_port(), silent.getsockname()[1]):
            environment = {
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
                "OTEL_METRIC_EXPORT_INTERVAL": "100",
                "OTEL_BSP_SCHEDULE_DELAY": "50",
                "OTEL_TRACES_SAMPLER": "always_on",
            }
            with installation(shop, **environment) as client:
                train(shop, client)
                for _ in range(100):
                    assert client.post("/predict", json=ROW, headers=HEADERS).status_code == 200
                ending = time.monotonic()
            assert time.monotonic() - ending < PATIENCE_SECONDS


def test_of_several_processes_on_a_port_one_pushes_what_all_counted(shop: Shop, received: Collector) -> None:
    environment = {
        "API_PROCESSES": "2",
        "OTEL_EXPORTER_OTLP_ENDPOINT": received.endpoint,
        "OTEL_METRIC_EXPORT_INTERVAL": "200",
    }
    with installation(shop, **environment) as client:
        train(shop, client)
        address = str(client.base_url)
        for _ in range(20):
            with httpx2.Client(
                base_url=address, timeout=PATIENCE_SECONDS
            ) as one:  # a connection each, so that both answer
                assert one.post("/predict", json=ROW).status_code == 200

        def counted() -> float:
            found = received.pushes[-1][1].get("ml_predictions_total") if received.pushes else None
            return sum(point.as_double for point in found.sum.data_points) if found else 0.0

        until(lambda: counted() == 20.0)
    assert len({resource["service.instance.id"] for resource, _ in received.pushes}) == 1
