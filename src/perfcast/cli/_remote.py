"""A server that commands speak to: the one module of theirs that knows HTTP, in the same shape as `_place.Here`."""

import json
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from perfcast.errors import InvalidInput, PerfcastError, Unavailable
from perfcast.settings import CLIENT_KEY

_SECONDS = 30
_AWAY = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
"""What a server that starts, ends or can't reach its database answers, or a proxy in its place."""
_WRONG = frozenset({HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})


class Server:
    """A server, and its API key if it asks for one.

    Raises:
        InvalidInput: The key can't be sent in a header.
    """

    def __init__(self, url: str, key: str = "") -> None:
        if not all("!" <= character <= "~" for character in key):
            raise InvalidInput.of("--api-key", f"must be ASCII without blanks; check {CLIENT_KEY}")
        self._url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"} | ({"X-API-Key": key} if key else {})

    def call(self, method: str, path: str, body: dict[str, Any] | list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """Ask for something of the HTTP contract.

        Raises:
            Unavailable: Nobody answers, or only that it can't just now; asking again may help.
            InvalidInput: The server says that what was sent is wrong, or too much at once.
            PerfcastError: The server refuses it.
        """
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, self._headers, method=method)  # noqa: S310 - the user's own address
        try:
            with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                found: dict[str, Any] = {} if answer.status == HTTPStatus.NO_CONTENT else json.load(answer)
        except HTTPError as error:
            raise _refusal(error) from None
        except (URLError, OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            told = getattr(reason, "strerror", None) or reason
            raise Unavailable(f"{self._url} doesn't answer ({told}); is `perfcast up` running there?") from None
        return found

    def predict(self, model: str, features: dict[str, Any], coverage: float) -> dict[str, Any]:
        named = {"model_name": model} if model else {}
        return self.call("POST", "/predict", {**named, "features": features, "coverage": coverage})

    def submit(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self.call("POST", "/train", asked)

    def jobs(self, status: str, model: str, limit: int) -> list[dict[str, Any]]:
        given = {"status": status, "model_name": model, "limit": str(limit)}
        return self._list("/train/jobs?" + urlencode({name: value for name, value in given.items() if value}), "jobs")

    def job(self, identifier: str) -> dict[str, Any]:
        return self.call("GET", f"/jobs/{quote(identifier, safe='')}")

    def cancel(self, identifier: str) -> dict[str, Any]:
        return self.call("POST", f"/train/cancel/{quote(identifier, safe='')}")

    def arms(self, model: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.call("GET", f"/models/{quote(model, safe='')}/traffic")["arms"]
        return found

    def schedules(self) -> list[dict[str, Any]]:
        return self._list("/schedules", "schedules")

    def schedule(self, model: str) -> dict[str, Any]:
        return self.call("GET", _schedule(model))

    def set_schedule(self, model: str, plan: dict[str, Any]) -> dict[str, Any]:
        return self.call("PUT", _schedule(model), plan)

    def remove_schedule(self, model: str) -> None:
        self.call("DELETE", _schedule(model))

    def schedule_history(self, model: str, limit: int) -> list[dict[str, Any]]:
        return self._list(f"{_schedule(model)}/history?limit={limit}", "events")

    def drift(self, model: str) -> dict[str, Any]:
        return self.call("GET", f"/models/{quote(model, safe='')}/drift")

    def feedback(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        return self.call("POST", "/feedback", rows)

    def _list(self, path: str, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", path)[name]
        return found


def _schedule(model: str) -> str:
    return f"/schedules/{quote(model, safe='')}"


def _refusal(error: HTTPError) -> PerfcastError:
    if error.code in _WRONG:
        return _Wrong(_detail(error))
    return (Unavailable if error.code in _AWAY else PerfcastError)(_detail(error))


class _Wrong(InvalidInput):
    """What a server says of a body that it can't take, in its own words."""

    def __init__(self, text: str) -> None:
        super().__init__(())
        self.args = (text,)


def _detail(error: HTTPError) -> str:
    try:
        text = str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered {error.code} {error.reason}"
    asked = error.code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    return f"{text}; commands take it from --api-key or {CLIENT_KEY}" if asked else text
