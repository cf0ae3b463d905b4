"""A server that commands speak to."""

import json
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from perfcast.errors import FieldError, InvalidInput, PerfcastError, Unavailable
from perfcast.settings import CLIENT_KEY

_SECONDS = 30
_AWAY = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
"""What a server that starts, ends or can't reach its database answers, or a proxy in its place."""


class Server:
    """A server.

    Args:
        url: Its address.
        key: Its API key, if it asks for one.

    Raises:
        InvalidInput: The key can't be sent in a header.
    """

    def __init__(self, url: str, key: str = "") -> None:
        if not all("!" <= character <= "~" for character in key):
            raise InvalidInput([FieldError("--api-key", f"must be ASCII without blanks; check {CLIENT_KEY}")])
        self._url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"} | ({"X-API-Key": key} if key else {})

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask for something of the HTTP contract.

        Raises:
            Unavailable: Nobody answers, or only that it can't just now; asking again may help.
            PerfcastError: The server refuses it.
        """
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, self._headers, method=method)  # noqa: S310 - the user's own address
        try:
            with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                found: dict[str, Any] = {} if answer.status == HTTPStatus.NO_CONTENT else json.load(answer)
        except HTTPError as error:
            raise (Unavailable if error.code in _AWAY else PerfcastError)(_detail(error)) from None
        except (URLError, OSError, HTTPException, ValueError) as error:
            raise Unavailable(f"{self._url} doesn't answer ({error}); is `perfcast up` running there?") from None
        return found


def _detail(error: HTTPError) -> str:
    try:
        text = str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered {error.code} {error.reason}"
    asked = error.code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    return f"{text}; commands take it from --api-key or {CLIENT_KEY}" if asked else text
