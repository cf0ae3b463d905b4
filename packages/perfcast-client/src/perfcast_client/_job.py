"""A job that was submitted, as each client hands it out."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, ParamSpec

from perfcast_client._call import Call
from perfcast_client._watch import PATIENCE_SECONDS
from perfcast_client.answers import JobDetails, TrainingJob

if TYPE_CHECKING:
    from perfcast_client._async_client import AsyncClient
    from perfcast_client._client import Client

P = ParamSpec("P")


class Job:
    """A training job.

    Attributes:
        state: The job as it was seen last.
    """

    def __init__(self, client: "Client", state: TrainingJob) -> None:
        self._client, self.state = client, state

    def __repr__(self) -> str:
        return f"Job({self.id!r}, {self.state.status})"

    @property
    def id(self) -> str:
        """By which `jobs` knows it."""
        return self.state.job_id

    def refresh(self) -> TrainingJob:
        """Ask for its state."""
        self.state = self._client.jobs.get(self.id)
        return self.state

    def cancel(self) -> TrainingJob:
        """End it; it will have within five seconds."""
        self.state = self._client.jobs.cancel(self.id)
        return self.state

    def watch(self, *, patience: float = PATIENCE_SECONDS, timeout: float | None = None) -> Iterator[JobDetails]:
        """Each state at once as it comes about, last as it ended; see `jobs.watch`."""
        for state in self._client.jobs.watch(self.id, patience=patience, timeout=timeout):
            self.state = state
            yield state

    def wait(self, *, patience: float = PATIENCE_SECONDS, timeout: float | None = None) -> TrainingJob:
        """The job as it ended; whether well, its `succeeded` says."""
        for _ in self.watch(patience=patience, timeout=timeout):
            pass
        return self.state


class AsyncJob:
    """A training job.

    Attributes:
        state: The job as it was seen last.
    """

    def __init__(self, client: "AsyncClient", state: TrainingJob) -> None:
        self._client, self.state = client, state

    def __repr__(self) -> str:
        return f"AsyncJob({self.id!r}, {self.state.status})"

    @property
    def id(self) -> str:
        """By which `jobs` knows it."""
        return self.state.job_id

    async def refresh(self) -> TrainingJob:
        """Ask for its state."""
        self.state = await self._client.jobs.get(self.id)
        return self.state

    async def cancel(self) -> TrainingJob:
        """End it; it will have within five seconds."""
        self.state = await self._client.jobs.cancel(self.id)
        return self.state

    async def watch(
        self, *, patience: float = PATIENCE_SECONDS, timeout: float | None = None
    ) -> AsyncIterator[JobDetails]:
        """Each state at once as it comes about, last as it ended; see `jobs.watch`."""
        async for state in self._client.jobs.watch(self.id, patience=patience, timeout=timeout):
            self.state = state
            yield state

    async def wait(self, *, patience: float = PATIENCE_SECONDS, timeout: float | None = None) -> TrainingJob:
        """The job as it ended; whether well, its `succeeded` says."""
        async for _ in self.watch(patience=patience, timeout=timeout):
            pass
        return self.state


class Submitting(Generic[P]):
    """Binds a function that makes the call which submits a job: as `Blocking` does, but what comes is the job."""

    def __init__(self, make: Callable[P, Call[TrainingJob]]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    def __get__(self, client: "Client", owner: type[Any]) -> Callable[P, Job]:
        make = self._make

        def submit(*args: P.args, **kwargs: P.kwargs) -> Job:
            return Job(client, client.sender.run(make(*args, **kwargs)))

        return update_wrapper(submit, make)


class AsyncSubmitting(Generic[P]):
    """The same, awaited."""

    def __init__(self, make: Callable[P, Call[TrainingJob]]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    def __get__(self, client: "AsyncClient", owner: type[Any]) -> Callable[P, Coroutine[Any, Any, AsyncJob]]:
        make = self._make

        async def submit(*args: P.args, **kwargs: P.kwargs) -> AsyncJob:
            return AsyncJob(client, await client.sender.run(make(*args, **kwargs)))

        return update_wrapper(submit, make)
