"""What two real engines hold becomes rows that are true: right instants, right numbers, gaps left out."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from tests.metric_servers import SHOP_BEGINS, SHOP_GAP, SHOP_RESET, Shop
from tests.unit.collect.conftest import EU, SHOP_ENDS, TARGET, Bench, Make

from perfcast.collect import Prometheus, Span, check
from perfcast.errors import PerfcastError

ONE_EACH = TARGET.removeprefix("sum(")[:-1]
COUNTER = f"sum(process_cpu_seconds_total{EU})"


def _backfilled(bench: Bench) -> Bench:
    bench.collector.backfill(SHOP_BEGINS, SHOP_ENDS)
    return bench


def test_rows_are_what_the_service_did(
    metrics_url: str, collection_of: Make, bench_of: Callable[..., Bench], scraped_shop: Shop
) -> None:
    rows = _backfilled(bench_of(collection_of(metrics_url))).journal.rows()
    assert len(rows) > 320
    quiet = [n for n, at in enumerate(rows.at.tolist()) if at > SHOP_BEGINS + 120 and not 0 <= at - SHOP_RESET < 90]
    for n in quiet:
        at = int(rows.at[n])
        if not SHOP_GAP[0] - 60 < at < SHOP_GAP[1] + 120:
            assert rows.features[n, 0] == pytest.approx(scraped_shop.mean(scraped_shop.requests, at, 60), rel=0.25)
            # load and CPU are of the same seconds, whatever these are to the engine
            assert rows.cost[n] == pytest.approx(50 * (0.1 + 0.008 * rows.features[n, 0]), rel=1e-4)


def test_clock_features_are_those_of_the_instant(
    metrics_url: str, collection_of: Make, bench_of: Callable[..., Bench]
) -> None:
    bench = _backfilled(bench_of(collection_of(metrics_url)))
    rows, names = bench.journal.rows(), bench.collection.workload.feature_names
    moments = rows.at % 86_400
    hour = np.sin(2 * np.pi * (moments // 3600) / 24)
    assert rows.features[:, names.index("hour_sin")] == pytest.approx(hour, abs=1e-6)
    assert set(rows.features[:, names.index("is_business_hour")].tolist()) == {0.0, 1.0}


def test_a_gap_is_left_out_and_counted(metrics_url: str, collection_of: Make, bench_of: Callable[..., Bench]) -> None:
    bench = _backfilled(bench_of(collection_of(metrics_url)))
    rows = bench.journal.rows()
    inside = (rows.at > SHOP_GAP[0] + 60) & (rows.at < SHOP_GAP[1])
    assert not inside.any()
    gaps = bench.journal.gaps(Span.within(SHOP_BEGINS, SHOP_ENDS, 60))
    assert sum(gaps.values()) + len(rows) == len(Span.within(SHOP_BEGINS, SHOP_ENDS, 60))
    assert any("has no value" in reason for reason in gaps)


def test_a_counter_that_begins_again_makes_no_negative_rate(
    metrics_url: str, collection_of: Make, bench_of: Callable[..., Bench]
) -> None:
    rows = _backfilled(bench_of(collection_of(metrics_url))).journal.rows()
    near = (rows.at >= SHOP_RESET) & (rows.at < SHOP_RESET + 90)
    assert near.any()
    assert (rows.features[near, 0] > 10).all()
    assert (rows.features[near, 0] < 200).all()


def test_the_same_rows_come_from_small_pieces_as_from_large_ones(
    metrics_url: str, collection_of: Make, bench_of: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _backfilled(bench_of(collection_of(metrics_url)))
    rows = whole.journal.rows()
    whole.journal.clear()
    monkeypatch.setattr("perfcast.collect._series.MOST_POINTS", 50)
    again = _backfilled(bench_of(collection_of(metrics_url))).journal.rows()
    assert again.at.tolist() == rows.at.tolist()
    assert again.features.tolist() == rows.features.tolist()
    assert again.cost.tolist() == rows.cost.tolist()


def test_a_matcher_reaches_every_selector(
    metrics_url: str, collection_of: Make, bench_of: Callable[..., Bench]
) -> None:
    plain = _backfilled(bench_of(collection_of(metrics_url))).journal.rows()
    everywhere = {
        "request_rate": "sum by (job) (rate(http_requests_total[$window])) / 1 + 0 * sum by (job) (shop_cores)",
        "active_users": "sum(avg_over_time(shop_active_users{}[$window]))",
        "db_connections": 'sum(avg_over_time({__name__="shop_db_connections", }[$window]))',
    }
    server = {"url": metrics_url, "matcher": 'cluster="eu"'}
    target = "sum without (instance, cluster, job) (rate(process_cpu_seconds_total[$window]))"
    narrowed = bench_of(collection_of(metrics_url, server=server, features=everywhere, target=target, dataset="eu"))
    narrowed.journal.clear()
    rows = _backfilled(narrowed).journal.rows()
    assert rows.features == pytest.approx(plain.features)
    assert rows.cost == pytest.approx(plain.cost)


def test_a_capacity_may_be_a_query(metrics_url: str, collection_of: Make, bench_of: Callable[..., Bench]) -> None:
    by_number = _backfilled(bench_of(collection_of(metrics_url))).journal.rows()
    bench = bench_of(collection_of(metrics_url, capacity=f"sum(shop_cores{EU})"))
    assert bench.anew
    rows = _backfilled(bench).journal.rows()
    assert rows.cost == pytest.approx(by_number.cost)


def test_a_long_query_is_posted(metrics_url: str, collection_of: Make) -> None:
    server = Prometheus(collection_of(metrics_url).document.server)
    long = " + ".join([f"0 * sum(shop_cores{EU})"] * 200) + f" + sum(shop_cores{EU})"
    (series,) = server.series(long, Span.within(SHOP_BEGINS + 600, SHOP_BEGINS + 1200, 60))
    assert series.values.tolist() == [2.0] * len(series.values)


def test_a_query_that_is_wrong_is_told_in_the_servers_words(metrics_url: str, collection_of: Make) -> None:
    server = Prometheus(collection_of(metrics_url).document.server)
    with pytest.raises(PerfcastError, match=r"answers 4\d\d: .*parse"):
        server.series("sum(", Span.within(SHOP_BEGINS, SHOP_ENDS, 60))


def test_check_finds_nothing_to_change_in_a_good_file(metrics_url: str, collection_of: Make) -> None:
    collection = collection_of(metrics_url)
    report = check(collection, Prometheus(collection.document.server), hours=5, now=SHOP_ENDS + 90)
    assert report.good
    assert [finding.wrong for finding in report.findings] == [[], [], [], []]
    (rate, *_) = report.findings
    assert (rate.series, rate.best_lag) == (1, 0)
    assert rate.correlation[0] > 0.98
    assert rate.gaps > 15
    assert rate.since is not None
    assert abs(rate.since - SHOP_BEGINS) <= 7200


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"target": ONE_EACH}, "cpu_utilization", r"2 series where one is wanted.*instance \(2"),
        ({"target": "sum(rate(cpu_nowhere[$window]))"}, "cpu_utilization", "no series cpu_nowhere; nor any"),
        (
            {"target": TARGET.replace('job="shop"', 'job="stop"')},
            "cpu_utilization",
            r'no series .*stop.*; there is process_cpu_seconds_total{job="shop"}',
        ),
        ({"target": COUNTER, "capacity": 2e6}, "cpu_utilization", "only grows, as a counter"),
        ({"capacity": 0.2}, "cpu_utilization", "the capacity is too small"),
        ({"capacity": None, "target": f"100 * {TARGET} + 60"}, "cpu_utilization", "say capacity: CORES"),
        ({"window": "20s"}, "request_rate", r"holds 1\.\d+ samples .* a rate needs two: set window: 60s"),
        ({"target": TARGET.replace("$window", "5m")}, "request_rate", r"is over \[60s\], the cost over \[5m\]"),
        ({"target": TARGET.replace("rate(", "irate(")}, "cpu_utilization", "last two samples only"),
        ({"target": "sum("}, "cpu_utilization", "answers 4.*parse"),
    ],
)  # fmt: skip
def test_check_says_what_to_change(
    metrics_url: str, collection_of: Make, changes: dict[str, object], field: str, told: str
) -> None:
    collection = collection_of(metrics_url, **changes)
    report = check(collection, Prometheus(collection.document.server), hours=5, now=SHOP_ENDS + 90)
    assert not report.good
    (finding,) = (finding for finding in report.findings if finding.name == field)
    assert re.search(told, " ".join(finding.wrong)), finding


def test_check_sees_a_load_that_is_of_another_time(metrics_url: str, collection_of: Make) -> None:
    late = f"sum(rate(http_requests_total{EU}[$window] offset 2m))"
    features = collection_of(metrics_url).document.features | {"request_rate": late}
    collection = collection_of(metrics_url, features=features)
    report = check(collection, Prometheus(collection.document.server), hours=5, now=SHOP_ENDS + 90)
    assert report.findings[0].best_lag == -2
    assert any("2 steps earlier" in hint for hint in report.findings[0].hints)


def test_check_tells_a_query_that_gives_nothing_now_and_then_from_a_scrape_that_paused(
    metrics_url: str, collection_of: Make
) -> None:
    features = dict(collection_of(metrics_url).document.features)
    features["active_users"] = f"({features['active_users']}) > 200"
    collection = collection_of(metrics_url, features=features)
    report = check(collection, Prometheus(collection.document.server), hours=5, now=SHOP_ENDS + 90)
    told = {finding.name for finding in report.findings if any("or vector(0)" in hint for hint in finding.hints)}
    assert told == {"active_users"}
    assert all(finding.gaps for finding in report.findings)
