"""A server that is asked for too much: it is asked for less at once, and the rows are the same."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.metric_servers import SHOP_BEGINS, PrometheusServer, Shop, VictoriaServer, shop_samples
from tests.unit.collect.conftest import SHOP_ENDS, TARGET, Bench, Make

from perfcast.collect import Prometheus, Span, TooMuch


@pytest.mark.parametrize(
    ("made", "option"),
    [(PrometheusServer, "--query.max-samples=900"), (VictoriaServer, "-search.maxPointsPerTimeseries=100")],
)
def test_too_many_points_are_asked_for_in_smaller_pieces(
    made: type[PrometheusServer | VictoriaServer], option: str, scraped_shop: Shop, tmp_path: Path,
    prometheus_url: str, collection_of: Make, bench_of: Callable[..., Bench],
) -> None:  # fmt: skip
    whole = bench_of(collection_of(prometheus_url))
    whole.collector.backfill(SHOP_BEGINS, SHOP_ENDS)
    expected = whole.journal.rows()
    whole.journal.clear()
    with made(tmp_path / "server", shop_samples(scraped_shop), option) as server:
        with pytest.raises(TooMuch, match="422"):
            Prometheus(collection_of(server.url).document.server).series(
                TARGET.replace("$window", "60s"), Span.within(SHOP_BEGINS, SHOP_ENDS, 60)
            )
        bench = bench_of(collection_of(server.url))
        bench.collector.backfill(SHOP_BEGINS, SHOP_ENDS)
        rows = bench.journal.rows()
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
