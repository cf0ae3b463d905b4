"""Where the commands of `perfcast jobs` find the jobs: in the database, or on a server. Both answer alike."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import msgspec

from perfcast.errors import FieldError, InvalidInput, PerfcastError, Unavailable

if TYPE_CHECKING:
    from perfcast.jobs import Jobs, Submissions

_SECONDS = 30


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
        return [job.document() for job in self._jobs.page(status=status, model=model, limit=limit)[0]]

    def show(self, identifier: str) -> dict[str, Any]:
        """One of them, with its last trials."""
        job = self._jobs.end_overdue(identifier)
        return job.document() | {"trials": job.trials()}

    def cancel(self, identifier: str) -> dict[str, Any]:
        """End one."""
        return self._jobs.cancel(identifier).document()


class There:
    """A server.

    Args:
        url: Its address.
        key: Its API key, if it asks for one.
    """

    def __init__(self, url: str, key: str = "") -> None:
        self._url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"} | ({"X-API-Key": key} if key else {})

    def submit(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Queue one."""
        return self.call("POST", "/train", asked)

    def page(self, status: str, model: str, limit: int) -> list[dict[str, Any]]:
        """The newest ones."""
        given = {"status": status, "model_name": model, "limit": str(limit)}
        found: list[dict[str, Any]] = self.call(
            "GET", "/train/jobs?" + urlencode({name: value for name, value in given.items() if value})
        )["jobs"]
        return found

    def show(self, identifier: str) -> dict[str, Any]:
        """One of them, with its last trials."""
        return self.call("GET", f"/jobs/{quote(identifier, safe='')}")

    def cancel(self, identifier: str) -> dict[str, Any]:
        """End one."""
        return self.call("POST", f"/train/cancel/{quote(identifier, safe='')}")

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask for something of the HTTP contract."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, self._headers, method=method)  # noqa: S310 - the user's own address
        try:
            with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                found: dict[str, Any] = {} if answer.status == HTTPStatus.NO_CONTENT else json.load(answer)
        except HTTPError as error:
            raise PerfcastError(_detail(error)) from None
        except (URLError, OSError, ValueError) as error:
            raise Unavailable(f"{self._url} doesn't answer ({error}); is `perfcast up` running there?") from None
        return found


@contextmanager
def open_jobs(url: str) -> Iterator[Place]:
    """The jobs of a server, or of the database where no address is given."""
    if url:
        yield server(url)
        return
    from perfcast.cli._workbench import workbench
    from perfcast.jobs import Jobs, Submissions, make_transport
    from perfcast.settings import load_settings

    settings = load_settings()
    transport = make_transport(settings)
    with workbench(settings) as bench:
        try:
            jobs = Jobs(bench.database, transport, attempts=settings.job_attempts)
            yield Here(jobs, Submissions(bench.datasets, bench.registry, bench.workloads))
        finally:
            transport.close()


def server(url: str) -> There:
    """The server at an address, asked with the first key of `API_KEY` if there is one."""
    return There(url, os.environ.get("API_KEY", "").partition(",")[0].partition(":")[0])


def _detail(error: HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered {error.code} {error.reason}"
