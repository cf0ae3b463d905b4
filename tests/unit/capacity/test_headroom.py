"""The largest load that a limit allows."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from perfcast.capacity import CONFIDENCES, Bounds, Following, find_headroom, follows, one_load
from perfcast.errors import InvalidInput, Refused
from perfcast.workloads import Rows, Workload, builtin_workloads, workload_from_document

CPU = builtin_workloads()["cpu-utilization"]
ROW = np.array([100, 50, 20, 0, 1, 0, 1, 1], np.float32)
ALONE = Following("request_rate", {})


def cost(of: Callable[[Rows], Rows], width: float = 0.0) -> Callable[[Rows], Bounds]:
    def predict(rows: Rows) -> Bounds:
        known = np.asarray(of(rows), np.float32)
        return Bounds(known, known - np.float32(width), known + np.float32(width))

    return predict


def straight(rows: Rows) -> Rows:
    """0.4 a request, 0.2 a user."""
    return np.asarray(0.4 * rows[:, 0] + 0.2 * rows[:, 1])


def test_the_upper_bound_stays_within_the_limit_up_to_there() -> None:
    found = find_headroom(CPU, cost(straight, 5), ROW, ALONE, limit=70, observed=150.0)
    assert found.most == pytest.approx((70 - 5 - 10) / 0.4, rel=1e-3)
    assert found.most is not None
    assert 0.4 * found.most + 10 + 5 <= 70
    assert found.reached
    assert found.current == (100, pytest.approx(50), pytest.approx(55))
    assert found.observed == 150


def test_what_follows_the_load_moves_along() -> None:
    following = Following("request_rate", {"active_users": 0.5})
    found = find_headroom(CPU, cost(straight), ROW, following, limit=90, observed=150.0)
    assert found.most == pytest.approx(100 + 40 / 0.5, rel=1e-3)
    assert found.row is not None
    assert found.row[:3] == pytest.approx([found.most, 50 + 0.5 * (float(found.most or 0) - 100), 20], rel=1e-5)
    proportional = Following("request_rate", {}, ("active_users",))
    found = find_headroom(CPU, cost(straight), ROW, proportional, limit=75, observed=150.0)
    assert found.most == pytest.approx(150, rel=1e-3)


def test_the_first_load_that_is_too_much_ends_it() -> None:
    def bump(rows: Rows) -> Rows:
        return np.where((rows[:, 0] > 60) & (rows[:, 0] < 70), 90.0, 20.0)

    row = ROW.copy()
    row[0] = 30
    found = find_headroom(CPU, cost(bump), row, ALONE, limit=50, observed=150.0)
    assert found.most == pytest.approx(60, abs=0.2)


def test_from_a_present_load_that_is_well_it_is_looked_upwards() -> None:
    def odd(rows: Rows) -> Rows:
        return np.where(rows[:, 0] < 20, 90.0, 0.4 * rows[:, 0])

    assert find_headroom(CPU, cost(odd), ROW, ALONE, limit=80, observed=150.0).most == pytest.approx(200, rel=1e-3)


def test_a_present_load_that_is_too_much_must_fall() -> None:
    found = find_headroom(CPU, cost(straight), ROW, ALONE, limit=40, observed=150.0)
    assert found.most == pytest.approx(75, rel=1e-3)
    assert found.reached


def test_a_limit_that_no_load_reaches_is_said() -> None:
    found = find_headroom(CPU, cost(lambda rows: np.full(len(rows), 30.0)), ROW, ALONE, limit=80, observed=150.0)
    assert (found.most, found.reached) == (450, False)


def test_where_even_no_load_is_too_much_there_is_none() -> None:
    found = find_headroom(CPU, cost(lambda rows: np.full(len(rows), 85.0)), ROW, ALONE, limit=80, observed=150.0)
    assert (found.most, found.reached, found.replicas(100)) == (None, True, None)


@pytest.mark.parametrize(("load", "replicas"), [(1, 1), (150, 1), (150.1, 2), (900, 6)])
def test_replicas_share_a_load(load: float, replicas: int) -> None:
    found = find_headroom(CPU, cost(lambda rows: 0.4 * rows[:, 0]), ROW, ALONE, limit=60.0001, observed=150.0)
    assert found.most == pytest.approx(150, abs=0.1)
    assert found.replicas(load * float(found.most) / 150) == replicas


def test_the_curve_reaches_beyond_the_limit() -> None:
    curve = find_headroom(CPU, cost(straight, 5), ROW, ALONE, limit=70, observed=150.0).curve
    assert curve.load[0] == 0
    assert curve.upper[-1] > 70
    assert np.diff(curve.load).min() > 0
    assert curve.cost == pytest.approx([0.4 * load + 10 for load in curve.load], rel=1e-5)


@pytest.mark.parametrize("limit", [0, 100, -5, float("nan"), float("inf")])
def test_a_limit_that_is_none_is_refused(limit: float) -> None:
    with pytest.raises(InvalidInput, match="limit"):
        find_headroom(CPU, cost(straight), ROW, ALONE, limit=limit, observed=150.0)


def test_whole_loads_stay_whole() -> None:
    jobs = workload_from_document(
        {
            "name": "jobs",
            "cost": {"name": "seconds", "unit": "s", "minimum": 0},
            "features": [{"name": "parallel", "type": "integer", "minimum": 1, "maximum": 64, "trend": "increasing"}],
        }
    )
    assert one_load(jobs) == "parallel"
    row = np.array([4], np.float32)
    found = find_headroom(
        jobs, cost(lambda rows: 3.3 * rows[:, 0]), row, Following("parallel", {}), limit=50, observed=32.0
    )
    assert found.most == 15
    assert all(load == round(load) for load in found.curve.load)


def test_loads_that_float32_hardly_tells_apart_are_no_obstacle() -> None:
    far = workload_from_document(
        {
            "name": "far",
            "cost": {"name": "seconds", "unit": "s", "minimum": 0},
            "features": [{"name": "at", "minimum": 1e6, "maximum": 1000010, "trend": "increasing"}],
        }
    )
    row = np.array([1000001], np.float32)
    found = find_headroom(
        far, cost(lambda rows: rows[:, 0] - 1e6), row, Following("at", {}), limit=5, observed=1000010.0
    )
    assert found.most == pytest.approx(1000005, abs=0.2)


def test_where_nobody_knows_what_was_seen_it_is_looked_further() -> None:
    found = find_headroom(CPU, cost(lambda rows: 0.02 * rows[:, 0]), ROW, ALONE, limit=50, observed=None)
    assert found.most == pytest.approx(2500, rel=1e-3)


@pytest.mark.parametrize("load", [float("inf"), 1e308])
def test_a_load_without_end_has_no_replicas(load: float) -> None:
    found = find_headroom(CPU, cost(lambda rows: 900 * rows[:, 0]), ROW, ALONE, limit=60, observed=150.0)
    assert found.most is not None
    assert found.replicas(load) is None


@pytest.mark.parametrize(
    ("path", "together", "expected"),
    [
        ({"request_rate": {"active_users": 0.5}}, None, Following("request_rate", {"active_users": 0.5})),
        ({}, None, Following("request_rate", {}, ["active_users", "db_connections"])),
        (
            {"request_rate": {"active_users": 0.5}},
            ["db_connections"],
            Following("request_rate", {}, ("db_connections",)),
        ),
        ({}, [], Following("request_rate", {}, ())),
    ],
)
def test_what_follows_was_learnt_or_is_told(
    path: Mapping[str, Mapping[str, float]], together: list[str] | None, expected: Following
) -> None:
    assert follows(CPU, "request_rate", path, together) == expected


@pytest.mark.parametrize("name", ["hour_sin", "is_business_hour", "request_rate", "nothing"])
def test_what_can_not_follow_is_named(name: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        follows(CPU, "request_rate", {}, [name])


def test_a_workload_without_a_load_says_so() -> None:
    cnn: Workload = builtin_workloads()["cnn-execution-time"]
    if not any(feature.declaration.trend == "increasing" for feature in cnn.features):
        with pytest.raises(Refused, match="vary"):
            one_load(cnn)


def test_confidences_are_of_one_side() -> None:
    assert CONFIDENCES == {0.75: 0.5, 0.9: 0.8, 0.95: 0.9, 0.975: 0.95, 0.995: 0.99}


def test_what_makes_it_cheaper_does_not_rise_along() -> None:
    served = workload_from_document(
        {
            "name": "served",
            "cost": {"name": "cpu", "minimum": 0, "maximum": 100},
            "features": [
                {"name": "rate", "minimum": 0, "trend": "increasing"},
                {"name": "users", "minimum": 0},
                {"name": "cores", "minimum": 1, "trend": "decreasing"},
            ],
        }
    )
    assert follows(served, "rate", {}, None) == Following("rate", {}, ["users"])
    assert follows(served, "users", {}, None) == Following("users", {})
