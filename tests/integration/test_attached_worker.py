"""The worker that `perfcast up` brings along: replaced when it dies, ended when its owner is."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.contract.conftest import fill
from tests.patience import until
from tests.workers import Shop

from perfcast import processes
from perfcast.processes import attached
from perfcast.settings import load_settings

READY = '"event": "ready"'


@pytest.fixture
def folder(shop: Shop) -> Path:
    """That of an installation which has its models, so that nothing need be trained first."""
    fill(shop.settings.data_dir)
    return shop.settings.data_dir


@contextmanager
def up(shop: Shop) -> Iterator["subprocess.Popen[bytes]"]:
    """A running `perfcast up`."""
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    environment = os.environ | shop.settings.environment | paths | {"API_PORT": "0", "LOG_FORMAT": "json"}
    with (shop.settings.data_dir / "up.log").open("wb") as log:
        owner = subprocess.Popen(
            [sys.executable, "-m", "perfcast", "up", "--no-ui"],
            env=environment,
            stderr=log,
            stdout=log,
            start_new_session=True,
        )
    try:
        until(lambda: READY in (shop.settings.data_dir / "up.log").read_text() or owner.poll(), 60)
        yield owner
    finally:
        owner.kill()
        owner.wait()


def workers(owner: int) -> list[int]:
    """The living worker processes of an owner."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        if parent == owner and b"--attached" in words:
            found.append(int(folder.name))
    return found


def is_gone(process: int) -> bool:
    try:
        return not Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return True


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.usefixtures("folder")
def test_a_killed_worker_is_replaced_and_ends_with_its_owner(shop: Shop, end: signal.Signals) -> None:
    with up(shop) as owner:
        (first,) = until(lambda: workers(owner.pid))
        os.kill(first, signal.SIGKILL)
        (second,) = until(lambda: [worker for worker in workers(owner.pid) if worker != first], 15)
        job = shop.submit(dataset="simulated", families=("polynomial",), n_trials=1)
        shop.wait(job, "succeeded")
        assert workers(owner.pid) == [second]
        owner.send_signal(end)
        assert owner.wait(20) == 0
        assert is_gone(second)
    assert "attached worker ended" in (shop.settings.data_dir / "up.log").read_text()


def test_its_owner_may_end_while_the_worker_is_being_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "FIRST_WAIT_SECONDS", 600)
    monkeypatch.setattr(processes, "LONGEST_WAIT_SECONDS", 600)
    settings = load_settings(data_dir=tmp_path, database_url="nonsense://nowhere")
    with capture_logs() as logs, attached("worker", settings.child_environment):
        until(lambda: logs)
        assert workers(os.getpid()) == []
    assert [(line["event"], line["status"]) for line in logs] == [("attached worker ended", 1)]
