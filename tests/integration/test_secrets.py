"""No secret of any setting is told: not by logs, answers, metrics, refused starts or the doctor, whatever fails."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr
from tests.contract.conftest import SERVE, accepts, fill
from tests.patience import PATIENCE_SECONDS, until
from tests.services import RedisServer, free_port, postgres_server
from tests.workers import small_dataset

from perfcast.datasets import Datasets
from perfcast.settings import Settings
from perfcast.storage import Blobs, Database

KEYS = {name.upper() for name, field in Settings.model_fields.items() if field.annotation is SecretStr}
ADDRESSES = {name.upper() for name in Settings.model_fields if name.endswith(("_url", "_uri", "_endpoint"))}
SCHEMES = {"PREDICTION_EXPORT_URL": "webhdfs", "ARTIFACTS_URL": "ftp"}
"""The other addresses are of http."""
LIBRARIES = {
    "AWS_SECRET_ACCESS_KEY": "hidden-cloud",
    "PGPASSWORD": "hidden-pgpassword",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20hidden-collector",
    "PERFCAST_API_KEY": "hidden-client-key",
}
BODY = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}


def hidden(name: str) -> str:
    """The secret that a setting is given."""
    return f"hidden-{name.lower().replace('_', '-')}"


SECRETS = {*map(hidden, KEYS | ADDRESSES), *(value.rpartition("%20")[2] for value in LIBRARIES.values())}


def secretive(database_url: str, **more: str) -> dict[str, str]:
    """An environment with a secret in every setting that may hold one; what is no database can't be reached."""
    gone = free_port()
    keys = {name: hidden(name) for name in KEYS}
    addresses = {
        name: f"{SCHEMES.get(name, 'http')}://me:{hidden(name)}@127.0.0.1:{gone}/0"
        for name in ADDRESSES - {"ARTIFACTS_URL", "REDIS_URL"}
    }
    given = {
        "DATABASE_URL": database_url,
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": "json",
        "RATE_LIMIT": "40/minute",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
        "JOB_ATTEMPTS": "1",
        "API_PORT": "0",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    return dict(os.environ) | keys | addresses | LIBRARIES | given | more


@contextmanager
def running(words: list[str], environment: Mapping[str, str], log: Path) -> Iterator[None]:
    """A process whose whole output goes to a file."""
    with log.open("ab") as file:
        process = subprocess.Popen([sys.executable, *words], env=dict(environment), stdout=file, stderr=file)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


@contextmanager
def guarded_redis() -> Iterator[tuple[RedisServer, str]]:
    """A Redis server that wants a password, and its address with it."""
    redis = RedisServer()
    redis._command += ["--requirepass", hidden("REDIS_URL")]
    redis.start()
    try:
        yield redis, redis.url.replace("://", f"://:{hidden('REDIS_URL')}@")
    finally:
        redis.stop()


def told(*words: str, **environment: str) -> str:
    """All that a command says."""
    done = subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    return done.stdout + done.stderr


def provoke(client: httpx2.Client) -> Iterator[str]:
    """What callers are told, right ones and wrong ones, until they are too many."""
    for given in ({"X-API-Key": hidden("API_KEY")}, {"X-API-Key": "wrong"}, {}):
        for path in ("/health", "/metrics", "/models", "/jobs", "/openapi.json", "/workloads", "/models/nobody"):
            yield client.get(path, headers=given).text
        for path, body in (
            ("/predict", BODY),
            ("/predict", {"request_rate": "much", **{secret: secret for secret in ("hidden-by-nobody",)}}),
            ("/train", {"dataset": "simulated", "families": ["polynomial"], "n_trials": 1}),
            ("/train", {"n_trials": "many"}),
            ("/feedback", {"prediction_id": "none", "actual": 1}),
        ):
            yield client.post(path, headers=given, json=body).text
    for _ in range(60):
        yield client.get("/models", headers={"X-API-Key": hidden("API_KEY")}).text


def leaked(text: str) -> set[str]:
    """The secrets that stand in a text."""
    return {secret for secret in SECRETS if secret in text}


def test_no_secret_is_told_by_servers_workers_answers_or_the_doctor_whatever_fails(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    with postgres_server() as postgres, guarded_redis() as (redis, redis_url):
        url = postgres.url.replace(":secret@", f":{hidden('DATABASE_URL')}@")
        fill(tmp_path, url)
        database = Database(url)
        Datasets(database, Blobs(str(tmp_path / "artifacts"))).add(small_dataset())
        database.close()
        port = free_port()
        environment = secretive(url, DATA_DIR=str(tmp_path), API_PORT=str(port), REDIS_URL=redis_url)
        address, worker = f"http://127.0.0.1:{port}", ["-m", "perfcast", "worker"]
        with running(["-c", SERVE], environment, log), running(worker, environment, log):
            until(lambda: "worker ready" in log.read_text() and '"ready"' in log.read_text() and accepts(address))
            with httpx2.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
                answers = list(provoke(client))
                until(lambda: "not exported to MLflow" in log.read_text(), 180)
                postgres.stop()
                redis.stop()
                answers += provoke(client)
                until(lambda: client.get("/health").json()["dependencies"]["database"]["status"] != "ok")
                answers.append(client.get("/health").text)
            until(lambda: "export spans" in log.read_text())
        doctor = [told("-m", "perfcast", "doctor", *words, **environment) for words in ([], ["--production", "--json"])]
        postgres.start()
        redis.start()
    assert "Connection refused" in log.read_text()
    assert any("is not known here" in answer for answer in answers)
    assert any("ask again in" in answer for answer in answers)
    assert "authentication" in doctor[1]
    assert leaked(log.read_text() + "".join(answers) + "".join(doctor)) == set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"API_KEY": f"{hidden('API_KEY')}:everything"},
        {"API_KEY": f"{hidden('API_KEY')},{hidden('API_KEY')}"},
        {"DATABASE_URL": f"mysql://me:{hidden('DATABASE_URL')}@nowhere/perfcast"},
        {"DATABASE_URL": f"postgresql://me:{hidden('DATABASE_URL')}@127.0.0.1:1/perfcast"},
        {"REDIS_URL": f"http://me:{hidden('REDIS_URL')}@127.0.0.1"},
        {"ARTIFACTS_URL": f"ftp://me:{hidden('ARTIFACTS_URL')}@127.0.0.1:1/artifacts"},
        {"ARTIFACTS_URL": f"nothing://me:{hidden('ARTIFACTS_URL')}@127.0.0.1:1/artifacts"},
    ],
)
def test_a_setting_that_cannot_be_used_is_told_without_its_secret(tmp_path: Path, wrong: dict[str, str]) -> None:
    environment = secretive(f"sqlite:///{tmp_path / 'perfcast.db'}", DATA_DIR=str(tmp_path)) | wrong
    said = told("-m", "perfcast", "models", "list", **environment)
    said += told("-m", "perfcast", "doctor", **environment) + told(
        "-m", "perfcast", "doctor", "--production", **environment
    )
    assert said
    assert leaked(said) == set()


def test_children_are_not_given_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in secretive("", DATA_DIR=str(tmp_path)).items():
        monkeypatch.setenv(name, value)
    from perfcast.settings import environment_without_secrets, load_settings

    assert leaked(str(environment_without_secrets())) == set()
    given = load_settings().child_environment
    assert {name for name in KEYS | {"PERFCAST_API_KEY"} if name in given} == set()
