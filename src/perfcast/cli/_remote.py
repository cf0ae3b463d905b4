"""A server that commands speak to, through the client, in the same shape as `_place.Here`: plain data, our errors."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec

from perfcast.errors import InvalidInput, PerfcastError, Unavailable
from perfcast.settings import CLIENT_KEY
from perfcast_client import (
    ApiError,
    Client,
    ConnectionFailed,
    NotAllowed,
    NotAuthenticated,
    PerfcastClientError,
    TooLarge,
    calls,
)

_SECONDS = 30.0
_AWAY = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
"""What a server that starts, ends or can't reach its database answers, or a proxy in its place."""


class Server:
    """A server, and its API key if it asks for one; what can't be had now is told at once, and not tried again.

    Raises:
        InvalidInput: The key can't be sent in a header, or the address is none.
    """

    def __init__(self, url: str, key: str = "") -> None:
        try:
            self._client = Client(url, api_key=key, timeout=_SECONDS, max_retries=0)
        except ValueError as error:
            field, _, told = str(error).partition(": ")
            raise InvalidInput.of({"api_key": "--api-key"}.get(field, f"--{field}"), told) from None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, call: calls.Call[Any]) -> dict[str, Any]:
        """What the server answers to a call, as it came.

        Raises:
            Unavailable: Nobody answers, or only that it can't just now; asking again may help.
            InvalidInput: The server says that what was sent is wrong, or too much at once.
            PerfcastError: The server refuses it.
        """
        try:
            content = self._client.raw(call).content
        except PerfcastClientError as error:
            raise _ours(error) from None
        found: dict[str, Any] = msgspec.json.decode(content) if content else {}
        return found

    def predict(self, model: str, features: dict[str, Any], coverage: float) -> dict[str, Any]:
        return self.ask(calls.predict(features, model=model or None, coverage=coverage))

    def explain(self, model: str, features: dict[str, Any]) -> dict[str, Any]:
        return self.ask(calls.explain(features, model=model or None))

    def headroom(self, asked: dict[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in asked.items() if name != "model_name"}
        return self.ask(calls.headroom(**given, model=asked["model_name"]))

    def runway(self, asked: dict[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in asked.items() if name != "model_name"}
        return self.ask(calls.runway(**given, model=asked["model_name"]))

    def networks(self) -> dict[str, Any]:
        return self.ask(calls.networks())

    def predict_network(self, asked: dict[str, Any], file: Path | None = None) -> dict[str, Any]:
        return self.ask(calls.predict_network(network=file, **asked))

    def submit(self, asked: dict[str, Any]) -> dict[str, Any]:
        given = asked | {"model": asked.get("model_name")}
        return self.ask(calls.train(**{name: value for name, value in given.items() if name != "model_name"}))

    def jobs(self, status: str, model: str, limit: int) -> list[dict[str, Any]]:
        return self._list(calls.list_jobs(status=status or None, model=model or None, limit=limit), "jobs")

    def job(self, identifier: str) -> dict[str, Any]:
        return self.ask(calls.get_job(identifier))

    def cancel(self, identifier: str) -> dict[str, Any]:
        return self.ask(calls.cancel_job(identifier))

    def arms(self, model: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.ask(calls.traffic(model))["arms"]
        return found

    def schedules(self) -> list[dict[str, Any]]:
        return self._list(calls.list_schedules(), "schedules")

    def schedule(self, model: str) -> dict[str, Any]:
        return self.ask(calls.get_schedule(model))

    def set_schedule(self, model: str, plan: dict[str, Any]) -> dict[str, Any]:
        return self.ask(calls.set_schedule(model, **plan))

    def remove_schedule(self, model: str) -> None:
        self.ask(calls.remove_schedule(model))

    def schedule_history(self, model: str, limit: int) -> list[dict[str, Any]]:
        return self._list(calls.schedule_history(model, limit=limit), "events")

    def drift(self, model: str) -> dict[str, Any]:
        return self.ask(calls.drift(model))

    def feedback(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        return self.ask(calls.feedback_batch(rows))

    def _list(self, call: calls.Call[Any], name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask(call)[name]
        return found


def _ours(error: PerfcastClientError) -> PerfcastError:
    """The client's error as commands know it, in the server's own words."""
    if isinstance(error, ConnectionFailed):
        return Unavailable(str(error))
    if not isinstance(error, ApiError):
        return PerfcastError(str(error))
    if isinstance(error, NotAuthenticated | NotAllowed):
        return PerfcastError(f"{error.detail}; commands take it from --api-key or {CLIENT_KEY}")
    if error.status == HTTPStatus.UNPROCESSABLE_ENTITY or isinstance(error, TooLarge):
        return _Wrong(error.detail)
    return (Unavailable if error.status in _AWAY else PerfcastError)(error.detail)


class _Wrong(InvalidInput):
    """What a server says of a body that it can't take, in its own words."""

    def __init__(self, text: str) -> None:
        super().__init__(())
        self.args = (text,)
