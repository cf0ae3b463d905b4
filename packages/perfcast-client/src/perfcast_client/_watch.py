"""Watching a job to its end, without I/O: what to ask next, and what to make of what came or broke."""

import time
from collections.abc import Iterator

import httpx2
import msgspec

from perfcast_client._call import Call, reading
from perfcast_client._errors import (
    ApiError,
    ConnectionFailed,
    PerfcastClientError,
    ServerError,
    TimedOut,
    TooManyRequests,
    UnreadableAnswer,
)
from perfcast_client.answers import JobDetails
from perfcast_client.calls import follow_job, get_job

QUIET_SECONDS = 45.0
"""A stream says something each 15 s, so one that is silent for longer is dead, whatever its connection says."""
PATIENCE_SECONDS = 300.0
_PAUSE_SECONDS = 1.0
_MOST_SILENT_STREAMS = 3
"""So many in a row that told nothing: something between refuses streams, and the job is asked for now and then."""


class Watch:
    """One watching.

    A stream that breaks is begun anew, after the job has been asked for once. That goes on, also while the server is
    away, until it has been away for `patience` seconds.

    Args:
        job_id: Whose.
        patience: Most seconds without an answer.
        timeout: Most seconds in all; None for no limit.

    Attributes:
        last: The job as it was seen last.
    """

    def __init__(self, job_id: str, *, patience: float = PATIENCE_SECONDS, timeout: float | None = None) -> None:
        self._job_id, self._patience = job_id, patience
        self._until = None if timeout is None else time.monotonic() + timeout
        self._timeout, self._heard = timeout, time.monotonic()
        self._silent_streams = 0
        self.last: JobDetails | None = None

    @property
    def over(self) -> bool:
        """Whether the job has ended."""
        return self.last is not None and self.last.finished

    @property
    def look(self) -> Call[JobDetails]:
        """Asks for the job once."""
        return get_job(self._job_id)

    def begin_stream(self) -> Call[bytes] | None:
        """Follows it; None where that told nothing too often."""
        self._silent_streams += 1
        return follow_job(self._job_id) if self._silent_streams <= _MOST_SILENT_STREAMS else None

    @property
    def quiet_seconds(self) -> float:
        """How long a stream may be silent."""
        left = QUIET_SECONDS if self._until is None else self._until - time.monotonic()
        return max(0.1, min(QUIET_SECONDS, left))

    def saw(self, job: JobDetails) -> Iterator[JobDetails]:
        """The job, if there is news of it."""
        self._heard = time.monotonic()
        news, self.last = job != self.last, job
        if news:
            yield job
        self._check_time()

    def heard(self, event: httpx2.ServerSentEvent) -> Iterator[JobDetails]:
        """What an event tells."""
        if event.event == "job":
            self._silent_streams = 0
            try:
                job = reading(JobDetails)(event.data.encode())
            except msgspec.MsgspecError as error:
                raise UnreadableAnswer(f"job {self._job_id}: an event that can't be read ({error})") from None
            yield from self.saw(job)

    def pause(self, error: PerfcastClientError | None) -> float:
        """Seconds to wait before looking again, after that broke with an error, or a stream just ended.

        Raises:
            PerfcastClientError: Waiting won't help, or the server has been away for too long.
        """
        self._check_time()
        if error is not None and not self._may_pass(error):
            raise error
        wanted = error.retry_after if isinstance(error, ApiError) else None
        return min(wanted or _PAUSE_SECONDS, self.quiet_seconds)

    def _may_pass(self, error: PerfcastClientError) -> bool:
        transient = isinstance(error, ConnectionFailed | ServerError | TooManyRequests)
        return transient and self.last is not None and time.monotonic() - self._heard < self._patience

    def _check_time(self) -> None:
        if self._until is not None and not self.over and time.monotonic() >= self._until:
            raise TimedOut(f"job {self._job_id} has not ended within {self._timeout:g} s; it goes on all the same")
