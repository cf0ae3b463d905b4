"""Training jobs for the client that lets others run: the same as `_jobs`, awaited."""

from collections.abc import AsyncIterator, Callable, Coroutine
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, overload

from perfcast_client import calls
from perfcast_client._call import Call
from perfcast_client._errors import PerfcastClientError
from perfcast_client._sending import AsyncSender, AsyncSending, Awaited
from perfcast_client._watch import PATIENCE_SECONDS, Watch
from perfcast_client.answers import JobDetails, TrainingJob

P = ParamSpec("P")


class AsyncJobs:
    """Training jobs."""

    def __init__(self, sender: AsyncSender) -> None:
        self.sender = sender

    get = Awaited(calls.get_job)
    cancel = Awaited(calls.cancel_job)

    async def list(
        self, *, status: str | None = None, model: str | None = None, workload: str | None = None, page: int = 100
    ) -> AsyncIterator[TrainingJob]:
        """Jobs, newest first, of a status, model and workload; so many are fetched at a time, when they are needed."""
        offset, given = 0, set[str]()
        while True:
            asked = calls.list_jobs(status=status, model=model, workload=workload, limit=page, offset=offset)
            found = await self.sender.run(asked)
            for job in found.jobs:
                if job.job_id not in given:  # newer ones move it on to the next page
                    yield job
            given |= {job.job_id for job in found.jobs}
            offset += len(found.jobs)
            if not found.jobs or offset >= found.total:
                return

    async def watch(
        self, job_id: str, *, patience: float = PATIENCE_SECONDS, timeout: float | None = None
    ) -> AsyncIterator[JobDetails]:
        """A job's states as they come about, the last as it ended.

        Goes on by itself when the connection breaks or the server is restarted.

        Args:
            job_id: Whose.
            patience: Most seconds that the server may be away.
            timeout: Most seconds in all, then `TimedOut`; None for no limit.
        """
        from asyncio import sleep

        watch = Watch(job_id, patience=patience, timeout=timeout)
        while not watch.over:
            error: PerfcastClientError | None = None
            try:
                async for job in self._follow(watch):
                    yield job
            except PerfcastClientError as broken:
                error = broken
            if not watch.over:
                await sleep(watch.pause(error))

    async def _follow(self, watch: Watch) -> AsyncIterator[JobDetails]:
        """What the job is now, and what a stream tells until it ends or breaks."""
        sender = self.sender if watch.last is None else self.sender.but(max_retries=0)
        for job in watch.saw(await sender.run(watch.look)):
            yield job
        stream = None if watch.over else watch.begin_stream()
        if stream is None:
            return
        async with sender.events(stream, watch.quiet_seconds) as events:
            async for event in events:
                for job in watch.heard(event):
                    yield job
                if watch.over:
                    return


class AsyncJob:
    """A training job.

    Attributes:
        state: The job as it was seen last.
    """

    def __init__(self, jobs: AsyncJobs, state: TrainingJob) -> None:
        self._jobs, self.state = jobs, state

    def __repr__(self) -> str:
        return f"AsyncJob({self.id!r}, {self.state.status})"

    @property
    def id(self) -> str:
        """By which `jobs` knows it."""
        return self.state.job_id

    async def refresh(self) -> TrainingJob:
        """Ask for its state."""
        self.state = await self._jobs.get(self.id)
        return self.state

    async def cancel(self) -> TrainingJob:
        """End it; it will have within five seconds."""
        self.state = await self._jobs.cancel(self.id)
        return self.state

    async def watch(
        self, *, patience: float = PATIENCE_SECONDS, timeout: float | None = None
    ) -> AsyncIterator[JobDetails]:
        """Each state at once as it comes about, last as it ended; see `jobs.watch`."""
        async for state in self._jobs.watch(self.id, patience=patience, timeout=timeout):
            self.state = state
            yield state

    async def wait(self, *, patience: float = PATIENCE_SECONDS, timeout: float | None = None) -> TrainingJob:
        """The job as it ended; whether well, its `succeeded` says."""
        async for _ in self.watch(patience=patience, timeout=timeout):
            pass
        return self.state


class AsyncSubmitting(Generic[P]):
    """Binds a function that makes the call which submits a job: as `Awaited` does, but what comes is the job."""

    def __init__(self, make: Callable[P, Call[TrainingJob]]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    @overload
    def __get__(self, client: None, owner: type[Any]) -> Callable[P, Call[TrainingJob]]: ...

    @overload
    def __get__(self, client: AsyncSending, owner: type[Any]) -> Callable[P, Coroutine[Any, Any, AsyncJob]]: ...

    def __get__(self, client: AsyncSending | None, owner: type[Any]) -> Callable[P, Any]:
        make = self._make
        if client is None:
            return make
        sender = client.sender

        async def submit(*args: P.args, **kwargs: P.kwargs) -> AsyncJob:
            return AsyncJob(AsyncJobs(sender), await sender.run(make(*args, **kwargs)))

        return update_wrapper(submit, make)
