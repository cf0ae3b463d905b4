"""deploy.sh in production: what it refuses, an update from the release before under load, and a release that fails."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from tests.patience import until
from tests.services import free_port
from tests.stack.engine import BODY, COMPOSE, ROOT, Load, containers, engine

REGISTRY = os.environ.get("REGISTRY", "")
PROJECT = "perfcast-release"
NEWEST = max(path.name[:4] for path in (ROOT / "src/perfcast/storage/migrations/versions").glob("0*.py"))
UNCHECKED = ssl._create_unverified_context()
"""The certificate is signed by itself."""


class Site:
    """A machine's folder with what deploy.sh needs, and no source."""

    def __init__(self, folder: Path) -> None:
        for name in ("deploy.sh", "docker-compose.yml", "docker-compose.prod.yml"):
            shutil.copy(ROOT / name, folder)
        shutil.copytree(ROOT / "deploy", folder / "deploy")
        names = ("HTTP", "HTTPS", "API", "UI", "GRAFANA", "PROMETHEUS", "ALERTMANAGER")
        self.ports = {name: free_port() for name in names}
        self.folder = folder
        self._settings = {f"PORT_{name}": str(port) for name, port in self.ports.items()} | {
            "COMPOSE_PROJECT_NAME": PROJECT,
            "SUBNET": "172.31.248.0/24",
            "BIND_ADDRESS": "127.0.0.1",
            "DEPLOY_SERVICES": os.environ.get("STACK_SERVICES", ""),
        }

    def deploy(self, *words: str, **variables: str) -> tuple[int, str]:
        """What deploy.sh ends with and says."""
        environment = {**os.environ, **self._settings, "DEPLOY_SECONDS": "180", **variables}
        for name in {"TAG", "COMPOSE_FILE"} - set(variables):
            environment.pop(name, None)
        done = subprocess.run(
            ["./deploy.sh", *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def secret(self, name: str) -> str:
        """A password of it."""
        return (self.folder / "secrets" / name).read_text().strip()

    def caller(self) -> httpx2.Client:
        """One who has the key."""
        return httpx2.Client(
            base_url=f"https://127.0.0.1:{self.ports['API']}",
            headers={"X-API-Key": self.secret("api_key")},
            verify=UNCHECKED,
            timeout=60,
        )

    def load(self) -> Load:
        """Callers who ask over TLS all the time, within the limits of an address."""
        return Load(self.caller, pause_seconds=0.02)

    def migration(self) -> str:
        """Of the database, as PostgreSQL tells it."""
        query = ["psql", "-U", "perfcast", "-tAc", "select version_num from alembic_version"]
        password = f"PGPASSWORD={self.secret('postgres_password')}"
        return engine("exec", "-e", password, *containers("postgres", PROJECT), *query).strip()[:4]

    def remove(self) -> None:
        """All of it, with its data."""
        environment = os.environ | self._settings | {"COMPOSE_FILE": "docker-compose.yml:docker-compose.prod.yml"}
        command = [*COMPOSE, "down", "--volumes"]
        subprocess.run(command, cwd=self.folder, env=environment, check=True, capture_output=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    site.remove()
    yield site
    site.remove()


@contextmanager
def secret(site: Site, name: str, text: str) -> Iterator[None]:
    """One of the secrets is another."""
    file = site.folder / "secrets" / name
    kept = file.read_text()
    file.chmod(0o644)
    file.write_text(text)
    yield
    file.write_text(kept)


def test_production_is_refused_without_passwords_of_ones_own(site: Site) -> None:
    code, told = site.deploy("production")
    assert code == 1
    assert "secrets/database_url is missing" in told
    assert site.deploy("secrets")[0] == 0
    code, told = site.deploy("production")
    assert code == 1
    assert "secrets/tls_certificate is missing" in told
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    files = ["-keyout", site.folder / "secrets/tls_key", "-out", site.folder / "secrets/tls_certificate"]
    subprocess.run([*made, *files], check=True, capture_output=True)
    (site.folder / "secrets/tls_key").chmod(0o444)
    with secret(site, "grafana_password", (site.folder / "deploy/development/grafana_password").read_text()):
        code, told = site.deploy("production")
    assert code == 1
    assert "secrets/grafana_password is the development one" in told
    assert (site.folder / "secrets").stat().st_mode & 0o077 == 0


def test_the_release_before_is_deployed(site: Site) -> None:
    code, told = site.deploy("production", DEPLOY_TAG="before")
    assert code == 0, told
    assert "deployed before" in told
    kept = site.folder / ".env"
    assert "COMPOSE_FILE=docker-compose.yml:docker-compose.prod.yml\n" in kept.read_text()
    assert "API_REPLICAS=2\n" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0
    code, told = site.deploy()
    assert code == 1
    assert "this is a production" in told
    with site.caller() as caller:
        until(lambda: caller.post("/predict", json=BODY).status_code == 200, 600)
    assert site.migration() < NEWEST


def test_without_the_key_nobody_is_answered_and_browsers_are_told_to_stay_with_tls(site: Site) -> None:
    with site.caller() as caller:
        assert caller.post("/predict", json=BODY, headers={"X-API-Key": "another"}).status_code == 401
        assert caller.get("/readyz").headers["Strict-Transport-Security"].startswith("max-age=63072000")
    assert httpx2.get(f"http://127.0.0.1:{site.ports['HTTP']}/").status_code == 301


def test_databases_are_reached_by_nobody_outside_and_by_no_one_without_a_password(site: Site) -> None:
    (redis,) = containers("redis", PROJECT)
    assert "NOAUTH" in engine("exec", redis, "redis-cli", "ping")
    networks = engine("inspect", "--format", "{{json .NetworkSettings.Networks}}", redis)
    assert "front" not in networks
    assert engine("network", "inspect", "--format", "{{.Internal}}", f"{PROJECT}_data").strip() == "true"


def test_an_update_migrates_and_fails_no_request(site: Site) -> None:
    with site.load() as asked:
        code, told = site.deploy("production", DEPLOY_TAG="stack")
    assert code == 0, told
    assert set(asked.answers) == {"200"}, asked.answers
    assert site.migration() == NEWEST
    assert len(containers("ml-api", PROJECT)) == 2


def test_what_runs_is_started_again_unnoticed_also_where_it_is_one_replica(site: Site) -> None:
    with site.load() as asked:
        code, told = site.deploy("production", DEPLOY_TAG="stack", API_REPLICAS="1")
        (alone,) = containers("ml-api", PROJECT)
        begun = engine("inspect", "--format", "{{.State.StartedAt}}", alone)
        assert code == 0, told
        code, told = site.deploy("production", DEPLOY_TAG="stack", API_REPLICAS="1")
    assert code == 0, told
    assert set(asked.answers) == {"200"}, asked.answers
    (alone,) = containers("ml-api", PROJECT)
    assert engine("inspect", "--format", "{{.State.StartedAt}}", alone) != begun


def test_a_release_that_does_not_come_up_is_taken_back_unnoticed(site: Site) -> None:
    engine("tag", f"{REGISTRY}perfcast-worker:stack", f"{REGISTRY}perfcast-worker:broken")
    engine("tag", f"{REGISTRY}perfcast-ui:stack", f"{REGISTRY}perfcast-ui:broken")
    engine("tag", f"{REGISTRY}perfcast-ui:stack", f"{REGISTRY}cnn-predictor:broken")  # it never answers at 8000
    with site.load() as asked:
        code, told = site.deploy("production", DEPLOY_TAG="broken", DEPLOY_SECONDS="30")
    assert code == 1
    assert "broken did not become ready; stack serves again" in told, told
    assert set(asked.answers) == {"200"}, asked.answers
    assert "TAG=stack\n" in (site.folder / ".env").read_text()
    assert len(containers("ml-api", PROJECT)) == 1
