"""A server that answers as a test says, one answer after another."""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest


@dataclass
class Answer:
    """What is sent; `announced` is the length that is claimed, the true one if None."""

    status: int = 200
    body: bytes = b'{"status": "alive"}'
    headers: Mapping[str, str] = field(default_factory=dict)
    announced: int | None = None


@dataclass
class Asked:
    """What came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Scripted:
    """The server: gives its answers in their order, the last one again and again; None cuts the connection."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Answer | None] = [Answer()]
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                script.asked.append(
                    Asked(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                )
                answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
                if answer is None:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                length = len(answer.body) if answer.announced is None else answer.announced
                for name, value in {"Content-Length": str(length), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)
                self.close_connection = length != len(answer.body)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - as http.server calls them

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def encrypt(self, context: ssl.SSLContext) -> None:
        """From now on answer through TLS."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = self.url.replace("http:", "https:")

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """It; pauses of the client are over at once."""
    monkeypatch.setattr("perfcast_client._sending._pauses._FIRST_SECONDS", 0.0)
    monkeypatch.setattr("perfcast_client._watch._PAUSE_SECONDS", 0.001)
    server = Scripted()
    yield server
    server.close()


@pytest.fixture
def problem() -> Callable[..., Answer]:
    """Makes a refusal as the server words it."""

    def make(status: int, detail: str = "so it is", headers: Mapping[str, str] = {}, **further: Any) -> Answer:
        document = {"status": status, "detail": detail, "request_id": "1a21", **further}
        return Answer(status, json.dumps(document).encode(), {"Content-Type": "application/problem+json", **headers})

    return make
