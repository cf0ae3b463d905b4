"""docker-compose.dask.yml added to the stack: a search and a scoring on two workers over TLS, one of them killed."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import polars as pl
import pytest
from tests.patience import until
from tests.stack.engine import API, COMPOSE, ENGINE, ROOT, containers, engine, first_process, remove
from tests.stack.the_stack import MINUTES, compose

FILES = shlex.split("-f docker-compose.yml -f docker-compose.dask.yml")
ADDED = ("dask-scheduler", "dask-worker")
ROWS = 6_000_000
FAMILIES = ["random_forest", "xgboost"]
ASK = """
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
if sys.argv[1] == 'known':
    import os, tempfile, yaml
    own = yaml.safe_load(open(os.environ['DASK_CONFIG']))['distributed']['comm']['tls']['worker']
    with tempfile.NamedTemporaryFile('w') as file:
        file.write(own['cert'] + own['key']); file.flush()
        context.load_cert_chain(file.name)
plain = socket.create_connection(('dask-scheduler', 8786), 8)
try:
    caller = plain if sys.argv[1] == 'plain' else context.wrap_socket(plain)
    print('let in' if caller.recv(1) else 'refused')
except OSError as error:
    print('refused', error)
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of files to score, while two Dask workers run."""
    folder, certificates = (tmp_path_factory.mktemp(name) for name in ("scoring", "certificates"))
    made = [sys.executable, "-m", "perfcast", "cluster", "certificates", certificates, "--host", "dask-scheduler"]
    subprocess.run(made, check=True, capture_output=True)
    for path in (*certificates.glob("*.yaml"), *certificates.parents[:2], certificates):
        path.chmod(0o755 if path.is_dir() else 0o444)
    folder.chmod(0o777)
    given = os.environ | {"SCORING_DIR": str(folder), "DASK_CERTIFICATES": str(certificates)}
    up = [*COMPOSE, *FILES, "up", "-d", "--no-build", "--scale", "dask-worker=2", *ADDED, "worker"]
    done = subprocess.run(up, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    yield folder
    compose("up", "-d", "--no-build", "--no-deps", "worker")  # without the cluster again
    for container in containers("dask-worker") + containers("dask-scheduler"):
        remove(container)


def workers() -> list[str]:
    until(lambda: len(containers("dask-worker")) == 2)
    return containers("dask-worker")


def kill(container: str) -> None:
    """Its first process, as the kernel does it where memory is short; the restart policy starts it again."""
    os.kill(first_process(container), signal.SIGKILL)


def test_a_search_goes_on_when_a_worker_is_killed(shared: Path) -> None:
    with httpx2.Client(base_url=API, timeout=60) as api:
        asked = {"n_trials": 24, "model_name": "by-the-cluster", "promote": "never", "families": FAMILIES}
        job = api.post("/train", json=asked).json()["job_id"]
        until(lambda: api.get(f"/jobs/{job}").json()["trial"] > 2, 3 * MINUTES)
        kill(workers()[0])
        over = ("succeeded", "failed", "cancelled")
        done = until(lambda: (told := api.get(f"/jobs/{job}").json())["status"] in over and told, 10 * MINUTES)
    assert done["status"] == "succeeded", done
    assert done["trial"] == 24
    told = subprocess.run([ENGINE, "logs", *containers("dask-scheduler")], capture_output=True, text=True, check=True)
    assert "Receive client connection" in told.stdout + told.stderr  # it was done there


def test_a_scoring_loses_no_row_with_a_worker(shared: Path) -> None:
    source, target = shared / "rows.parquet", shared / "scored"
    number = pl.arange(ROWS, eager=True)
    frame = pl.DataFrame({"id": number, "request_rate": 20.0 + number % 300, "active_users": 10.0 + number % 90})
    frame = frame.with_columns(db_connections=pl.lit(25.0), timestamp=pl.lit("2026-03-02T14:05:00Z"))
    frame.write_parquet(source, row_group_size=200_000)
    command = [ENGINE, "exec", containers("worker")[0], "perfcast", "score"]
    words = ["/app/scoring/rows.parquet", "/app/scoring/scored", "--model", "cpu-utilization"]
    scoring = subprocess.Popen([*command, *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until(lambda: scoring.poll() is not None or list(shared.glob(".scored.*/**/part-*")), 3 * MINUTES)
    assert scoring.poll() is None, scoring.communicate()[0]
    kill(workers()[0])
    told, _ = scoring.communicate(timeout=10 * MINUTES)
    assert scoring.returncode == 0, told
    scored = pl.read_parquet(sorted(target.iterdir()))
    assert scored["id"].to_list() == list(range(ROWS))
    assert scored["cost"].null_count() == 0


@pytest.mark.parametrize(("caller", "answer"), [("known", "let in"), ("unknown", "refused"), ("plain", "refused")])
def test_who_does_not_come_over_tls_with_a_certificate_is_refused(shared: Path, caller: str, answer: str) -> None:
    assert engine("exec", workers()[0], "python", "-c", ASK, caller).startswith(answer)


def test_nobody_else_reaches_the_scheduler(shared: Path) -> None:
    code = "import socket; socket.create_connection(('dask-scheduler', 8786), 3)"
    reached = {
        service: subprocess.run([ENGINE, "exec", containers(service)[0], "python", "-c", code], check=False).returncode
        == 0
        for service in ("worker", "ml-api", "ui")
    }
    assert reached == {"worker": True, "ml-api": False, "ui": False}
