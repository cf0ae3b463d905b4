"""A Prometheus whose clock runs faster: the shop's day of twenty minutes looks like a day.

It stands before the real one and only moves times: those of a question are mapped to the recording's, windows such as
`[18m]` become as much shorter as the day is, and the times in the answer are mapped back. Values stay as they are:
rates are per real second.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import Request, urlopen

from perfcast.collect import seconds

DAY_SECONDS = 86_400
_TEXT_OR_WINDOW = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\[([^\]:]*)(:?)([^\]]*)\]""")


@dataclass(frozen=True)
class Stretch:
    """Two clocks.

    Attributes:
        opened: When the shop's first day began on the real clock, Unix time.
        begins: When it began on the other: a midnight, Unix time.
        factor: How much faster the other runs.
    """

    opened: float
    begins: float
    factor: float

    def real(self, moment: float) -> float:
        """A time of the stretched clock on the real one."""
        return self.opened + (moment - self.begins) / self.factor

    def stretched(self, moment: float) -> float:
        """A real time on the stretched clock."""
        return self.begins + (moment - self.opened) * self.factor

    def query(self, text: str) -> str:
        """PromQL with its windows made as much shorter."""
        return _TEXT_OR_WINDOW.sub(
            lambda found: found[1] or f"[{self._shorter(found[2])}{found[3]}{self._shorter(found[4])}]", text
        )

    def _shorter(self, duration: str) -> str:
        milliseconds = 1000 * seconds("window", duration) / self.factor if duration else 0
        return f"{max(1, round(milliseconds))}ms" if duration else ""

    def asked(self, form: Mapping[str, str]) -> dict[str, str]:
        """The parameters of a question as the real clock has them."""
        moments = {name: str(self.real(float(form[name]))) for name in ("start", "end", "time") if name in form}
        step = {"step": str(float(form["step"]) / self.factor)} if "step" in form else {}
        query = {"query": self.query(form["query"])} if "query" in form else {}
        return {**form, **moments, **step, **query}

    def answered(self, body: bytes) -> bytes:
        """An answer whose times are those of the stretched clock, to the second."""
        answer = json.loads(body)
        data = answer.get("data")
        if isinstance(data, dict):
            for series in data.get("result", []):
                self._move(series)
        return json.dumps(answer).encode()

    def _move(self, series: Any) -> None:
        if not isinstance(series, dict):
            return
        for sample in [*series.get("values", []), *([series["value"]] if "value" in series else [])]:
            sample[0] = round(self.stretched(float(sample[0])))


@contextmanager
def stretched(prometheus: str, stretch: Stretch) -> Iterator[str]:
    """A server on loopback that answers as `prometheus` does, by the other clock; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._pass_on(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _pass_on(self, form: str) -> None:
            asked = urlencode(stretch.asked(dict(parse_qsl(form)))).encode()
            status, body = _ask(prometheus + urlsplit(self.path).path, asked)
            body = stretch.answered(body) if status == 200 else body
            self.send_response_only(status)  # without a date, which would be that of the real clock
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _ask(url: str, form: bytes) -> tuple[int, bytes]:
    try:
        with urlopen(Request(url, form), timeout=60) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()
