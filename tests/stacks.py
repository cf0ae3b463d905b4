"""A running `perfcast up`, web UI and all, on free ports."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.patience import PATIENCE_SECONDS, until
from tests.services import free_port

_STARTING_SECONDS = 120


@dataclass(frozen=True)
class Stack:
    """What runs.

    Attributes:
        process: The owner of all: it serves the API, and keeps a worker and the UI.
        api, ui: Addresses.
        log: Where everything writes to.
    """

    process: "subprocess.Popen[bytes]"
    api: str
    ui: str
    log: Path

    def said(self) -> str:
        """All that was written until now."""
        return self.log.read_text()

    def wait_for_api(self) -> None:
        """Until the API answers."""
        self._wait(lambda: answers(f"{self.api}/health"))

    def wait_for_ui(self) -> None:
        """Until the pages' server answers."""
        self._wait(lambda: answers(f"{self.ui}/_stcore/health"))

    def ui_process(self) -> int:
        """The process that serves the pages, once there is one."""
        return until(lambda: next(iter(_children(self.process.pid, b"ui")), 0), _STARTING_SECONDS)

    def _wait(self, look: Callable[[], bool]) -> None:
        until(lambda: look() or self.process.poll() is not None, _STARTING_SECONDS)
        assert self.process.poll() is None, self.said()


@contextmanager
def up(folder: Path, *words: str, **environment: str) -> Iterator[Stack]:
    """`perfcast up` on a `DATA_DIR`, ended at the end.

    Args:
        folder: The `DATA_DIR`.
        *words: After `perfcast up`.
        **environment: Settings; free ports are chosen if not given.
    """
    ports = {"API_PORT": str(free_port()), "UI_PORT": str(free_port())}
    given = {"DATA_DIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)} | ports | environment
    log = folder / "up.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "perfcast", "up", *words], env=os.environ | given, stdout=written, stderr=written
        )
    try:
        yield Stack(process, *(f"http://127.0.0.1:{given[name]}" for name in ports), log)
    finally:
        end(process)


@contextmanager
def ui_alone(api: str, folder: Path) -> Iterator[str]:
    """`perfcast ui` for an API that is there or not; gives the pages' address."""
    port, given = free_port(), {"DATA_DIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-m", "perfcast", "ui", "--port", str(port), "--api", api]
    with (folder / "ui.log").open("wb") as written:
        process = subprocess.Popen(words, env=os.environ | given, stdout=written, stderr=written)
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/_stcore/health"), _STARTING_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to end, and wait until it has."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE_SECONDS)


def answers(address: str) -> bool:
    """Whether something answers there, whatever it says."""
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _children(owner: int, command: bytes) -> Iterator[int]:
    """Living children of a process that run that command of Perfcast's attached to it."""
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if int(parent) == owner and state != "Z" and words[-3:-1] == [command, b"--attached"]:
            yield int(entry.name)
