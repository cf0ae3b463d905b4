"""Where the commands of `perfcast schedules` find them: in the database, or on a server. Both answer alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import msgspec

from perfcast.cli._remote import Server
from perfcast.errors import FieldError, InvalidInput

if TYPE_CHECKING:
    from perfcast.jobs import Schedules


class Place(Protocol):
    """What can be done with schedules; they are as the HTTP contract shows them."""

    def every(self) -> list[dict[str, Any]]:
        """All of them."""
        ...

    def put(self, model: str, plan: dict[str, Any]) -> dict[str, Any]:
        """Make or replace one."""
        ...

    def show(self, model: str) -> dict[str, Any]:
        """One of them."""
        ...

    def remove(self, model: str) -> None:
        """Delete one."""
        ...

    def history(self, model: str, limit: int) -> list[dict[str, Any]]:
        """What one did, newest first."""
        ...


class Here:
    """The registry's own database."""

    def __init__(self, schedules: "Schedules") -> None:
        self._schedules = schedules

    def every(self) -> list[dict[str, Any]]:
        """All of them."""
        return [self._schedules.document(schedule) for schedule in self._schedules.every()]

    def put(self, model: str, plan: dict[str, Any]) -> dict[str, Any]:
        """Make or replace one."""
        from perfcast.jobs import Plan

        try:
            given = msgspec.convert(plan, Plan)
        except msgspec.ValidationError as error:
            raise InvalidInput([FieldError("options", str(error))]) from None
        return self._schedules.document(self._schedules.put(model, given))

    def show(self, model: str) -> dict[str, Any]:
        """One of them."""
        return self._schedules.document(self._schedules.find(model))

    def remove(self, model: str) -> None:
        """Delete one."""
        self._schedules.remove(model)

    def history(self, model: str, limit: int) -> list[dict[str, Any]]:
        """What one did, newest first."""
        return [event.document() for event in self._schedules.history(model, limit=limit)]


class There:
    """A server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def every(self) -> list[dict[str, Any]]:
        """All of them."""
        found: list[dict[str, Any]] = self._server.call("GET", "/schedules")["schedules"]
        return found

    def put(self, model: str, plan: dict[str, Any]) -> dict[str, Any]:
        """Make or replace one."""
        return self._server.call("PUT", _path(model), plan)

    def show(self, model: str) -> dict[str, Any]:
        """One of them."""
        return self._server.call("GET", _path(model))

    def remove(self, model: str) -> None:
        """Delete one."""
        self._server.call("DELETE", _path(model))

    def history(self, model: str, limit: int) -> list[dict[str, Any]]:
        """What one did, newest first."""
        found: list[dict[str, Any]] = self._server.call("GET", f"{_path(model)}/history?limit={limit}")["events"]
        return found


@contextmanager
def open_schedules(url: str, key: str = "") -> Iterator[Place]:
    """The schedules of a server, or of the database where no address is given."""
    if url:
        yield There(Server(url, key))
        return
    from zoneinfo import ZoneInfo

    from perfcast.cli._workbench import workbench
    from perfcast.jobs import Schedules, Submissions
    from perfcast.settings import load_settings

    settings = load_settings()
    with workbench(settings) as bench:
        submissions = Submissions(bench.datasets, bench.registry, bench.workloads)
        yield Here(Schedules(bench.database, submissions, ZoneInfo(settings.service_timezone)))


def _path(model: str) -> str:
    return f"/schedules/{quote(model, safe='')}"
