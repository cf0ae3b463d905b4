"""Starting a converting process for one file, and ending it."""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any

import msgspec

from perfcast.discovery._messages import Converted, Failed, Order, Outcome
from perfcast.errors import Refused, Stopped

MODULE = "perfcast.discovery.conversion"
LARGEST_OUTCOME = 32 << 20
"""Bytes that an outcome may have."""
_TICK_SECONDS = 0.1
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_KEPT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR")
"""The environment variables that a converting process gets; none of them is a secret."""
_DUMPABLE = 4
_LAST_WORDS = 400
"""Bytes of what a process wrote to its standard error that are looked at."""


@dataclass(frozen=True)
class Converter:
    """Converts files, each in a process of its own.

    Attributes:
        workloads: Declarations that inputs may be named from, the usual one first.
        seconds: Longest that a conversion may take.
        unconfined: Whether files that run code may be read where the kernel can't shut the process in.
    """

    workloads: Sequence[Mapping[str, Any]]
    seconds: float
    unconfined: bool = False

    def convert(self, file: str, files: Mapping[str, bytes], *, stopping: Any = None) -> Converted:
        """The graph of a model file.

        Args:
            file: Its name.
            files: Its contents and those of the files beside it, by name.
            stopping: An event that ends the process early.

        Raises:
            Refused: It can't be converted; the text says why.
            Stopped: It was asked to end.
        """
        order = Order(file, files, self.workloads, self.unconfined, os.getpid())
        outcome = self._outcome(msgspec.msgpack.encode(order), stopping)
        if isinstance(outcome, Failed):
            raise Refused(outcome.reason)
        return outcome

    def _outcome(self, order: bytes, stopping: Any) -> Outcome:
        _hide_environment()
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as told:
            given.write(order)
            given.seek(0)
            process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", MODULE],
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=told,
                env=_environment(),
                start_new_session=True,
            )
            heard: list[bytes] = []
            reader = Thread(target=_read, args=(process, heard), name="perfcast-converter", daemon=True)
            reader.start()
            try:
                self._await(process, reader, stopping)
            finally:
                _end(process)
            reader.join(1.0)
            return _understood(b"".join(heard), process.returncode, told)

    def _await(self, process: subprocess.Popen[bytes], reader: Thread, stopping: Any) -> None:
        """Until it has said all it has to say: what it does after that is of no interest."""
        waited = 0.0
        while reader.is_alive():
            reader.join(_TICK_SECONDS)
            waited += _TICK_SECONDS
            if stopping is not None and stopping.is_set():
                raise Stopped("the conversion was stopped")
            if waited >= self.seconds:
                raise Refused(
                    f"its conversion took longer than the {self.seconds:g} s that MODELS_CONVERT_SECONDS allows"
                )
        with suppress(subprocess.TimeoutExpired):
            process.wait(1.0)


def _read(process: subprocess.Popen[bytes], heard: list[bytes]) -> None:
    assert process.stdout is not None
    with suppress(OSError, ValueError):
        heard.append(process.stdout.read(LARGEST_OUTCOME))


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _understood(data: bytes, status: int, told: Any) -> Outcome:
    try:
        outcome: Outcome = msgspec.msgpack.decode(data, type=Outcome)
    except msgspec.MsgspecError:
        told.seek(max(0, told.seek(0, os.SEEK_END) - _LAST_WORDS))
        last = told.read(_LAST_WORDS).decode(errors="replace").strip().splitlines()
        end = f"was killed by signal {-status} (out of memory?)" if status < 0 else f"ended with status {status}"
        return Failed(f"its conversion {end}" + (f": {last[-1]}" if last else ""))
    return outcome


def _environment() -> dict[str, str]:
    given = {name: os.environ[name] for name in _KEPT if name in os.environ}
    quiet = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "default",
        "JOBLIB_MULTIPROCESSING": "0",
        "HOME": "/nonexistent",
    }
    return given | dict.fromkeys(_THREADS, "1") | quiet


def _hide_environment() -> None:
    """Keep other processes of this user from reading this one's memory and environment (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DUMPABLE, 0, 0, 0, 0)
