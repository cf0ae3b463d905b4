"""The client that lets others run while it waits: the same as `_client`, awaited."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import httpx2

from perfcast_client import calls
from perfcast_client._async_jobs import AsyncJobs, AsyncSubmitting
from perfcast_client._call import Call, T
from perfcast_client._sending import AsyncSender, Awaited, Options, Raw, Server


class AsyncClient:
    """Perfcast's HTTP API; keeps its connections, and may be shared by tasks of one event loop (asyncio).

    Args:
        url: `PERFCAST_URL` if None, else http://localhost:8000.
        api_key: `PERFCAST_API_KEY` if None.
        timeout: Most seconds without a byte, while connecting, sending or waiting.
        max_retries: How often a call is tried again, where that can do no harm.
        headers: Sent with every call.
        transport: What carries requests, instead of connections of its own.

    Example:
        >>> async with AsyncClient() as client:
        ...     (await client.predict({"request_rate": 120, ...})).cost
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 30.0,
        max_retries: int = 2,
        headers: Mapping[str, str] | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        server, options = Server.of(url, api_key), Options(timeout, max_retries, headers or {})
        self.sender = AsyncSender(
            httpx2.AsyncClient(transport=transport, verify=server.certificates()), server, options
        )

    def __repr__(self) -> str:
        return f"AsyncClient({self.sender.server.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections, also those of clients made by `with_options`, which are the same."""
        await self.sender.close()

    def with_options(
        self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> "AsyncClient":
        """A client with other options and the same connections; what is None stays.

        `idempotency_key` is for one call of `train` or `feedback`, repeated by yourself: without it each call has one
        of its own.
        """
        other = AsyncClient.__new__(AsyncClient)
        other.sender = self.sender.but(
            timeout=timeout, max_retries=max_retries, headers=headers, idempotency_key=idempotency_key
        )
        return other

    async def raw(self, call: Call[T]) -> Raw[T]:
        """Send a call of `perfcast_client.calls` and give the whole answer: its headers, id, seconds and value."""
        return await self.sender.send(call)

    @property
    def url(self) -> str:
        """The server's address."""
        return self.sender.server.url

    @property
    def models(self) -> "AsyncModels":
        """Models and their versions."""
        return AsyncModels(self.sender)

    @property
    def workloads(self) -> "AsyncWorkloads":
        """What can be predicted."""
        return AsyncWorkloads(self.sender)

    @property
    def datasets(self) -> "AsyncDatasets":
        """Measured rows."""
        return AsyncDatasets(self.sender)

    @property
    def jobs(self) -> "AsyncJobs":
        """Training jobs."""
        return AsyncJobs(self.sender)

    @property
    def schedules(self) -> "AsyncSchedules":
        """Continuous training."""
        return AsyncSchedules(self.sender)

    predict = Awaited(calls.predict)
    predict_batch = Awaited(calls.predict_batch)
    explain = Awaited(calls.explain)
    headroom = Awaited(calls.headroom)
    runway = Awaited(calls.runway)
    autoscale = Awaited(calls.autoscale)
    networks = Awaited(calls.networks)
    predict_network = Awaited(calls.predict_network)
    feedback = Awaited(calls.feedback)
    feedback_batch = Awaited(calls.feedback_batch)
    benchmark = Awaited(calls.benchmark)
    train = AsyncSubmitting(calls.train)
    about = Awaited(calls.about)
    health = Awaited(calls.health)
    live = Awaited(calls.live)
    ready = Awaited(calls.ready)
    metrics = Awaited(calls.metrics)


class _Group:
    def __init__(self, sender: AsyncSender) -> None:
        self.sender = sender


class AsyncModels(_Group):
    """Models and versions: which there are, how good they are, and which answer."""

    list = Awaited(calls.list_models)
    get = Awaited(calls.get_model)
    metrics = Awaited(calls.version_metrics)
    judged = Awaited(calls.judged_rows)
    drift = Awaited(calls.drift)
    card = Awaited(calls.card)
    activate = Awaited(calls.activate)
    deactivate = Awaited(calls.deactivate)
    set_alias = Awaited(calls.set_alias)
    clear_alias = Awaited(calls.clear_alias)
    traffic = Awaited(calls.traffic)
    set_traffic = Awaited(calls.set_traffic)
    history = Awaited(calls.model_history)
    upload = Awaited(calls.upload_version)
    delete = Awaited(calls.delete_version)


class AsyncWorkloads(_Group):
    """What can be predicted: declarations, presets, and the models that answer."""

    list = Awaited(calls.list_workloads)
    get = Awaited(calls.get_workload)


class AsyncDatasets(_Group):
    """Measured rows that models learn from."""

    list = Awaited(calls.list_datasets)
    get = Awaited(calls.get_dataset)
    rows = Awaited(calls.dataset_rows)


class AsyncSchedules(_Group):
    """When models are trained anew."""

    list = Awaited(calls.list_schedules)
    get = Awaited(calls.get_schedule)
    set = Awaited(calls.set_schedule)
    remove = Awaited(calls.remove_schedule)
    history = Awaited(calls.schedule_history)
