"""What commands make of the answers of a server."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from perfcast.cli._remote import Server
from perfcast.errors import InvalidInput, PerfcastError, Unavailable
from perfcast_client.calls import Call


class Answering(BaseHTTPRequestHandler):
    """Answers with the status that the path names; `/half` ends in the middle."""

    def do_GET(self) -> None:
        if self.path == "/half":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"job')
            return
        self.send_response(int(self.path[1:]))
        self.end_headers()
        self.wfile.write(json.dumps({"detail": "so it is"}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("path", ["/502", "/503", "/504", "/half"])
def test_a_server_that_cannot_answer_just_now_is_unavailable(url: str, path: str) -> None:
    with pytest.raises(Unavailable):
        Server(url).ask(Call("GET", path, bytes))


@pytest.mark.parametrize("path", ["/404", "/409", "/413", "/422", "/500"])
def test_a_refusal_is_not(url: str, path: str) -> None:
    with pytest.raises(PerfcastError, match="so it is") as refused:
        Server(url).ask(Call("GET", path, bytes))
    assert not isinstance(refused.value, Unavailable)
    assert isinstance(refused.value, InvalidInput) == (path in ("/413", "/422"))  # what parts of it may not be


@pytest.mark.parametrize("key", ["with a blank", "ключ"])
def test_a_key_that_no_header_takes_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(InvalidInput, match="--api-key: must be ASCII") as refused:
        Server("http://127.0.0.1:1", key)
    assert key not in str(refused.value)


def test_an_address_that_is_none_is_shown() -> None:
    with pytest.raises(InvalidInput, match=r"--url: .*localhost:8000.*'shop'"):
        Server("shop")
