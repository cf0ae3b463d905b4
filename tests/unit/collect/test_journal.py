"""The journal keeps each instant once, and what waits to be sent until it is sent."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from structlog.testing import capture_logs
from tests.metric_servers import SHOP_BEGINS
from tests.unit.collect.conftest import Bench, Make

from perfcast.collect import Collector, Journal, Prometheus, Span
from perfcast.collect._rows import Taken
from perfcast.datasets import Dataset
from perfcast.errors import InvalidData, InvalidInput, PerfcastError, Unavailable
from perfcast.workloads import builtin_workloads

URL = "http://localhost:9090"
WIDTH = len(builtin_workloads()["cpu-utilization"].features)
BEGIN = SHOP_BEGINS


def taken(first: int, count: int, left_out: dict[int, str] | None = None) -> Taken:
    """Rows a minute apart whose cost is their number."""
    at = BEGIN + 60 * np.arange(first, first + count)
    features = np.tile(np.float32([10, 5, 2, 0, 1, 0, 1, 1]), (count, 1))
    return Taken(at, features, np.arange(first, first + count, dtype=np.float32) % 100, left_out or {})


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "collect" / "shop.db", WIDTH)) as made:
        yield made


def test_an_instant_is_kept_once_and_stays_as_it_was(journal: Journal) -> None:
    assert journal.add(taken(0, 3), send=False) == 3
    later = taken(2, 2)
    later.cost[:] = 77
    assert journal.add(later, send=False) == 1
    assert journal.rows().cost.tolist() == [0, 1, 2, 77]


def test_a_gap_gives_way_to_a_row_and_never_the_other_way(journal: Journal) -> None:
    journal.add(taken(0, 0, {BEGIN: "no value", BEGIN + 60: "no value"}), send=False)
    journal.add(taken(0, 1), send=False)
    journal.add(taken(0, 0, {BEGIN: "no value"}), send=False)
    span = Span.within(BEGIN, BEGIN + 600, 60)
    assert dict(journal.gaps(span)) == {"no value": 1}
    assert journal.asked(span).tolist() == [BEGIN, BEGIN + 60]
    assert journal.asked(span, gaps=False).tolist() == [BEGIN]


def test_two_processes_may_write_at_once(journal: Journal) -> None:
    with closing(Journal(journal.path, WIDTH)) as other:
        journal.add(taken(0, 5), send=True)
        assert other.add(taken(3, 5), send=True) == 3
        assert other.count_waiting() == 8
    assert len(journal) == 8


def test_a_file_that_is_no_journal_is_said(tmp_path: Path) -> None:
    (tmp_path / "shop.db").write_bytes(b"something else, at least a hundred bytes of it" * 10)
    with pytest.raises(Unavailable, match=r"shop\.db can't be used .*move it away"):
        Journal(tmp_path / "shop.db", WIDTH)


def test_a_disk_that_is_full_loses_nothing_that_was_there(journal: Journal) -> None:
    journal.add(taken(0, 3), send=False)
    journal._file.execute("PRAGMA max_page_count = 1")  # as a full disk: no page can be added
    with pytest.raises(Unavailable, match="can't be written"):
        journal.add(taken(3, 5000), send=False)
    assert len(journal) == 3
    journal._file.execute("PRAGMA max_page_count = 100000")
    assert journal.add(taken(3, 5000), send=False) == 5000


def test_a_journal_that_cant_be_read_is_unavailable_as_all_else_that_may_pass(journal: Journal) -> None:
    journal._file.execute("ALTER TABLE row RENAME TO gone")
    for ask in (journal.count_waiting, journal.rows, journal.last_asked, lambda: len(journal)):
        with pytest.raises(Unavailable, match=r"the journal .*shop\.db can't be read"):
            ask()


def test_only_the_newest_rows_are_kept(journal: Journal) -> None:
    journal.add(taken(0, 10, {BEGIN + 30: "no value", BEGIN + 570: "no value"}), send=False)
    journal.forget(4)
    assert journal.rows().cost.tolist() == [6, 7, 8, 9]
    assert sum(journal.gaps(Span.within(BEGIN, BEGIN + 6000, 30)).values()) == 1


class Receiver:
    """Takes feedback, except for what it is told to refuse."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.error: Exception | None = None
        self.bad: set[float] = set()
        self.whole = False  # whether one bad row makes it refuse the list

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        if self.error:
            raise self.error
        if self.whole and any(row["actual"] in self.bad for row in rows):
            raise InvalidInput.of("body", "a row is wrong")
        self.got += [row for row in rows if row["actual"] not in self.bad]
        refused = {"status": "refused", "error": "a row is wrong"}
        return {"results": [refused if row["actual"] in self.bad else {"status": "accepted"} for row in rows]}


def test_rows_wait_until_the_server_takes_them(collection_of: Make, bench_of: Callable[..., Bench]) -> None:
    receiver = Receiver()
    bench = bench_of(collection_of(URL, model="cpu-utilization-shop"), receiver)
    assert bench.feedback
    bench.journal.add(taken(0, 3), send=True)
    for error in (Unavailable("away"), PerfcastError("unknown model")):
        receiver.error = error
        bench.feedback.send_waiting()
        assert bench.journal.count_waiting() == 3
    receiver.error = None
    with capture_logs() as logs:
        bench.feedback.send_waiting()
        bench.feedback.send_waiting()
    assert [(line["event"], line["sent"]) for line in logs] == [("feedback goes on", 3)]
    assert [row["actual"] for row in receiver.got] == [0, 1, 2]
    first = receiver.got[0]
    assert first["model_name"] == "cpu-utilization-shop"
    assert first["measured_at"] == datetime.fromtimestamp(BEGIN, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert first["features"]["request_rate"] == 10
    assert first["features"]["is_business_hour"] == 1
    assert (bench.feedback.sent, bench.journal.count_waiting()) == (3, 0)


@pytest.mark.parametrize("whole", [False, True])
def test_one_row_that_is_refused_holds_up_no_other(
    collection_of: Make, bench_of: Callable[..., Bench], *, whole: bool
) -> None:
    receiver = Receiver()
    receiver.bad, receiver.whole = {5.0, 11.0}, whole
    bench = bench_of(collection_of(URL, model="m"), receiver)
    assert bench.feedback
    bench.journal.add(taken(0, 20), send=True)
    bench.feedback.send_waiting()
    assert sorted(row["actual"] for row in receiver.got) == [n for n in range(20) if n not in (5, 11)]
    assert (bench.feedback.sent, bench.journal.count_waiting()) == (18, 0)


def test_what_waits_is_bounded(
    collection_of: Make, bench_of: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perfcast.collect._feedback._MOST_WAITING", 10)
    receiver = Receiver()
    bench = bench_of(collection_of(URL, model="m"), receiver)
    assert bench.feedback
    bench.journal.add(taken(0, 25), send=True)
    receiver.error = Unavailable("away")
    bench.feedback.send_waiting()
    assert bench.journal.waiting(25).cost.tolist() == list(range(15, 25))
    assert len(bench.journal) == 25


def test_a_line_that_was_imported_goes_on(collection_of: Make, bench_of: Callable[..., Bench], datasets: Any) -> None:
    rows = taken(0, 5)
    moments = rows.at.astype("datetime64[s]").astype("datetime64[us]")
    datasets.add(Dataset("shop", builtin_workloads()["cpu-utilization"], rows.features, rows.cost, moments))
    bench = bench_of(collection_of(URL))
    assert bench.recalled == 5
    bench.journal.add(taken(4, 3), send=False)
    record = bench.line.publish()
    assert record
    assert record.rows == 7
    assert record.provenance["source"] == "perfcast collect"
    assert bench_of(collection_of(URL)).recalled == 0


def test_a_journal_that_was_lost_comes_back_from_the_line(
    collection_of: Make, bench_of: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = bench_of(collection_of(URL))
    bench.journal.add(taken(0, 5), send=False)
    bench.line.publish()
    bench.journal.close()
    for file in (tmp_path / "journal").iterdir():
        file.unlink()
    again = bench_of(collection_of(URL))
    assert again.recalled == 5
    assert again.journal.rows().cost.tolist() == [0, 1, 2, 3, 4]
    assert again.journal.count_waiting() == 0


def test_rows_without_a_time_are_not_gone_on_from(
    collection_of: Make, bench_of: Callable[..., Bench], datasets: Any
) -> None:
    rows = taken(0, 5)
    datasets.add(Dataset("shop", builtin_workloads()["cpu-utilization"], rows.features, rows.cost))
    with pytest.raises(InvalidData, match="have no time: collect under another name"):
        bench_of(collection_of(URL))


def test_rows_not_published_before_a_restart_count_afterwards(
    collection_of: Make, bench_of: Callable[..., Bench]
) -> None:
    collection = collection_of(URL, publish_rows=4)
    bench = bench_of(collection)
    bench.journal.add(taken(0, 5), send=False)
    assert bench.line.publish_if_due(5)
    bench.journal.add(taken(5, 3), send=False)
    assert bench.line.publish_if_due(3) is None
    again = bench_of(collection)
    again.journal.add(taken(8, 1), send=False)
    record = again.line.publish_if_due(1)
    assert record
    assert record.rows == 9


def test_a_line_leaves_few_datasets_behind(collection_of: Make, bench_of: Callable[..., Bench], tmp_path: Path) -> None:
    bench = bench_of(collection_of(URL, keep_datasets=2, keep_rows=1000))
    for part in range(6):
        bench.journal.add(taken(300 * part, 300), send=False)
        bench.line.publish()
    records = bench.datasets.list("shop")
    assert [record.rows for record in records] == [1000, 1000]
    kept = [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]
    assert len(kept) == 2
    assert len(bench.datasets.load(records[0])) == 1000


def test_other_queries_begin_the_line_anew(collection_of: Make, bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(collection_of(URL))
    bench.journal.add(taken(0, 5), send=True)
    bench.line.publish()
    again = bench_of(collection_of(URL, capacity=4))
    assert again.anew
    assert (len(again.journal), again.recalled) == (0, 0)


def test_the_clock_of_another_zone_begins_the_line_anew(collection_of: Make, bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(collection_of(URL))
    bench.journal.add(taken(0, 5), send=True)
    elsewhere = Collector(
        bench.collection,
        Prometheus(bench.collection.document.server),
        bench.journal,
        bench.line,
        zone=ZoneInfo("Asia/Tokyo"),
    )
    assert elsewhere.prepare() == (0, True)
    assert elsewhere.prepare() == (0, False)
    assert len(bench.journal) == 0


def test_the_newest_load_is_at_hand_for_others(journal: Journal) -> None:
    journal.add(taken(0, 3), send=False)
    with closing(sqlite3.connect(f"file:{journal.path}?mode=ro", uri=True)) as reader:
        (at,) = reader.execute("SELECT max(at) FROM row").fetchone()
    assert at == int(journal.newest().at[0]) == BEGIN + 120
