"""Where the commands of `perfcast jobs` find the jobs: in the database, or on a server. Both answer alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

import msgspec

from perfcast.cli._remote import Server
from perfcast.errors import FieldError, InvalidInput

if TYPE_CHECKING:
    from perfcast.jobs import Jobs, Submissions


class Place(Protocol):
    """What can be done with jobs; they are as the HTTP contract shows them."""

    def submit(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Queue one."""
        ...

    def page(self, status: str, model: str, limit: int) -> list[dict[str, Any]]:
        """The newest ones."""
        ...

    def show(self, identifier: str) -> dict[str, Any]:
        """One of them, with its last trials."""
        ...

    def cancel(self, identifier: str) -> dict[str, Any]:
        """End one."""
        ...


class Here:
    """The registry's own database."""

    def __init__(self, jobs: "Jobs", submissions: "Submissions") -> None:
        self._jobs, self._submissions = jobs, submissions

    def submit(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Queue one."""
        from perfcast.jobs import Asked

        try:
            complete = self._submissions.complete(msgspec.convert(asked, Asked))
        except msgspec.ValidationError as error:
            raise InvalidInput([FieldError("options", str(error))]) from None
        return self._jobs.submit(complete).document()

    def page(self, status: str, model: str, limit: int) -> list[dict[str, Any]]:
        """The newest ones."""
        from perfcast.jobs import STATUSES

        if status and status not in STATUSES:
            raise InvalidInput([FieldError("status", f"must be one of {', '.join(STATUSES)}, got '{status}'")])
        return [job.document() for job in self._jobs.page(status=status, model=model, limit=limit)[0]]

    def show(self, identifier: str) -> dict[str, Any]:
        """One of them, with its last trials."""
        job = self._jobs.end_overdue(identifier)
        return job.document() | {"trials": job.trials()}

    def cancel(self, identifier: str) -> dict[str, Any]:
        """End one."""
        return self._jobs.cancel(identifier).document()


class There:
    """A server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def submit(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Queue one."""
        return self._server.call("POST", "/train", asked)

    def page(self, status: str, model: str, limit: int) -> list[dict[str, Any]]:
        """The newest ones."""
        given = {"status": status, "model_name": model, "limit": str(limit)}
        found: list[dict[str, Any]] = self._server.call(
            "GET", "/train/jobs?" + urlencode({name: value for name, value in given.items() if value})
        )["jobs"]
        return found

    def show(self, identifier: str) -> dict[str, Any]:
        """One of them, with its last trials."""
        return self._server.call("GET", f"/jobs/{quote(identifier, safe='')}")

    def cancel(self, identifier: str) -> dict[str, Any]:
        """End one."""
        return self._server.call("POST", f"/train/cancel/{quote(identifier, safe='')}")


@contextmanager
def open_jobs(url: str, key: str = "") -> Iterator[Place]:
    """The jobs of a server, or of the database where no address is given."""
    if url:
        yield There(Server(url, key))
        return
    from perfcast.cli._workbench import workbench
    from perfcast.jobs import Jobs, Submissions, make_transport
    from perfcast.settings import load_settings

    settings = load_settings()
    transport = make_transport(settings)
    with workbench(settings) as bench:
        try:
            jobs = Jobs(
                bench.database, transport, attempts=settings.job_attempts, retry_seconds=settings.job_retry_seconds
            )
            yield Here(jobs, Submissions(bench.datasets, bench.registry, bench.workloads))
        finally:
            transport.close()
