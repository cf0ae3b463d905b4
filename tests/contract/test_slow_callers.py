"""Callers who send or read too slowly, and more callers than a process takes on, over raw sockets."""

import json
import signal
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2
import pytest
from tests.contract.conftest import fill, start
from tests.patience import PATIENCE_SECONDS, until

LOAD = {
    "request_rate": 100,
    "active_users": 1,
    "db_connections": 1,
    "hour_sin": 0.5,
    "hour_cos": 0.866,
    "minute_sin": 0.2588,
    "minute_cos": 0.9659,
    "is_business_hour": 1,
}
BODY = json.dumps(LOAD).encode()
PLACES = 2


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("slow")
    fill(folder)
    process, address = start(folder, REQUEST_TIMEOUT_SECONDS="1.5", MAX_CONCURRENCY=str(PLACES))
    yield address
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 0


def connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    connection = socket.create_connection((parts.hostname, parts.port), 20)
    connection.settimeout(20)
    return connection


def to_the_end(connection: socket.socket) -> bytes:
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def half(path: str) -> bytes:
    return b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (path.encode(), len(BODY), BODY[:20])


@pytest.mark.parametrize("path", ["/predict", "/train"])
def test_a_body_that_stops_half_way_gets_408_and_the_connection_is_closed(address: str, path: str) -> None:
    with connect(address) as connection:
        connection.sendall(half(path))
        head, _, body = to_the_end(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in head.lower()
    assert json.loads(body)["type"] == "urn:perfcast:problem:too-slow"


def test_headers_that_stop_half_way_get_408_and_the_connection_is_closed(address: str) -> None:
    with connect(address) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ")
        head, _, body = to_the_end(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert json.loads(body)["status"] == 408


def test_headers_that_stop_half_way_after_an_answer_get_408(address: str) -> None:
    with connect(address) as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"POST /pred")
        assert b"HTTP/1.1 408" in to_the_end(connection)


def test_a_connection_on_which_nothing_is_ever_sent_is_closed_in_silence(address: str) -> None:
    with connect(address) as connection:
        assert to_the_end(connection) == b""


def test_a_body_in_drips_is_read_as_long_as_it_comes_in_time(address: str) -> None:
    with connect(address) as connection:
        connection.sendall(half("/predict"))
        time.sleep(0.3)  # beyond the moment for which the short way waits
        connection.sendall(BODY[20:])
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_an_idle_connection_between_two_requests_is_kept(address: str) -> None:
    with httpx2.Client(base_url=address) as client:
        client.get("/livez")
        time.sleep(3)  # twice the time in which a request must come
        stream = client.get("/livez").extensions["network_stream"]
        assert client.get("/livez").extensions["network_stream"] is stream


def test_an_answer_that_nobody_reads_is_given_up(address: str) -> None:
    request = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n"
    with connect(address) as connection:
        connection.sendall(request * 400)
        connection.settimeout(0)
        until(lambda: is_closed_by_the_other_side(connection, request))


def is_closed_by_the_other_side(connection: socket.socket, request: bytes) -> bool:
    """Told by sending: to read what has come would make room for more."""
    try:
        connection.send(request)
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return False


def refusal(client: httpx2.Client) -> httpx2.Response | None:
    answer = client.get("/models")
    return answer if answer.status_code == 503 else None


def test_beyond_the_bound_requests_are_refused_at_once_and_probes_and_plain_predictions_are_not(address: str) -> None:
    taken = [connect(address) for _ in range(2 * PLACES)]
    for connection, path in zip(taken, ["/train", "/predict"] * PLACES, strict=True):
        connection.sendall(half(path))
    with httpx2.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
        refused = until(lambda: refusal(client))
        assert refused.headers["Retry-After"] == "1"
        assert refused.json()["type"] == "urn:perfcast:problem:overloaded"
        assert "MAX_CONCURRENCY" in refused.json()["detail"]
        for probe in ("/livez", "/readyz", "/health", "/metrics"):
            assert client.get(probe).status_code == 200
        assert client.post("/predict", json=LOAD).status_code == 200
        for connection in taken:
            assert to_the_end(connection).startswith(b"HTTP/1.1 408")
            connection.close()
        assert client.get("/models").status_code == 200
        assert 'http_requests_total{method="GET",route="unmatched",status="503"}' in client.get("/metrics").text
