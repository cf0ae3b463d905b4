"""The contact sheet asks what Grafana would ask, shows values as it does, and says which panels had nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy.dashboards._files import DEPLOY
from deploy.dashboards.sheet import Prometheus, Series, Span, draw, filled
from deploy.dashboards.sheet._units import shown
from tests.metric_servers import PrometheusServer

BEGIN, STEP, MINUTES = 1_709_280_000, 15, 20
REPLICA = 'job="perfcast",instance="a:8000"'
REQUEST = f'{REPLICA},route="/predict",method="POST",status="200"'
CHAMPION = f'{REPLICA},model_name="m",version="1",type="t",workload="w",alias="champion"'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """A Prometheus that has seen a replica answer ten requests a second for twenty minutes."""
    lines = []
    for number in range(60 * MINUTES // STEP):
        at = BEGIN + STEP * number
        lines.append(f"http_requests_total{{{REQUEST}}} {150 * number} {at}")
        lines += [f'perfcast_health{{{REPLICA},status="{one}"}} 0 {at}' for one in ("degraded", "unhealthy")]
        lines.append(f"ml_model_info{{{CHAMPION}}} 1 {at}")
    lines.sort(key=lambda line: line.partition("{")[0])
    with PrometheusServer(tmp_path_factory.mktemp("sheet"), "\n".join([*lines, "# EOF\n"])) as server:
        yield server


def test_draws_a_dashboard_and_names_the_panels_without_data(server: PrometheusServer, tmp_path: Path) -> None:
    board = json.loads((DEPLOY / "grafana/dashboards/overview.json").read_text())
    span = Span.of(BEGIN + 60 * MINUTES - STEP, MINUTES - 1, STEP)
    picture = tmp_path / "new" / "overview.png"
    empty = draw(board, Prometheus(server.url), span, picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    panels = {panel["title"] for panel in board["panels"] if panel["type"] != "row"}
    assert panels - set(empty) == {"Health", "Requests", "Failed requests", "Requests by route", "Who answers"}


def test_asks_with_every_variable_at_all_and_at_least_four_scrapes(server: PrometheusServer) -> None:
    span = Span.of(BEGIN + 60 * MINUTES - STEP, MINUTES - 1, STEP)
    expr = 'sum(rate(http_requests_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))'
    assert filled(expr, span) == 'sum(rate(http_requests_total{job=~".+",instance=~".+"}[60s]))'
    (series,) = Prometheus(server.url).course(filled(expr, span), span)
    assert series.values[-1] == pytest.approx(10)
    assert Span.of(BEGIN, 24 * 60, STEP).rate_interval == "447s"
    assert span.coarser("1m").step == 60
    assert span.coarser(None) == span


def test_a_query_that_is_refused_is_told(server: PrometheusServer) -> None:
    with pytest.raises(ValueError, match="parse error"):
        Prometheus(server.url).moment("sum(", BEGIN)


def test_legends_are_filled_with_labels() -> None:
    series = Series({"model_name": "m", "arm": "shadow"}, *([[], []]))
    assert series.called("{{model_name}} {{ arm }}{{gone}}") == "m shadow"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.000_05, "s", "50 µs"), (0.0123, "s", "12.3 ms"), (1.5, "s", "1.5 s"), (0, "s", "0 s"),
        (90, "s", "1.5 min"), (7200, "s", "2 h"), (864_000, "s", "10 days"),
        (0.0123, "percentunit", "1.23 %"), (97, "percent", "97 %"),
        (1536, "bytes", "1.5 KiB"), (0, "Bps", "0 B/s"), (2**20, "Bps", "1 MiB/s"),
        (12_345, "short", "12.3 K"), (-3, "short", "-3"), (6789, "ops", "6.79 K ops/s"), (0.25, "reqps", "0.25 req/s"),
        (float("nan"), "s", "–"), (float("inf"), "short", "–"),
    ],
)  # fmt: skip
def test_values_are_shown_in_their_units(value: float, unit: str, text: str) -> None:
    assert shown(value, unit) == text


def test_an_unknown_unit_is_told() -> None:
    with pytest.raises(ValueError, match="'furlong': this sheet knows no such unit"):
        shown(1, "furlong")
