"""Starting a converting process for one file, ending it, and what the two say to each other in MessagePack."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from threading import Event
from typing import IO, Any

import msgspec

from perfcast.errors import Refused, Stopped
from perfcast.manifest import GraphFacts, Parity

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


class Order(msgspec.Struct, frozen=True):
    """What to convert.

    Attributes:
        file: Name of the model file among `files`.
        files: Contents by name.
        workloads: Declarations that inputs may be named from; the first is meant where nothing else is said.
        unconfined: Whether a file that runs code may be read although the process couldn't be confined.
        parent: Process that must not be looked into.
    """

    file: str
    files: Mapping[str, bytes]
    workloads: Sequence[Mapping[str, Any]]
    unconfined: bool
    parent: int


class Converted(msgspec.Struct, frozen=True):
    """A graph and what is known of it.

    Attributes:
        graph: Serialised ONNX, from all features of the workload to the cost.
        family: What the file holds: `xgboost`, `random_forest`, `neural_network`, `polynomial`, …
        workload: Name of the workload it answers for.
        inputs: What the model reads, in its own order.
        original: The model's class.
        facts, parity: As in a manifest.
        libraries: Versions of what read it.
        notes: Remarks for the manifest.
    """

    graph: bytes
    family: str | None
    workload: str
    inputs: tuple[str, ...]
    original: str
    facts: GraphFacts
    parity: Parity
    libraries: Mapping[str, str]
    notes: tuple[str, ...] = ()


Outcome = Converted | str
"""What came of a file; a text says why it can't be converted."""


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

    def convert(self, file: str, files: Mapping[str, bytes], *, stopping: Event | None = None) -> Converted:
        """The graph of a model file, whose content is among the files by name; setting `stopping` ends it early.

        Raises:
            Refused: It can't be converted; the text says why.
            Stopped: It was asked to end.
        """
        order = Order(file, files, self.workloads, self.unconfined, os.getpid())
        outcome = self._outcome(msgspec.msgpack.encode(order), stopping)
        if isinstance(outcome, str):
            raise Refused(outcome)
        return outcome

    def _outcome(self, order: bytes, stopping: Event | None) -> Outcome:
        _hide_environment()
        with TemporaryFile() as given, TemporaryFile() as answer, TemporaryFile() as told:
            given.write(order)
            given.seek(0)
            process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", MODULE],
                stdin=given,
                stdout=answer,
                stderr=told,
                env=_environment(),
                start_new_session=True,
            )
            try:
                self._await(process, stopping)
            finally:
                _end(process)
            answer.seek(0)
            return _understood(answer.read(LARGEST_OUTCOME), process.returncode, told)

    def _await(self, process: subprocess.Popen[bytes], stopping: Event | None) -> None:
        until = time.monotonic() + self.seconds
        while True:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_TICK_SECONDS)
                return
            if stopping is not None and stopping.is_set():
                raise Stopped("the conversion was stopped")
            if time.monotonic() >= until:
                raise Refused(
                    f"its conversion took longer than the {self.seconds:g} s that MODELS_CONVERT_SECONDS allows"
                )


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _understood(data: bytes, status: int, told: IO[bytes]) -> Outcome:
    try:
        outcome: Outcome = msgspec.msgpack.decode(data, type=Outcome)
    except msgspec.MsgspecError:
        told.seek(max(0, told.seek(0, os.SEEK_END) - _LAST_WORDS))
        last = told.read(_LAST_WORDS).decode(errors="replace").strip().splitlines()
        end = f"was killed by signal {-status} (out of memory?)" if status < 0 else f"ended with status {status}"
        return f"its conversion {end}" + (f": {last[-1]}" if last else "")
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
