"""A server that is gone, slow, wrong, full or behind a proxy: nothing is lost, nothing is doubled, and it is said."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.metric_servers import SHOP_BEGINS, PrometheusServer, Shop, VictoriaServer, shop_samples
from tests.patience import PATIENCE_SECONDS
from tests.services import free_port, wait_until_it_listens
from tests.unit.collect.conftest import SHOP_ENDS, TARGET, Bench

from perfcast.collect import Busy, Collection, Prometheus, Retries, Span, TooMuch, TooSlow
from perfcast.errors import InvalidData, PerfcastError, Unavailable

Make = Callable[..., Collection]
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


def test_a_server_that_is_gone_is_unavailable(collection_of: Make) -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:\d+ doesn't answer \(.*refused"):
        ask(f"http://127.0.0.1:{free_port()}", collection_of)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_busy_is_asked_again(collection_of: Make, status: int) -> None:
    with odd(always(status, b"<html>busy</html>", Retry_After="7")) as server, pytest.raises(Busy) as raised:
        ask(server.url, collection_of)
    assert raised.value.seconds == 7
    assert "html" not in str(raised.value)


def test_a_server_that_takes_too_long_is_told_from_one_that_is_gone(collection_of: Make) -> None:
    release = threading.Event()

    def answer(path: str, form: dict[str, str]) -> Any:
        release.wait(PATIENCE_SECONDS)
        return 200, {}, b""

    with odd(answer) as server:
        try:
            with pytest.raises(TooSlow, match=r"took longer than 0\.2 s"):
                ask(server.url, collection_of, timeout=0.2)
        finally:
            release.set()


def test_a_server_that_drips_is_too_slow_as_well(collection_of: Make) -> None:
    with odd(always(200, b"{" * 10, Content_Length="1000000")) as server, pytest.raises(Unavailable):
        ask(server.url, collection_of, timeout=0.2)  # the rest never comes


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>", "not as Prometheus does (it begins '<!DOCTYPE html>"),
        (b'{"status": "succ', "not as Prometheus does"),
        (b"", "not as Prometheus does"),
        (b'{"hello": "world"}', "no data"),
        (b'{"status":"error","error":"bad luck"}', "bad luck"),
        (b'{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}', "a scalar where a matrix"),
        (b'{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1,"x"]]}]}}', "can't be read"),
    ],
)
def test_an_answer_that_is_none_is_said(collection_of: Make, body: bytes, told: str) -> None:
    with odd(always(200, body)) as server, pytest.raises(PerfcastError) as raised:
        ask(server.url, collection_of)
    assert told in str(raised.value)
    assert not isinstance(raised.value, Unavailable)


def test_an_answer_in_part_is_asked_for_again(collection_of: Make) -> None:
    def answer(path: str, form: dict[str, str]) -> Any:
        return 200, {}, json.dumps(json.loads(matrix(form)) | {"isPartial": True}).encode()

    with odd(answer) as server, pytest.raises(Unavailable, match="in part only"):
        ask(server.url, collection_of)


def test_an_answer_that_breaks_off_is_asked_for_again(collection_of: Make) -> None:
    def answer(path: str, form: dict[str, str]) -> Any:
        return 200, {"Content-Length": "100000", "Connection": "close"}, matrix(form)

    with odd(answer) as server, pytest.raises(Unavailable):
        ask(server.url, collection_of, timeout=2)


def test_secrets_go_to_no_other_address(collection_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "hidden")
    with odd(lambda path, form: (200, {}, matrix(form))) as other:
        with odd(always(302, Location=f"{other.url}/login")) as server, pytest.raises(PerfcastError, match="points to"):
            ask(server.url, collection_of, bearer_token={"env": "SHOP_TOKEN"})
        assert other.asked == []


def test_a_refused_token_is_said_without_it(collection_of: Make, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hidden\n")
    with odd(always(401, b"no")) as server, pytest.raises(PerfcastError, match=r"401.*check bearer_token") as raised:
        ask(server.url, collection_of, bearer_token={"file": str(tmp_path / "token")})
    assert "hidden" not in str(raised.value)
    assert server.headers[0]["authorization"] == "Bearer hidden"


def test_a_token_that_changes_is_read_again(collection_of: Make, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    with odd(lambda path, form: (200, {}, matrix(form))) as server:
        access = {"url": server.url, "bearer_token": {"file": str(token)}, "headers": {"X-Scope-OrgID": "shop"}}
        asker = Prometheus(collection_of(server.url, server=access).document.server)
        asker.series("up", SPAN)
        token.write_text("second")
        asker.series("up", SPAN)
    assert [headers["authorization"] for headers in server.headers] == ["Bearer first", "Bearer second"]
    assert server.headers[0]["x-scope-orgid"] == "shop"


@pytest.mark.parametrize(
    ("made", "option", "told"),
    [
        (PrometheusServer, "--query.max-samples=900", "422"),
        (VictoriaServer, "-search.maxPointsPerTimeseries=100", "422"),
    ],
)
def test_too_many_points_are_asked_for_in_smaller_pieces(
    made: type[PrometheusServer | VictoriaServer], option: str, told: str, scraped_shop: Shop, tmp_path: Path,
    prometheus_url: str, collection_of: Make, bench_of: Callable[..., Bench],
) -> None:  # fmt: skip
    whole = bench_of(collection_of(prometheus_url))
    whole.collector.backfill(SHOP_BEGINS, SHOP_ENDS)
    expected = whole.journal.rows()
    whole.journal.clear()
    server = made(tmp_path / "server", shop_samples(scraped_shop), option)
    server.start()
    try:
        with pytest.raises(TooMuch, match=told):
            Prometheus(collection_of(server.url).document.server).series(
                TARGET.replace("$window", "60s"), Span.within(SHOP_BEGINS, SHOP_ENDS, 60)
            )
        bench = bench_of(collection_of(server.url))
        bench.collector.backfill(SHOP_BEGINS, SHOP_ENDS)
        rows = bench.journal.rows()
    finally:
        server.stop()
    if made is PrometheusServer:
        assert rows.at.tolist() == expected.at.tolist()
        assert rows.cost.tolist() == expected.cost.tolist()
    assert len(rows) > 320


def test_prometheus_refuses_eleven_thousand_points_and_a_month_still_comes(
    prometheus_url: str, collection_of: Make, bench_of: Callable[..., Bench]
) -> None:
    collection = collection_of(prometheus_url, step=5, window=60)
    span = Span.within(SHOP_BEGINS - 50_000, SHOP_ENDS, 5)
    with pytest.raises(TooMuch, match="11,000"):
        Prometheus(collection.document.server).series("vector(1)", span)
    bench = bench_of(collection)
    seen: list[int] = []
    bench.collector.backfill(span.first, span.last, on_progress=lambda progress: seen.append(progress.done))
    assert seen == [10_000, len(span)]
    assert len(bench.journal.rows()) > 3500


def test_a_backfill_that_was_cut_off_goes_on_where_it_was(
    scraped_shop: Shop,
    tmp_path: Path,
    collection_of: Make,
    bench_of: Callable[..., Bench],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("perfcast.collect._series.MOST_POINTS", 60)
    server = PrometheusServer(tmp_path / "server", shop_samples(scraped_shop))
    server.start()
    collection = collection_of(server.url)
    bench = bench_of(collection)

    def stop(progress: Any) -> None:
        if progress.done == 120:
            server.stop()

    with pytest.raises(Unavailable, match="doesn't answer"):
        bench.collector.backfill(SHOP_BEGINS, SHOP_ENDS, on_progress=stop)
    assert len(bench.waits) == 1  # it was asked twice
    server.start()
    try:
        again, seen = bench_of(collection), []
        again.collector.backfill(SHOP_BEGINS, SHOP_ENDS, on_progress=lambda progress: seen.append(progress.done))
    finally:
        server.stop()
    assert seen == [180, 240, 300, 360, 361]
    rows = again.journal.rows()
    assert len(set(rows.at.tolist())) == len(rows)
    record = again.datasets.find("shop")
    assert record.rows == len(rows)


def test_following_fills_what_was_missed_while_the_server_was_gone(
    scraped_shop: Shop, tmp_path: Path, collection_of: Make, bench_of: Callable[..., Bench]
) -> None:
    server = PrometheusServer(tmp_path / "server", shop_samples(scraped_shop))
    server.start()
    bench = bench_of(collection_of(server.url, late=600))
    begin = SHOP_BEGINS + 3600
    assert bench.collector.catch_up(begin + 90) == 1
    server.stop()
    for minute in (1, 2, 3):
        with pytest.raises(Unavailable):
            bench.collector.catch_up(begin + 60 * minute + 90)
    server.start()
    try:
        assert bench.collector.catch_up(begin + 240 + 90) == 4
        assert bench.collector.catch_up(begin + 240 + 90) == 0
    finally:
        server.stop()
    assert bench.journal.rows().at.tolist() == [begin + 60 * minute for minute in range(5)]


def test_following_waits_and_goes_on_whatever_the_server_says(
    collection_of: Make, bench_of: Callable[..., Bench]
) -> None:
    answers: list[Any] = [
        (503, {}, b"away"), (200, {}, b"<html>"), (422, {}, b'{"status":"error","error":"odd"}'), (401, {}, b""),
    ]  # fmt: skip

    def answer(path: str, form: dict[str, str]) -> Any:
        return answers.pop(0) if answers else (200, {}, matrix(form))

    with odd(answer) as server:
        bench = bench_of(collection_of(server.url, capacity=100))
        pauses: list[float] = []

        def wait(seconds: float) -> bool:
            pauses.append(seconds)
            return len(bench.journal) > 0

        bench.collector.follow(wait)
    assert not answers
    assert len(pauses) == 4  # 503 was asked again at once
    assert len(bench.journal) == 1
    assert bench.datasets.find("shop").rows == 1  # what was new is published at the end


def test_pauses_grow_and_respect_what_the_server_asks_for() -> None:
    slept: list[float] = []
    retries = Retries(attempts=5, first=1.0, sleep=slept.append)

    def work() -> None:
        raise Busy("busy", 9.0 if len(slept) == 1 else 0.0)

    with pytest.raises(Busy):
        retries(work)
    assert len(slept) == 4
    assert 0.75 <= slept[0] <= 1.25
    assert slept[1] == 9.0
    assert 3 <= slept[2] <= 5
    assert 6 <= slept[3] <= 10


def test_an_error_that_no_waiting_helps_is_not_repeated() -> None:
    asked = []

    def work() -> None:
        asked.append(1)
        raise InvalidData("wrong")

    with pytest.raises(InvalidData):
        Retries(sleep=lambda _: None)(work)
    assert asked == [1]


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with an authority, and certificates of a server and of a client that it signed."""
    folder = tmp_path / "tls"
    folder.mkdir()

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=our authority", "-keyout", "ca.key", "-out", "ca.pem")  # fmt: skip
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr")  # fmt: skip
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-extfile", "names", "-out", f"{name}.pem")  # fmt: skip
    return folder


@pytest.fixture
def proxy_url(certificates: Path, prometheus_url: str, tmp_path: Path) -> Iterator[str]:
    """nginx that wants a client's certificate, a tenant and a password, with Prometheus below a path."""
    program = which("nginx") or which("nginx", path="/usr/sbin")
    if program is None:
        raise RuntimeError("tests need nginx: apt-get install nginx-light")
    port, kinds = free_port(), ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {tmp_path / kind};" for kind in kinds)
    (tmp_path / "nginx.conf").write_text(f"""
        pid {tmp_path / "pid"}; error_log {tmp_path / "nginx.log"} warn; daemon off; user root; events {{}}
        http {{ access_log off; {temporary} server {{
          listen 127.0.0.1:{port} ssl;
          ssl_certificate {certificates}/server.pem; ssl_certificate_key {certificates}/server.key;
          ssl_client_certificate {certificates}/ca.pem; ssl_verify_client on;
          location /teams/shop/ {{
            if ($http_x_scope_orgid != "shop") {{ return 403; }}
            if ($http_authorization != "Basic cmVhZGVyOmhpZGRlbg==") {{ return 401; }}
            proxy_pass {prometheus_url}/;
          }} }} }}""")
    log = tmp_path / "nginx.log"
    server = subprocess.Popen([program, "-c", tmp_path / "nginx.conf", "-p", tmp_path, "-e", log])
    wait_until_it_listens(server, port, "nginx")
    yield f"https://127.0.0.1:{port}/teams/shop"
    server.terminate()
    server.wait(PATIENCE_SECONDS)


def test_a_proxy_is_given_what_it_wants(
    proxy_url: str,
    certificates: Path,
    collection_of: Make,
    bench_of: Callable[..., Bench],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "hidden")
    access: dict[str, Any] = {
        "url": proxy_url,
        "ca_file": str(certificates / "ca.pem"),
        "cert_file": str(certificates / "client.pem"),
        "key_file": str(certificates / "client.key"),
        "headers": {"X-Scope-OrgID": "shop"},
        "username": "reader",
        "password": {"env": "SHOP_PASSWORD"},
    }
    bench = bench_of(collection_of(proxy_url, server=access))
    bench.collector.backfill(SHOP_BEGINS, SHOP_BEGINS + 3600)
    assert len(bench.journal) > 50
    lacking = [
        ({"headers": {}}, "answers 403.*check bearer_token, username, password and headers"),
        ({"username": "other"}, "answers 401"),
        ({"cert_file": "", "key_file": ""}, "answers 400"),
        ({"url": proxy_url.replace("shop", "nobody")}, "answers 404.*check the path in server.url"),
    ]
    for change, told in lacking:
        with pytest.raises(PerfcastError, match=told):
            ask(proxy_url, collection_of, **access | change)
    with pytest.raises(PerfcastError, match=r"can't be trusted.*server\.ca_file") as raised:
        ask(proxy_url, collection_of, **access | {"ca_file": ""})
    assert not isinstance(raised.value, Unavailable)


def test_the_time_of_day_of_the_server_is_noted(prometheus_url: str, collection_of: Make) -> None:
    server = Prometheus(collection_of(prometheus_url).document.server)
    server.series("vector(1)", SPAN)
    assert abs(server.ahead) < 5
