"""When the upper bound first passes a limit."""

from datetime import UTC
from typing import Any

import numpy as np
import pytest
from tests.unit.capacity.test_forecast import MONDAY, load

from perfcast.capacity import Bounds, Following, Runway, find_runway
from perfcast.errors import InvalidInput, Refused
from perfcast.workloads import Rows, builtin_workloads, clock_columns

CPU = builtin_workloads()["cpu-utilization"]
ALONG = Following("request_rate", {"active_users": 0.5})


def half(rows: Rows) -> Bounds:
    """0.3 a request, 0.2 a user; ± 5."""
    cost = np.asarray(0.3 * rows[:, 0] + 0.2 * rows[:, 1], np.float32)
    return Bounds(cost, cost - np.float32(5), cost + np.float32(5))


def history(days: int, **how: Any) -> tuple[Rows, np.ndarray]:
    moments, rate = load(days, **how)
    clocks = clock_columns(moments, CPU.feature_names[3:], UTC)
    columns = [rate, 0.5 * rate, np.full(len(rate), 20.0), *clocks.values()]
    return np.stack(columns, axis=1).astype(np.float32), moments


def found(days: int = 28, *, limit: float, horizon: float = 60, growth: float = 0.2, **how: Any) -> Runway:
    features, moments = history(days, growth=growth, noise=0.03)
    return find_runway(CPU, half, features, moments, ALONG, limit=limit, days=horizon, zone=UTC, **how)


def day_of(hour: int | None) -> float:
    assert hour is not None
    return (hour - int(MONDAY.astype("datetime64[h]").astype(np.int64))) / 24


def test_the_day_is_the_one_on_which_the_bound_grows_beyond_the_limit() -> None:
    runway = found(limit=65)
    peak = (65 - 5) / 0.4  # users follow: 0.3 + 0.2 · 0.5 a request
    true = 30 * np.log(peak / 100) / np.log(1.2)
    early, middle, late = map(day_of, runway.first)
    assert early <= middle <= late
    assert middle == pytest.approx(true, abs=8)
    assert early - 3 <= true <= late + 3
    assert runway.passed[-1] > 0.95
    assert (np.diff(runway.passed) >= 0).all()


def test_a_limit_that_is_not_reached_has_no_day() -> None:
    runway = found(limit=99, growth=0.0, horizon=20)
    assert runway.first == (None, None, None)
    assert runway.passed[-1] < 0.05


def test_a_limit_that_is_passed_already_is_passed_at_once() -> None:
    runway = found(limit=20, growth=0.0, horizon=10)
    assert day_of(runway.first[1]) < 29
    assert max(one or 0 for one in runway.replicas) >= 3


def test_replicas_share_each_hours_load() -> None:
    runway = found(limit=45, growth=0.0, horizon=10)
    assert len(runway.replicas) == 7 * 24
    assert runway.allowed[0] == pytest.approx(100, rel=0.03)
    noon, night = runway.replicas[12], runway.replicas[3]
    assert (noon, night) == (2, 1)


def test_where_no_load_is_allowed_no_replicas_help() -> None:
    features, moments = history(14)

    def dear(rows: Rows) -> Bounds:
        cost = np.full(len(rows), 90, np.float32)
        return Bounds(cost, cost, cost)

    runway = find_runway(CPU, dear, features, moments, ALONG, limit=80, days=3, zone=UTC)
    assert set(runway.replicas) == {None}


def test_the_clock_counts() -> None:
    features, moments = history(14)

    def at_work(rows: Rows) -> Bounds:
        cost = np.where(rows[:, 7] > 0, 90, 10).astype(np.float32)
        return Bounds(cost, cost, cost)

    runway = find_runway(CPU, at_work, features, moments, ALONG, limit=80, days=3, zone=UTC)
    assert day_of(runway.first[1]) % 1 == pytest.approx(9 / 24)


@pytest.mark.parametrize(
    ("asked", "kind", "told"),
    [
        ({"limit": 120}, InvalidInput, "limit"),
        ({"limit": 65, "horizon": 0}, InvalidInput, "horizon_days"),
        ({"limit": 65, "horizon": 400}, InvalidInput, "horizon_days"),
        ({"limit": 65, "horizon": 113}, Refused, "28 days of history"),
        ({"limit": 65, "days": 5}, Refused, "spans 5.0 days"),
    ],
)
def test_what_can_not_be_asked_is_said(asked: dict[str, Any], kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        found(**asked)


def test_with_a_stated_growth_it_may_look_further() -> None:
    assert found(limit=65, horizon=113, growth_percent_per_month=10).passed[-1] > 0.5
