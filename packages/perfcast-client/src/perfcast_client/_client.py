"""The client that waits for each answer."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import httpx2

from perfcast_client import calls
from perfcast_client._call import Call, T
from perfcast_client._jobs import Jobs, Submitting
from perfcast_client._sending import Blocking, Options, Raw, Sender, Server


class Client:
    """Perfcast's HTTP API; keeps its connections, and may be shared by threads.

    Args:
        url: `PERFCAST_URL` if None, else http://localhost:8000.
        api_key: `PERFCAST_API_KEY` if None.
        timeout: Most seconds without a byte, while connecting, sending or waiting.
        max_retries: How often a call is tried again, where that can do no harm.
        headers: Sent with every call.
        transport: What carries requests, instead of connections of its own.

    Example:
        >>> with Client() as client:
        ...     client.predict({"request_rate": 120, ...}).cost
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 30.0,
        max_retries: int = 2,
        headers: Mapping[str, str] | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        server, options = Server.of(url, api_key), Options(timeout, max_retries, headers or {})
        pool = httpx2.Client(transport=transport, verify=server.certificates())
        self.sender = Sender(pool, server, options)

    def __repr__(self) -> str:
        return f"Client({self.sender.server.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, also those of clients made by `with_options`, which are the same."""
        self.sender.close()

    def with_options(
        self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> "Client":
        """A client with other options and the same connections; what is None stays.

        `idempotency_key` is for one call of `train` or `feedback`, repeated by yourself: without it each call has one
        of its own.
        """
        other = Client.__new__(Client)
        other.sender = self.sender.but(
            timeout=timeout, max_retries=max_retries, headers=headers, idempotency_key=idempotency_key
        )
        return other

    def raw(self, call: Call[T]) -> Raw[T]:
        """Send a call of `perfcast_client.calls` and give the whole answer: its headers, id, seconds and value."""
        return self.sender.send(call)

    @property
    def url(self) -> str:
        """The server's address."""
        return self.sender.server.url

    @property
    def models(self) -> "Models":
        """Models and their versions."""
        return Models(self.sender)

    @property
    def workloads(self) -> "Workloads":
        """What can be predicted."""
        return Workloads(self.sender)

    @property
    def datasets(self) -> "Datasets":
        """Measured rows."""
        return Datasets(self.sender)

    @property
    def jobs(self) -> "Jobs":
        """Training jobs."""
        return Jobs(self.sender)

    @property
    def schedules(self) -> "Schedules":
        """Continuous training."""
        return Schedules(self.sender)

    predict = Blocking(calls.predict)
    predict_batch = Blocking(calls.predict_batch)
    explain = Blocking(calls.explain)
    headroom = Blocking(calls.headroom)
    runway = Blocking(calls.runway)
    autoscale = Blocking(calls.autoscale)
    networks = Blocking(calls.networks)
    predict_network = Blocking(calls.predict_network)
    feedback = Blocking(calls.feedback)
    feedback_batch = Blocking(calls.feedback_batch)
    benchmark = Blocking(calls.benchmark)
    train = Submitting(calls.train)
    about = Blocking(calls.about)
    health = Blocking(calls.health)
    live = Blocking(calls.live)
    ready = Blocking(calls.ready)
    metrics = Blocking(calls.metrics)


class _Group:
    def __init__(self, sender: Sender) -> None:
        self.sender = sender


class Models(_Group):
    """Models and versions: which there are, how good they are, and which answer."""

    list = Blocking(calls.list_models)
    get = Blocking(calls.get_model)
    metrics = Blocking(calls.version_metrics)
    judged = Blocking(calls.judged_rows)
    drift = Blocking(calls.drift)
    card = Blocking(calls.card)
    activate = Blocking(calls.activate)
    deactivate = Blocking(calls.deactivate)
    set_alias = Blocking(calls.set_alias)
    clear_alias = Blocking(calls.clear_alias)
    traffic = Blocking(calls.traffic)
    set_traffic = Blocking(calls.set_traffic)
    history = Blocking(calls.model_history)
    upload = Blocking(calls.upload_version)
    delete = Blocking(calls.delete_version)


class Workloads(_Group):
    """What can be predicted: declarations, presets, and the models that answer."""

    list = Blocking(calls.list_workloads)
    get = Blocking(calls.get_workload)


class Datasets(_Group):
    """Measured rows that models learn from."""

    list = Blocking(calls.list_datasets)
    get = Blocking(calls.get_dataset)
    rows = Blocking(calls.dataset_rows)


class Schedules(_Group):
    """When models are trained anew."""

    list = Blocking(calls.list_schedules)
    get = Blocking(calls.get_schedule)
    set = Blocking(calls.set_schedule)
    remove = Blocking(calls.remove_schedule)
    history = Blocking(calls.schedule_history)
