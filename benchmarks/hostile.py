"""Sends what no honest client sends, over raw sockets, and writes the answers into docs/bad-input.md.

    .venv/bin/perfcast up &
    .venv/bin/python benchmarks/hostile.py --url http://127.0.0.1:8000

`tests/integration/test_hostile.py` asks the same of a server of its own and holds the answers against `CASES`.
"""

import argparse
import gzip
import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

PAGE = Path(__file__).parent.parent / "docs" / "bad-input.md"
BEGIN, END = "<!-- hostile: written by benchmarks/hostile.py -->", "<!-- hostile: end -->"
SECONDS = 30
_CHUNK = 65_536
_SHOWN = 130
_LOAD = '"active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"'
JSON = "Content-Type: application/json"
_GOOD = f'{{"request_rate": 120, {_LOAD}}}'.encode()

Sent = Callable[[], Iterator[bytes]]


class Answer(NamedTuple):
    """What came back on one connection: the statuses in order, and the last body."""

    statuses: tuple[int, ...]
    body: str

    @property
    def detail(self) -> str:
        """The problem's text, or the body as it is."""
        try:
            return str(json.loads(self.body)["detail"])
        except (ValueError, KeyError, TypeError):
            return self.body.strip()


class Case(NamedTuple):
    """One thing to send: what it is, its bytes, the statuses it must get (none: the connection is just closed)."""

    name: str
    sent: Sent
    statuses: tuple[int, ...]


def post(body: bytes, *headers: str, path: str = "/predict") -> bytes:
    """A request with an honest length."""
    return head("POST", path, f"Content-Length: {len(body)}", *headers) + body


def put(body: bytes, *, path: str) -> bytes:
    """The same, to change something."""
    return head("PUT", path, f"Content-Length: {len(body)}", JSON) + body


def head(method: str, path: str, *headers: str) -> bytes:
    """A request's head."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: perfcast", *headers, "", ""]).encode("latin-1")


def once(message: bytes) -> Sent:
    """The message as it is."""
    return lambda: iter((message,))


def with_rate(value: str) -> Sent:
    """A prediction whose request rate is this JSON text."""
    return once(post(f'{{"request_rate": {value}, {_LOAD}}}'.encode()))


def chunked(*chunks: bytes) -> Sent:
    """A prediction in chunks that are given with their sizes."""
    return lambda: iter((head("POST", "/predict", "Transfer-Encoding: chunked"), *chunks))


def endless(line: bytes, times: int) -> Iterator[bytes]:
    """The line many times, in pieces of a network packet or so."""
    together = max(1, _CHUNK // len(line))
    for _ in range(times // together):
        yield line * together


def _announced() -> Iterator[bytes]:
    yield head("POST", "/predict", "Content-Length: 50000000")
    yield from endless(b" " * _CHUNK, 16)


def _unannounced() -> Iterator[bytes]:
    yield head("POST", "/predict", "Transfer-Encoding: chunked")
    yield from endless(b"10000\r\n" + b" " * 65_536 + b"\r\n", 800)


def _many_headers() -> Iterator[bytes]:
    yield b"POST /predict HTTP/1.1\r\nHost: perfcast\r\n"
    yield from endless(b"X-Flood: 1\r\n", 10_000_000)


def _huge_header() -> Iterator[bytes]:
    yield b"POST /predict HTTP/1.1\r\nHost: perfcast\r\nX-Flood: "
    yield from endless(b"a" * _CHUNK, 1500)


def _flood(first: bytes, times: int, last: bytes) -> Sent:
    return lambda: iter((first, *endless(b"a" * _CHUNK, times), last))


INFER = "/v2/models/cpu-utilization/infer"
CASES = (
    Case("a good body, for comparison", once(post(_GOOD)), (200,)),
    Case("50 MB announced", _announced, (413,)),
    Case("50 MB in chunks", _unannounced, (413,)),
    Case("200,000 lists inside each other", once(post(b"[" * 200_000)), (422,)),
    Case("100,000 objects inside each other", once(post(b'{"a":' * 100_000)), (422,)),
    Case("deep nesting in a field that nobody reads", with_rate("1, " + '"x": ' + "[" * 50_000 + "]" * 50_000), (422,)),
    Case("`NaN`", with_rate("NaN"), (422,)),
    Case("`Infinity`", with_rate("Infinity"), (422,)),
    Case("`1e308`", with_rate("1e308"), (422,)),
    Case("`1e999`", with_rate("1e999"), (422,)),
    Case("a number of 100,000 digits", with_rate("9" * 100_000), (422,)),
    Case("invalid UTF-8", once(post(b'{"request_rate": "\xff\xfe"}')), (422,)),
    Case("lone surrogate `\\ud800`", once(post(b'{"model_name": "\\ud800"}')), (422,)),
    Case("null bytes as a body", once(post(b"\0" * 1000)), (422,)),
    Case("null byte in a name", once(post(b'{"model_name": "a\\u0000b", "features": {}}')), (422,)),
    Case("the same key twice: the last counts", with_rate('-1, "request_rate": 120'), (200,)),
    Case(
        "gzip bomb (100 MB of blanks in 100 kB)",
        lambda: iter((post(gzip.compress(b" " * 100_000_000), "Content-Encoding: gzip"),)),
        (415,),
    ),
    Case(
        "gzip bomb for `/v2/…/infer`, which unpacks",
        lambda: iter((post(gzip.compress(b" " * 100_000_000), "Content-Encoding: gzip", path=INFER),)),
        (413,),
    ),
    Case("gzip bomb, unannounced", lambda: iter((post(gzip.compress(b" " * 10_000_000)),)), (422,)),
    Case("10,000,000 headers", _many_headers, (431,)),
    Case("one header of 100 MB", _huge_header, (431,)),
    Case("10,000 small headers (60 kB)", once(b"POST /predict HTTP/1.1\r\n" + b"a: 1\r\n" * 10_000 + b"\r\n"), (431,)),
    Case("a header without a colon", once(b"GET /livez HTTP/1.1\r\nHost perfcast\r\n\r\n"), (400,)),
    Case("null byte in a header", once(b"GET /livez HTTP/1.1\r\nHost: p\0q\r\n\r\n"), (400,)),
    Case("header folded over two lines", once(b"GET /livez HTTP/1.1\r\nX: a\r\n b\r\n\r\n"), (400,)),
    Case("path of 100 kB", _flood(b"GET /", 2, b" HTTP/1.1\r\n\r\n"), (431,)),
    Case("path of 60 kB", once(head("GET", "/" + "a" * 60_000)), (404,)),
    Case("null byte in a path", once(head("GET", "/models/\0")), (400,)),
    Case("`%00` in a path", once(head("GET", "/models/%00")), (422,)),
    Case("`%00` in a job's id", once(head("GET", "/jobs/%00")), (422,)),
    Case("`%00` in the id of a job to cancel", once(head("POST", "/train/cancel/%00")), (422,)),
    Case("`%00` in the id of a job to follow", once(head("GET", "/jobs/%00/events")), (422,)),
    Case("`%00` in a schedule's model", once(head("DELETE", "/schedules/%00")), (422,)),
    Case("`%00` in a query", once(head("GET", "/train/jobs?model_name=%00")), (422,)),
    Case("null byte in what to train", once(post(b'{"dataset": "a\\u0000b"}', JSON, path="/train")), (422,)),
    Case(
        "null byte in what a schedule trains",
        once(put(b'{"cron": "0 3 * * *", "request": {"dataset": "a\\u0000b"}}', path="/schedules/cpu-utilization")),
        (422,),
    ),
    Case("a null byte as a key", once(post(b'{"a\\u0000b": 1}', JSON, path="/train")), (422,)),
    Case("invalid percent signs in a path", once(head("GET", "/models/%zz%f")), (422,)),
    Case("method of 1 MB", lambda: endless(b"A" * _CHUNK, 16), (400,)),
    Case("method that does not exist", once(head("PREDICT", "/predict")), (400,)),
    Case("no HTTP at all", once(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), (400,)),
    Case("HTTP/9.9", once(b"GET /livez HTTP/9.9\r\n\r\n"), (400,)),
    Case("negative Content-Length", once(head("POST", "/predict", "Content-Length: -1")), (400,)),
    Case("Content-Length that is no number", once(head("POST", "/predict", "Content-Length: ten")), (400,)),
    Case("Content-Length of 30 digits", once(head("POST", "/predict", f"Content-Length: {'9' * 30}")), (400,)),
    Case("Content-Length of 18 digits", once(head("POST", "/predict", f"Content-Length: {'9' * 18}")), (413,)),
    Case(
        "two different Content-Lengths",
        once(head("POST", "/predict", "Content-Length: 1", "Content-Length: 2") + b"{}"),
        (400,),
    ),
    Case(
        "Content-Length and chunks",
        once(head("POST", "/predict", "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n"),
        (400,),
    ),
    Case("chunk of size `zz`", chunked(b"zz\r\n{}\r\n0\r\n\r\n"), (400,)),
    Case("chunk of negative size", chunked(b"-2\r\n{}\r\n0\r\n\r\n"), (400,)),
    Case("chunk of size 2⁷²", chunked(b"fffffffffffffffff1\r\n{}\r\n"), (400,)),
    Case("chunk longer than its size", chunked(b"2\r\n{}{}{}\r\n0\r\n\r\n"), (400,)),
    Case(
        "100,000 chunks of one byte",
        lambda: iter(
            (head("POST", "/predict", "Transfer-Encoding: chunked"), *endless(b"1\r\n \r\n", 100_000), b"0\r\n\r\n")
        ),
        (422,),
    ),
    Case("half a body, then closed", once(head("POST", "/predict", "Content-Length: 100") + _GOOD[:50]), ()),
    Case("half a head, then closed", once(b"POST /predict HTTP/1.1\r\nHost: perf"), ()),
    Case("nothing, then closed", once(b""), ()),
    Case("100 requests in one packet", once(post(_GOOD) * 100), (200,) * 100),
    Case("10,000 requests at once", lambda: iter((head("GET", "/livez") * 10_000,)), (200,) * 10_000),
    Case(
        "`Expect: 100-continue` for 50 MB",
        once(head("POST", "/predict", "Expect: 100-continue", "Content-Length: 50000000")),
        (413,),
    ),
    Case(
        "an upgrade that isn't offered",
        once(head("GET", "/livez", "Connection: Upgrade", "Upgrade: websocket")),
        (200,),
    ),
    Case("CONNECT", once(b"CONNECT example.org:443 HTTP/1.1\r\nHost: a\r\n\r\n"), (400,)),
    Case("`*` as a path", once(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), (404,)),
    Case(
        "another server's address as a path", once(b"GET http://example.org/livez HTTP/1.1\r\nHost: a\r\n\r\n"), (200,)
    ),
    Case("good, bad, good in one packet", once(post(_GOOD) + post(b"{") + post(_GOOD)), (200, 422, 200)),
    Case("a request hidden in the body of another", once(post(post(_GOOD))), (422,)),
)


def ask(address: tuple[str, int], case: Case) -> Answer:
    """Send everything, or as much as the server takes, and read as many answers as are due."""
    statuses: list[int] = []
    body, rest = b"", bytearray()
    with socket.create_connection(address, SECONDS) as connection:
        try:
            for part in case.sent():
                connection.sendall(part)
        except ConnectionError:  # the server has answered and closed: what it said can still be read
            pass
        try:
            while len(statuses) < len(case.statuses):
                part = connection.recv(_CHUNK)
                if not part:
                    break
                rest += part
                while (found := _first(rest)) is not None:
                    status, body = found
                    statuses += [] if status == 100 else [status]
        except ConnectionError:
            pass
    return Answer(tuple(statuses), body.decode("utf-8", "replace"))


def _first(received: bytearray) -> tuple[int, bytes] | None:
    """Take the first answer out of what was received, if it is complete."""
    end = received.find(b"\r\n\r\n") + 4
    if end < 4:
        return None
    begin = bytes(received[:end])
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", begin)
    size = int(length[1]) if length else 0
    if len(received) < end + size:
        return None
    body = bytes(received[end : end + size])
    del received[: end + size]
    return int(begin.split(b" ", 2)[1]), body


def row(case: Case, answer: Answer) -> str:
    """A line of the table."""
    statuses = answer.statuses
    same = len(set(statuses)) == 1 and len(statuses) > 1
    shown = f"{statuses[0]}, {len(statuses):,} times" if same else ", ".join(map(str, statuses)) or "–"
    said = "the connection is closed" if not statuses else "an answer" if statuses[-1] == 200 else answer.detail
    said = said if len(said) <= _SHOWN else said[:_SHOWN] + "…"
    return f"| {case.name} | {shown} | {said.replace('|', chr(92) + '|')} |"


def main() -> None:
    """Ask a server everything, print what is unexpected, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="A server that nobody else needs just now.")
    where = urlsplit(parser.parse_args().url)
    address = (where.hostname or "127.0.0.1", where.port or 80)
    rows = []
    for case in CASES:
        answer = ask(address, case)
        rows.append(row(case, answer))
        if answer.statuses != case.statuses:
            print(f"unexpected: {case.name}: {answer.statuses[:5]}, not {case.statuses[:5]}: {answer.detail[:_SHOWN]}")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join(["| sent | status | answer |", "|---|---|---|", *rows])
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")


if __name__ == "__main__":
    main()
