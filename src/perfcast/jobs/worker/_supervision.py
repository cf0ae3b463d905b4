"""One claimed job from its training process's start to its end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Event, Thread
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from perfcast.errors import Fenced, Unavailable
from perfcast.jobs.queue import Job, Jobs
from perfcast.jobs.worker._messages import REQUEST_ID, STOP, TRACE_PARENT, read_messages
from perfcast.jobs.worker._stopping import Stopping
from perfcast.jobs.worker._tracker import Tracker
from perfcast.settings import Settings
from perfcast.storage import patiently
from perfcast.telemetry import Span, span, trace_parent

TICK_SECONDS = 0.1
LOOK_SECONDS = 0.5
"""How often a supervisor asks whether its job was cancelled."""
TERM_AFTER, KILL_AFTER = 2.0, 3.0
"""Seconds after a process was asked to end at which it is made to (for a drain three times as many)."""
DRAIN_PATIENCE = 3.0
ENDING_SECONDS = 5.0
"""What a process may still take when it has said what came of its job."""
LIMIT_GRACE_SECONDS = 120.0
LIMIT_GRACE_SHARE = 0.25
"""What a process may take beyond its job's time limit, beside a share of that: beginning, waiting for a cluster or for
a database that doesn't answer, registering, the gate."""
_PERSIST_SECONDS = 60.0
_PERSIST_DRAINING_SECONDS = 5.0

log = structlog.stdlib.get_logger("perfcast.jobs")


class Supervision:
    """Runs a job in a process group of its own, and keeps its row true.

    Where the worker is `stopping`, the process is ended and the job handed back.
    """

    def __init__(self, settings: Settings, jobs: Jobs, job: Job, *, threads: int, stopping: Stopping) -> None:
        self.job = job
        self._settings, self._jobs, self._threads = settings, jobs, threads
        self._tracker = Tracker(job)
        self._told = self._tracker.progress
        self._stopping = stopping
        self._cancelled = False
        self._asked_at: float | None = None
        self._last_word_at: float | None = None
        self._begun = time.monotonic()
        self._hung: str | None = None
        self._heard: Mapping[str, Any] = {}
        self._news = Event()
        self._span = Span()
        self._written = self._looked = time.monotonic()

    def run(self) -> None:
        """Supervise until the process has ended and the row says what came of it."""
        job = self.job
        about: dict[str, str | float | None] = {"job": job.id, "attempt": job.attempt}
        if job.request_id:
            about["request_id"] = job.request_id
        attributes = {f"perfcast.{name}": value for name, value in about.items()}
        with (
            bound_contextvars(**about),
            span("job", parent=job.trace_parent, kind="consumer", attributes=attributes) as self._span,
        ):
            self._run()

    def _run(self) -> None:
        try:
            process = self._spawn()
        except OSError as error:
            reason = f"no training process could be begun: {error}"
            self._persist(lambda: self._jobs.retry(self.job.fence, reason))
            return
        log.info("job begun", process=process.pid, model=self.job.request.model)
        listener = Thread(target=self._listen, args=(process,), name="perfcast-listener", daemon=True)
        listener.start()
        try:
            while process.poll() is None:
                self._watch(process)
                self._news.wait(TICK_SECONDS)
                self._news.clear()
        except Fenced as error:
            log.warning("the job was taken from this worker: its process is ended", reason=str(error))
            return
        finally:
            end_group(process)
        listener.join(1.0)
        self._conclude(process.returncode)

    def _spawn(self) -> subprocess.Popen[bytes]:
        fence = self.job.fence
        words = [fence.job, str(fence.attempt), fence.worker, str(self._threads)]
        return subprocess.Popen(  # noqa: S603 - our own module with our own arguments
            [sys.executable, "-m", "perfcast.jobs.worker._child", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._environment(),
            start_new_session=True,
        )

    def _environment(self) -> dict[str, str]:
        """That of the training process: it goes on with what its lines and spans belong to."""
        belonging = {REQUEST_ID: self.job.request_id, TRACE_PARENT: trace_parent()}
        inherited = {name: value for name, value in self._settings.child_environment.items() if name not in belonging}
        return inherited | {name: value for name, value in belonging.items() if value is not None}

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for message in read_messages(process.stdout):
            if not self._tracker.hear(message):
                self._heard, self._last_word_at = message, time.monotonic()
            self._news.set()

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        now = time.monotonic()
        try:
            if now - self._looked >= LOOK_SECONDS:
                self._looked = now
                self._look()
        except Unavailable as error:
            log.warning("the database doesn't answer; the training goes on", reason=str(error))
        if self._cancelled or self._stopping:
            self._insist(process)
        self._end_if_hung(process)

    def _look(self) -> None:
        """Ask whether the job was cancelled, and say how far it is."""
        self._cancelled = self._jobs.is_cancelled(self.job.fence) or self._cancelled
        due = time.monotonic() - self._written >= self._settings.job_heartbeat_seconds
        if due or self._tracker.progress is not self._told:
            self._told = self._tracker.progress
            self._jobs.beat(self.job.fence, spent_seconds=self._tracker.spent_seconds, progress=self._told)
            self._written = time.monotonic()

    def _insist(self, process: subprocess.Popen[bytes]) -> None:
        """Ask first, then make it end."""
        if self._asked_at is None:
            self._asked_at = time.monotonic()
            with suppress(OSError):
                assert process.stdin is not None
                process.stdin.write(STOP)
                process.stdin.flush()
        waited = time.monotonic() - self._asked_at
        patience = 1.0 if self._cancelled else DRAIN_PATIENCE
        if waited > KILL_AFTER * patience:
            _signal_group(process, signal.SIGKILL)
        elif waited > TERM_AFTER * patience:
            _signal_group(process, signal.SIGTERM)

    def _end_if_hung(self, process: subprocess.Popen[bytes]) -> None:
        now, limit = time.monotonic(), self._seconds_allowed()
        if self._last_word_at is not None and now - self._last_word_at > ENDING_SECONDS:
            self._hung = f"did not end within {ENDING_SECONDS:g} s of its last word"
        elif limit is not None and now - self._begun > limit:
            self._hung = f"did not end within {limit:.0f} s, which is well beyond the job's time limit"
        else:
            return
        log.warning("the training process hangs and is killed", reason=f"it {self._hung}")
        _signal_group(process, signal.SIGKILL)

    def _seconds_allowed(self) -> float | None:
        """How long this attempt's process may take; None where the job has no time limit."""
        limit = self.job.request.timeout_seconds
        if limit is None:
            return None
        return max(0.0, limit - self.job.spent_seconds) + LIMIT_GRACE_SHARE * limit + LIMIT_GRACE_SECONDS

    def _conclude(self, status: int) -> None:
        """Write what came of it."""
        jobs, fence, heard = self._jobs, self.job.fence, self._heard
        kind = heard.get("kind")
        self._span.set("perfcast.ended", str(kind))
        if kind == "failed":
            self._span.fail(str(heard.get("error")))
        if kind == "done":
            self._persist(lambda: jobs.succeed(fence, version=heard["version"], outcome=heard["outcome"]))
        elif self._persist(lambda: jobs.is_cancelled(fence)):
            self._persist(lambda: jobs.finish_cancelled(fence))
        elif kind == "failed" and not heard["again"]:
            self._persist(lambda: jobs.fail(fence, heard["error"]))
        elif self._stopping:
            self._persist(lambda: jobs.hand_back(fence))
        else:
            told = heard.get("error")
            error = told or f"its training process {self._hung or _how_it_ended(status)}"
            self._persist(lambda: jobs.retry(fence, error, at_once=told is None))

    def _persist(self, write: Callable[[], Any]) -> Any:
        """Write, trying again while the database doesn't answer; in the end the reaper finds the job."""
        try:
            return patiently(write, _PERSIST_DRAINING_SECONDS if self._stopping else _PERSIST_SECONDS)
        except Unavailable as error:
            log.error("the job's end can't be written; it will be run again", reason=str(error))
        except Fenced as error:
            log.warning("the job was taken from this worker", reason=str(error))
        return None


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of a process group, and wait for its leader."""
    _signal_group(process, signal.SIGKILL)
    process.wait()
    with suppress(OSError):
        assert process.stdin is not None
        process.stdin.close()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _how_it_ended(status: int) -> str:
    if status >= 0:
        return f"ended with status {status} without a word"
    name = signal.Signals(-status).name
    hint = " (out of memory?)" if name == "SIGKILL" else ""
    return f"was killed by {name}{hint}"
