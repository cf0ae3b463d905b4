"""A process that dies is replaced: at once, or ever later if it dies again and again."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs
from tests.patience import until

from perfcast import processes
from perfcast.processes import KeptProcess

SLEEP = "import time; time.sleep(600)"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "FIRST_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(processes, "LONGEST_WAIT_SECONDS", 0.2)


def python(code: str) -> "Callable[[], subprocess.Popen[bytes]]":
    return lambda: subprocess.Popen([sys.executable, "-S", "-c", code])


def test_one_that_dies_at_once_is_begun_again_after_longer_and_longer_pauses() -> None:
    kept = KeptProcess("child", python("raise SystemExit(3)"), sound_seconds=600)
    kept.start()
    with capture_logs() as logs:
        until(lambda: kept.look() or len(logs) >= 4)
    assert [(line["event"], line["status"], line["again_in_seconds"]) for line in logs] == [
        ("child ended", 3, pause) for pause in (0.05, 0.1, 0.2, 0.2)
    ]


def test_one_that_lived_long_enough_is_replaced_in_the_same_look() -> None:
    kept = KeptProcess("child", python(SLEEP), sound_seconds=0)
    kept.start()
    first = kept.process
    assert first is not None
    first.kill()
    first.wait()
    kept.look()
    assert kept.process is not None
    assert kept.process is not first
    kept.tell(signal.SIGKILL)
    kept.end(time.monotonic() + 60)


def test_where_none_can_be_begun_it_is_tried_again() -> None:
    kept = KeptProcess("child", lambda: subprocess.Popen(["/nowhere"]))
    with capture_logs() as logs:
        until(lambda: kept.look() or len(logs) >= 2)
    assert [(line["event"], line["again_in_seconds"]) for line in logs] == [
        ("no child could be begun", 0.05),
        ("no child could be begun", 0.1),
    ]


def test_one_that_does_not_end_when_told_is_killed() -> None:
    kept = KeptProcess("child", python(SLEEP))
    kept.start()
    with capture_logs() as logs:
        kept.end(time.monotonic())
    assert kept.process is not None
    assert kept.process.returncode == -signal.SIGKILL
    assert [(line["event"], line["which"]) for line in logs] == [
        ("a process was killed: it did not end in time", "child")
    ]
