"""The short way of `POST /predict`: the same answers as the usual way, and whatever isn't plain takes the usual one."""

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httptools
import httpx2
import pytest

LOAD: dict[str, Any] = {
    "request_rate": 120,
    "active_users": 60,
    "db_connections": 25,
    "timestamp": "2026-03-02T14:05:00Z",
}
PLAIN: dict[str, Any] = {
    "request_rate": 120,
    "active_users": 60,
    "db_connections": 25,
    "hour_sin": 0.5,
    "hour_cos": 0.866,
    "minute_sin": 0.2588,
    "minute_cos": 0.9659,
    "is_business_hour": 1,
}

COUNTER = 'ml_predictions_total{model_name="cpu-utilization",status="success"}'


class Response:
    """One response off the wire."""

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []
        self.body = b""
        self.complete = False
        self.status = 0

    @property
    def short(self) -> bool:
        """Whether it came the short way, which writes the length last."""
        return self.headers[-1][0] == "content-length"


class Connection:
    """A socket, and a parser of what comes back."""

    def __init__(self, address: str) -> None:
        where = urlsplit(address)
        self._socket = socket.create_connection((where.hostname, where.port), 10)
        self._parser = httptools.HttpResponseParser(self)
        self._responses: list[Response] = []

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self, *, within: float = 10) -> Response:
        """The next response."""
        self._socket.settimeout(within)
        while not self._responses or not self._responses[0].complete:
            data = self._socket.recv(65536)
            assert data, "the connection was closed"
            self._parser.feed_data(data)
        return self._responses.pop(0)

    def is_closed(self) -> bool:
        return self._socket.recv(1) == b""

    def close(self) -> None:
        self._socket.close()

    def on_message_begin(self) -> None:
        self._responses.append(Response())

    def on_header(self, name: bytes, value: bytes) -> None:
        self._responses[-1].headers.append((name.decode().lower(), value.decode()))

    def on_body(self, body: bytes) -> None:
        self._responses[-1].body += body

    def on_message_complete(self) -> None:
        self._responses[-1].complete = True
        self._responses[-1].status = self._parser.get_status_code()


@pytest.fixture
def connection(server: str) -> Iterator[Connection]:
    made = Connection(server)
    yield made
    made.close()


def request(body: bytes, *, version: str = "1.1", **headers: str) -> bytes:
    given = {"host": "localhost", "content-length": str(len(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    return f"POST /predict HTTP/{version}\r\n{lines}\r\n".encode() + body


def without_what_differs(body: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(body)
    return {name: value for name, value in answer.items() if name not in ("prediction_id", "prediction_timestamp")}


def test_a_whole_request_takes_the_short_way_and_gets_the_usual_answer(connection: Connection) -> None:
    whole = request(json.dumps(PLAIN).encode(), x_request_id="order-66")
    connection.send(whole)
    short = connection.receive()
    connection.send(request(json.dumps(PLAIN).encode(), x_request_id="order-66", expect="100-continue"))
    assert connection.receive().status == 100
    usual = connection.receive()
    assert (short.short, usual.short) == (True, False)
    assert (short.status, usual.status) == (200, 200)
    assert without_what_differs(short.body) == without_what_differs(usual.body)
    assert list(json.loads(short.body)) == list(json.loads(usual.body))
    assert dict(short.headers).keys() == dict(usual.headers).keys()
    assert dict(short.headers)["x-request-id"] == "order-66"


def test_requests_in_one_packet_are_answered_in_order_whichever_way_they_take(connection: Connection) -> None:
    plain, other = request(json.dumps(PLAIN).encode()), request(json.dumps(LOAD).encode())
    bad = request(b"{}")
    connection.send(plain + other + plain + bad + plain)
    responses = [connection.receive() for _ in range(5)]
    assert [response.status for response in responses] == [200, 200, 200, 422, 200]
    assert [response.short for response in responses][:2] == [True, False]


@pytest.mark.parametrize("piece", [7, 60, 150])
def test_a_body_in_pieces_takes_the_short_way_too(connection: Connection, piece: int) -> None:
    whole = request(json.dumps(PLAIN).encode())
    for at in range(0, len(whole), piece):
        connection.send(whole[at : at + piece])
    assert connection.receive().status == 200
    connection.send(whole)
    assert connection.receive().short


def test_a_body_that_is_long_in_coming_takes_the_usual_way(connection: Connection) -> None:
    whole = request(json.dumps(PLAIN).encode())
    connection.send(whole[:-9])
    with pytest.raises(TimeoutError):
        connection.receive(within=0.5)
    connection.send(whole[-9:])
    response = connection.receive()
    assert (response.status, response.short) == (200, False)


def test_a_caller_who_leaves_in_the_middle_disturbs_nobody(server: str, connection: Connection) -> None:
    whole = request(json.dumps(PLAIN).encode())
    other = Connection(server)
    other.send(whole[:-9])
    other.close()
    connection.send(whole)
    assert connection.receive().status == 200


def test_a_chunked_body_is_answered(connection: Connection) -> None:
    body = json.dumps(PLAIN).encode()
    head = b"POST /predict HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
    connection.send(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
    assert connection.receive().status == 200


def test_a_body_that_is_said_to_be_compressed_is_refused_whichever_way_it_comes(connection: Connection) -> None:
    whole = request(json.dumps(PLAIN).encode(), content_encoding="gzip")
    connection.send(whole)
    assert connection.receive().status == 415


def test_a_caller_who_waits_for_leave_to_send_gets_it(connection: Connection) -> None:
    body = json.dumps(PLAIN).encode()
    whole = request(body, expect="100-continue")
    connection.send(whole[: -len(body)])
    assert connection.receive().status == 100
    connection.send(body)
    assert connection.receive().status == 200


@pytest.mark.parametrize(("version", "headers"), [("1.0", {}), ("1.1", {"connection": "close"})])
def test_a_connection_that_shall_end_is_ended_after_the_answer(
    connection: Connection, version: str, headers: dict[str, str]
) -> None:
    connection.send(request(json.dumps(PLAIN).encode(), version=version, **headers))
    response = connection.receive()
    assert (response.status, response.short) == (200, False)
    assert connection.is_closed()


def test_both_ways_are_counted_and_recorded_alike(server: str, connection: Connection) -> None:
    def counted() -> float:
        text = httpx2.get(f"{server}/metrics").text
        (line,) = [line for line in text.splitlines() if line.startswith(COUNTER)]
        return float(line.split()[-1])

    whole = request(json.dumps(PLAIN).encode())
    connection.send(whole)
    connection.receive()
    before = counted()
    for piece in (whole, whole[:40], whole[40:]):
        connection.send(piece)
    assert connection.receive().short
    connection.receive()
    assert counted() == before + 2
