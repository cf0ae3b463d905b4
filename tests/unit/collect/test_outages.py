"""A server that goes away and comes back: nothing is lost, nothing is doubled, and it is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.metric_servers import SHOP_BEGINS, PrometheusServer, Shop, shop_samples
from tests.unit.collect.conftest import SHOP_ENDS, Bench, Make
from tests.unit.collect.odd import matrix, odd

from perfcast.collect import Busy, Retries
from perfcast.errors import InvalidData, Unavailable


@pytest.fixture
def server(scraped_shop: Shop, tmp_path: Path) -> PrometheusServer:
    """A Prometheus that holds the shop's samples, not started yet."""
    return PrometheusServer(tmp_path / "server", shop_samples(scraped_shop))


def test_a_backfill_that_was_cut_off_goes_on_where_it_was(
    server: PrometheusServer, collection_of: Make, bench_of: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perfcast.collect._series.MOST_POINTS", 60)
    server.start()
    collection = collection_of(server.url)
    bench = bench_of(collection)

    def stop(progress: Any) -> None:
        if progress.done == 120:
            server.stop()

    with pytest.raises(Unavailable, match="doesn't answer"):
        bench.collector.backfill(SHOP_BEGINS, SHOP_ENDS, on_progress=stop)
    assert len(bench.waits) == 1  # it was asked twice
    with server:
        again, seen = bench_of(collection), []
        again.collector.backfill(SHOP_BEGINS, SHOP_ENDS, on_progress=lambda progress: seen.append(progress.done))
    assert seen == [180, 240, 300, 360, 361]
    rows = again.journal.rows()
    assert len(set(rows.at.tolist())) == len(rows)
    record = again.datasets.find("shop")
    assert record.rows == len(rows)


def test_following_fills_what_was_missed_while_the_server_was_gone(
    server: PrometheusServer, collection_of: Make, bench_of: Callable[..., Bench]
) -> None:
    bench = bench_of(collection_of(server.url, late=600))
    begin = SHOP_BEGINS + 3600
    with server:
        assert bench.collector.catch_up(begin + 90) == 1
    for minute in (1, 2, 3):
        with pytest.raises(Unavailable):
            bench.collector.catch_up(begin + 60 * minute + 90)
    with server:
        assert bench.collector.catch_up(begin + 240 + 90) == 4
        assert bench.collector.catch_up(begin + 240 + 90) == 0
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
