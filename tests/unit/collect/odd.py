"""A server that answers as a test wishes."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.metric_servers import SHOP_BEGINS
from tests.unit.collect.conftest import Make

from perfcast.collect import Prometheus, Span

SPAN = Span.within(SHOP_BEGINS + 600, SHOP_BEGINS + 3600, 60)


class Odd:
    """A server that answers as a test wishes: `answer(path, form)` gives status, headers and body."""

    def __init__(self, answer: Callable[[str, dict[str, str]], tuple[int, dict[str, str], bytes]]) -> None:
        odd = self
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.headers: list[dict[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._reply(urlsplit(self.path).query)

            def do_POST(self) -> None:
                self._reply(self.rfile.read(int(self.headers["Content-Length"])).decode())

            def _reply(self, form: str) -> None:
                asked = {name: values[0] for name, values in parse_qs(form).items()}
                odd.asked.append((urlsplit(self.path).path, asked))
                odd.headers.append({name.lower(): value for name, value in self.headers.items()})
                status, headers, body = answer(self.path, asked)
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def odd(answer: Callable[[str, dict[str, str]], tuple[int, dict[str, str], bytes]]) -> Iterator[Odd]:
    made = Odd(answer)
    threading.Thread(target=made.server.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def always(status: int, body: bytes = b"", **headers: str) -> Callable[[str, dict[str, str]], Any]:
    return lambda path, form: (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def matrix(form: dict[str, str], value: float = 1.0) -> bytes:
    """What a server answers that has one series of one value."""
    moments = range(int(form["start"]), int(form["end"]) + 1, int(form["step"]))
    series = {"metric": {}, "values": [[at, str(value)] for at in moments]}
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [series]}}).encode()


def ask(address: str, collection_of: Make, **server: Any) -> Any:
    return Prometheus(collection_of(address, server={"url": address} | server).document.server).series("up", SPAN)
