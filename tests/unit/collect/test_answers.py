"""A server that is gone, busy, slow or answers something odd: what may pass by itself is told from what is wrong."""

import json
import threading
from typing import Any

import pytest
from tests.patience import PATIENCE_SECONDS
from tests.services import free_port
from tests.unit.collect.conftest import Make
from tests.unit.collect.odd import SPAN, always, ask, matrix, odd

from perfcast.collect import Busy, Prometheus, TooSlow, check
from perfcast.errors import PerfcastError, Unavailable


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


def test_check_says_of_a_series_without_values_that_it_gives_nothing(collection_of: Make) -> None:
    empty = b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"job":"shop"},"histograms":[]}]}}'
    with odd(always(200, empty)) as server:
        collection = collection_of(server.url)
        report = check(collection, Prometheus(collection.document.server), hours=1)
    assert all("gives nothing" in finding.wrong[0] for finding in report.findings)


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


def test_the_time_of_day_of_the_server_is_noted(prometheus_url: str, collection_of: Make) -> None:
    server = Prometheus(collection_of(prometheus_url).document.server)
    server.series("vector(1)", SPAN)
    assert abs(server.ahead) < 5
