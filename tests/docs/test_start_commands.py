"""The predecessors' literal start commands, in a fresh environment that `pip install -r requirements.txt` made."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from tests.docs.conftest import Installation
from tests.docs.reader import ROOT
from tests.patience import PATIENCE_SECONDS, until
from tests.services import free_port


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with requirements.txt and nothing else; its programs."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert uv is not None, "needs uv, as make does"
    environment = os.environ | {"VIRTUAL_ENV": str(folder), "UV_COMPILE_BYTECODE": "0"}
    if "PIP_FIND_LINKS" in os.environ:
        environment["UV_FIND_LINKS"] = os.environ["PIP_FIND_LINKS"]
    for command in (["venv", "--python", sys.executable, folder], ["pip", "install", "-r", ROOT / "requirements.txt"]):
        subprocess.run([uv, "-q", *command], env=environment, check=True, capture_output=True, text=True)
    return folder / "bin"


@pytest.fixture(scope="module")
def run(fresh: Path, installation: Installation) -> Callable[..., subprocess.Popen[str]]:
    """Starts a command as the README has it, in the repository's root, beside models that are there already."""
    kept = {name: value for name, value in installation.environment.items() if name != "PYTHONPATH"}
    environment = kept | {"PATH": f"{fresh}{os.pathsep}{os.environ['PATH']}", "LOG_LEVEL": "INFO", "LOG_FORMAT": "json"}

    def start(command: str) -> subprocess.Popen[str]:
        words = command.split()
        program = fresh / words[0]
        return subprocess.Popen([program, *words[1:]], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)

    return start


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    with process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_SECONDS)


@pytest.mark.parametrize("application", ["src.api.app:app", "app.main:app"])
def test_uvicorn_serves_predictions(run: Callable[..., subprocess.Popen[str]], application: str) -> None:
    port = free_port()
    with ended(run(f"uvicorn {application} --reload --host 0.0.0.0 --port {port}")) as server:
        body = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}
        until(lambda: server.poll() is not None or _answers(port), 5 * PATIENCE_SECONDS)
        answer = httpx2.post(f"http://127.0.0.1:{port}/predict", json=body).json()
        assert answer["status"] == "success"


def test_the_worker_becomes_ready(run: Callable[..., subprocess.Popen[str]]) -> None:
    with ended(run("python src/api/training_worker.py")) as worker:
        assert worker.stderr is not None
        assert any('"event": "worker ready"' in line for line in worker.stderr)


def test_the_generator_writes_both_files(fresh: Path, tmp_path: Path) -> None:
    command = [fresh / "python", ROOT / "src/models/generated_cpu_data.py", "--days", "1"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert {path.name for path in (tmp_path / "data").iterdir()} >= {"cpu_features_raw.csv", "cpu_features_scaled.csv"}


def _answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx2.TransportError:
        return False
