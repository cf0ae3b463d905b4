"""Training jobs for the client that waits."""

import time
from collections.abc import Callable, Iterator
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, overload

from perfcast_client import calls
from perfcast_client._call import Call
from perfcast_client._errors import PerfcastClientError
from perfcast_client._sending import Blocking, Sender, Sending
from perfcast_client._watch import PATIENCE_SECONDS, Watch
from perfcast_client.answers import JobDetails, TrainingJob

P = ParamSpec("P")


class Jobs:
    """Training jobs."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender

    get = Blocking(calls.get_job)
    cancel = Blocking(calls.cancel_job)

    def list(
        self, *, status: str | None = None, model: str | None = None, workload: str | None = None, page: int = 100
    ) -> Iterator[TrainingJob]:
        """Jobs, newest first, of a status, model and workload; so many are fetched at a time, when they are needed."""
        offset, given = 0, set[str]()
        while True:
            asked = calls.list_jobs(status=status, model=model, workload=workload, limit=page, offset=offset)
            found = self.sender.run(asked)
            for job in found.jobs:
                if job.job_id not in given:  # newer ones move it on to the next page
                    yield job
            given |= {job.job_id for job in found.jobs}
            offset += len(found.jobs)
            if not found.jobs or offset >= found.total:
                return

    def watch(
        self, job_id: str, *, patience: float = PATIENCE_SECONDS, timeout: float | None = None
    ) -> Iterator[JobDetails]:
        """A job's states as they come about, the last as it ended.

        Goes on by itself when the connection breaks or the server is restarted.

        Args:
            job_id: Whose.
            patience: Most seconds that the server may be away.
            timeout: Most seconds in all, then `TimedOut`; None for no limit.
        """
        watch = Watch(job_id, patience=patience, timeout=timeout)
        while not watch.over:
            error: PerfcastClientError | None = None
            try:
                yield from self._follow(watch)
            except PerfcastClientError as broken:
                error = broken
            if not watch.over:
                time.sleep(watch.pause(error))

    def _follow(self, watch: Watch) -> Iterator[JobDetails]:
        """What the job is now, and what a stream tells until it ends or breaks."""
        sender = self.sender if watch.last is None else self.sender.but(max_retries=0)
        yield from watch.saw(sender.run(watch.look))
        stream = None if watch.over else watch.begin_stream()
        if stream is None:
            return
        with sender.events(stream, watch.quiet_seconds) as events:
            for event in events:
                yield from watch.heard(event)
                if watch.over:
                    return


class Job:
    """A training job.

    Attributes:
        state: The job as it was seen last.
    """

    def __init__(self, jobs: Jobs, state: TrainingJob) -> None:
        self._jobs, self.state = jobs, state

    def __repr__(self) -> str:
        return f"Job({self.id!r}, {self.state.status})"

    @property
    def id(self) -> str:
        """By which `jobs` knows it."""
        return self.state.job_id

    def refresh(self) -> TrainingJob:
        """Ask for its state."""
        self.state = self._jobs.get(self.id)
        return self.state

    def cancel(self) -> TrainingJob:
        """End it; it will have within five seconds."""
        self.state = self._jobs.cancel(self.id)
        return self.state

    def watch(self, *, patience: float = PATIENCE_SECONDS, timeout: float | None = None) -> Iterator[JobDetails]:
        """Each state at once as it comes about, last as it ended; see `jobs.watch`."""
        for state in self._jobs.watch(self.id, patience=patience, timeout=timeout):
            self.state = state
            yield state

    def wait(self, *, patience: float = PATIENCE_SECONDS, timeout: float | None = None) -> TrainingJob:
        """The job as it ended; whether well, its `succeeded` says."""
        for _ in self.watch(patience=patience, timeout=timeout):
            pass
        return self.state


class Submitting(Generic[P]):
    """Binds a function that makes the call which submits a job: as `Blocking` does, but what comes is the job."""

    def __init__(self, make: Callable[P, Call[TrainingJob]]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    @overload
    def __get__(self, client: None, owner: type[Any]) -> Callable[P, Call[TrainingJob]]: ...

    @overload
    def __get__(self, client: Sending, owner: type[Any]) -> Callable[P, Job]: ...

    def __get__(self, client: Sending | None, owner: type[Any]) -> Callable[P, Any]:
        make = self._make
        if client is None:
            return make
        sender = client.sender

        def submit(*args: P.args, **kwargs: P.kwargs) -> Job:
            return Job(Jobs(sender), sender.run(make(*args, **kwargs)))

        return update_wrapper(submit, make)
