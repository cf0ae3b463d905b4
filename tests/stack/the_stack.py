"""Everything in docker-compose.yml at work, asked as its users ask: through nginx. `make test-stack` starts it."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import expect
from tests.browser import Faults, chromium
from tests.patience import until
from tests.stack.engine import (
    API,
    BODY,
    COMPOSE,
    ROOT,
    Load,
    containers,
    engine,
    first_process,
    remove,
    wait_for_replicas,
)

SERVICES = os.environ.get("STACK_SERVICES", "").split()
"""Those to start; none named: all."""
PORTS = {"HTTP": 80, "UI": 8501, "PROMETHEUS": 9090, "ALERTMANAGER": 9093}
SITE, UI, PROMETHEUS, ALERTMANAGER = (
    f"http://localhost:{os.environ.get(f'PORT_{name}', port)}" for name, port in PORTS.items()
)
MINUTES = 60.0
STARTERS = (
    "cpu-utilization", "cnn-execution-time-cpu-torch", "cnn-execution-time-cpu-onnxruntime",
    "operator-execution-time-cpu-torch", "operator-execution-time-cpu-onnxruntime",
)  # fmt: skip
CNN = {"batch_size": 32, "input_channels": 3, "input_height": 224, "input_width": 224}
CNN |= {"output_channels": 64, "kernel_size": 3, "stride": 1}


def compose(*arguments: str) -> str:
    """What the documented command prints."""
    done = subprocess.run([*COMPOSE, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def api() -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=API, timeout=60) as client:
        yield client


def ready(client: httpx2.Client) -> bool:
    """Whether a replica is ready to answer."""
    try:
        return client.get("/readyz").status_code == 200
    except httpx2.HTTPError:
        return False


@pytest.fixture(scope="module", autouse=True)
def begun(api: httpx2.Client) -> None:
    """The starter models are made and served."""
    until(lambda: ready(api) and all(map(api.get("/models").json()["models"].get, STARTERS)), 10 * MINUTES)


@pytest.fixture(scope="module")
def three(begun: None) -> int:
    """Three replicas of the API, as the documentation starts them."""
    compose("up", "-d", "--no-build", "--scale", "ml-api=3", *SERVICES)
    until(lambda: len(answering()) == 3, 5 * MINUTES)
    return 3


def answering() -> list[str]:
    """The replicas that Prometheus reaches."""
    asked = httpx2.get(f"{PROMETHEUS}/api/v1/query", params={"query": 'up{job="perfcast"} == 1'}, timeout=10)
    return [series["metric"]["instance"] for series in asked.json()["data"]["result"]]


def load() -> Load:
    """Callers who ask through nginx all the time."""
    return Load(lambda: httpx2.Client(base_url=API, timeout=60))


def test_health_knows_the_database_the_queue_and_the_artifacts(api: httpx2.Client) -> None:
    health = until(lambda: (told := api.get("/health").json())["status"] == "healthy" and told)
    assert {"database", "redis", "artifacts"} <= set(health["dependencies"])


def test_a_prediction_comes_by_both_ways(api: httpx2.Client) -> None:
    for url in (f"{API}/predict", f"{SITE}/api/predict"):
        answer = httpx2.post(url, json=BODY, timeout=60).json()
        assert 0 < answer["cpu_utilization"] < 100
        assert answer["status"] == "success"


def test_a_batch_is_answered(api: httpx2.Client) -> None:
    bodies = [
        {"model_name": "cnn-execution-time-cpu-torch", "cnn_config": CNN},
        BODY,
        {"model_name": "nobody", "cnn_config": CNN},
    ]
    answer = api.post("/predict/batch", json=bodies).json()
    assert (answer["total_requests"], answer["successful_predictions"]) == (3, 2)


def test_the_readmes_ab_call_works_as_it_stands(tmp_path: Path) -> None:
    payload = tmp_path / "test_payload.json"
    payload.write_text(json.dumps({"model_name": "cnn-execution-time-cpu-torch", "cnn_config": CNN}))
    command = ["ab", "-n", "1000", "-c", "10", "-T", "application/json", "-p", "test_payload.json", f"{API}/predict"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert re.search(r"Complete requests:\s+1000\b", told), told
    if failed := re.search(r"\(Connect: (\d+), Receive: (\d+), Length: \d+, Exceptions: (\d+)\)", told):
        assert failed.groups() == ("0", "0", "0"), told  # another length is another figure in the answer
    assert "Non-2xx" not in told


def test_three_replicas_share_the_work(three: int) -> None:
    wait_for_replicas(three)


def test_a_job_trains_and_its_version_answers(three: int, api: httpx2.Client) -> None:
    job = api.post("/train", json={"n_trials": 4, "model_name": "by-the-stack", "promote": "never"}).json()["job_id"]
    done = until(lambda: _over(api, job), 10 * MINUTES)
    assert done["status"] == "succeeded", done
    assert api.post(f"/models/by-the-stack:{done['model_version']}/activate").status_code == 200
    until(lambda: api.post("/predict", json={**BODY, "model_name": "by-the-stack"}).status_code == 200)


def test_a_job_is_cancelled(three: int, api: httpx2.Client) -> None:
    job = api.post("/train", json={"n_trials": 1000, "model_name": "never-made"}).json()["job_id"]
    until(lambda: api.get(f"/jobs/{job}").json()["status"] == "running", 2 * MINUTES)
    assert api.post(f"/train/cancel/{job}").status_code == 202
    assert until(lambda: _over(api, job))["status"] == "cancelled"


def _over(api: httpx2.Client, job: str) -> dict[str, Any] | None:
    told = api.get(f"/jobs/{job}").json()
    return told if told["status"] in {"succeeded", "failed", "cancelled"} else None


@pytest.mark.parametrize("address", [SITE, UI], ids=["port 80", "port 8501"])
def test_the_pages_work_in_a_browser(address: str) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(1_000 * MINUTES)
        faults = Faults(page)
        page.goto(address)
        expect(page.get_by_role("heading", name="Predict").first).to_be_visible()
        page.get_by_role("link", name="Capacity").click()
        expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()
        page.get_by_role("link", name="Models").click()
        expect(page.get_by_text("cpu-utilization").first).to_be_visible()
        assert faults.found == []


def test_the_documented_commands_work(three: int) -> None:
    assert "total" in compose("exec", "-T", "ml-api", "ls", "-la", "/app/CNN_Algorithms/")
    assert "perfcast" in compose("exec", "-T", "ml-api", "top", "-b", "-n", "1")
    assert "loaded successfully" in compose("logs", "ml-api")
    assert "prediction_latency" in compose("logs", "ml-api")
    assert httpx2.get(f"{PROMETHEUS}/metrics", timeout=10).status_code == 200
    assert httpx2.get(f"{ALERTMANAGER}/-/ready", timeout=10).status_code == 200


def test_containers_are_not_root_and_write_only_where_they_may(three: int) -> None:
    for service in ("ml-api", "worker", "ui", "nginx"):
        told = engine("exec", containers(service)[0], "sh", "-c", "id -u; touch /app/x /usr/x 2>&1 || true")
        assert told.splitlines()[0] == "10001", service
        assert told.count("Read-only") == 2 or service == "nginx", told


LEFTOVERS = """
for program in gcc cc g++ make ld git uv curl wget; do command -v $program; done
for folder in /root/.cache /wheels /app/.git; do [ ! -e $folder ] || echo $folder; done
find /var/lib/apt/lists /var/cache/apt -type f
true
"""


@pytest.mark.parametrize("service", ["ml-api", "worker", "ui"])
def test_images_hold_no_compiler_cache_or_password(service: str, three: int) -> None:
    (container, *_) = containers(service)
    assert "/python" in engine("exec", container, "sh", "-c", LEFTOVERS + "command -v python")
    assert engine("exec", container, "sh", "-c", LEFTOVERS) == ""
    told = engine("inspect", "--format", "{{json .Config.Env}}", container)
    assert "SETTINGS_DIR=/run/secrets" in told
    assert not re.search(r"perfcast:perfcast|PASSWORD|admin123", told), told


def test_what_is_kept_is_backed_up_and_put_back_as_documented(three: int, api: httpx2.Client, tmp_path: Path) -> None:
    before = api.post("/predict", json=BODY).json()["cpu_utilization"]
    run = [*COMPOSE, "run", "--rm", "--no-deps", "-T", "worker"]
    compose("exec", "-T", "worker", "perfcast", "backup", "/app/var/perfcast.backup")
    kept = subprocess.run(
        [*COMPOSE, "exec", "-T", "worker", "cat", "/app/var/perfcast.backup"], check=True, capture_output=True, cwd=ROOT
    ).stdout
    compose("exec", "-T", "worker", "rm", "/app/var/perfcast.backup")
    later = api.post("/train", json={"n_trials": 1000, "model_name": "after-the-backup"}).json()["job_id"]
    api.post(f"/train/cancel/{later}")
    until(lambda: _over(api, later))
    compose("stop", "ml-api", "worker")
    subprocess.run([*run, "sh", "-c", "cat > /app/var/perfcast.backup"], input=kept, check=True, cwd=ROOT)
    subprocess.run([*run, "perfcast", "restore", "/app/var/perfcast.backup", "--replace"], check=True, cwd=ROOT)
    compose("start", "ml-api", "worker")
    wait_for_replicas(three)
    assert api.post("/predict", json=BODY).json()["cpu_utilization"] == before
    assert api.get(f"/jobs/{later}").status_code == 404


def test_no_request_fails_while_each_replica_is_restarted(three: int, api: httpx2.Client) -> None:
    with load() as asked:
        for container in containers("ml-api"):
            engine("restart", "-t", "40", container)
            wait_for_replicas(three)
    assert set(asked.answers) == {"200"}, asked.answers


@contextmanager
def killed(service: str) -> Iterator[None]:
    """The processes of one container of a service, killed from outside; its restart policy starts it again."""
    container = containers(service)[0]
    os.kill(first_process(container), signal.SIGKILL)
    yield
    until(lambda: container in containers(service))


def test_a_killed_replica_fails_no_prediction(three: int, api: httpx2.Client) -> None:
    with load() as asked:
        with killed("ml-api"):
            before = asked.answers["200"]
            until(lambda: asked.answers["200"] > before + 50)
        wait_for_replicas(three)
    assert set(asked.answers) == {"200"}, asked.answers


@pytest.mark.parametrize("service", ["redis", "postgres", "worker"])
def test_predictions_go_on_without(service: str, three: int, api: httpx2.Client) -> None:
    with load() as asked, killed(service):
        before = asked.answers["200"]
        until(lambda: asked.answers["200"] > before + 50)
    assert set(asked.answers) == {"200"}, asked.answers
    until(lambda: api.get("/health").json()["status"] == "healthy", 3 * MINUTES)


def test_what_goes_is_no_longer_asked(three: int, api: httpx2.Client) -> None:
    with load() as asked:
        compose("up", "-d", "--no-build", "--scale", "ml-api=1", *SERVICES)
        for container in containers("ml-api")[1:]:  # podman-compose leaves them
            remove(container, 40)
        until(lambda: len(answering()) == 1, 3 * MINUTES)
    assert set(asked.answers) == {"200"}, asked.answers
