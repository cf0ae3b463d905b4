"""Bounds follow the newest actuals: each by itself, bounded, and the same after a restart."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfcast.manifest import COVERAGES, Calibration
from perfcast.monitoring._correction import LEAST, LONGEST, State, Tracker

NORMAL = {0.5: 0.674, 0.8: 1.282, 0.9: 1.645, 0.95: 1.96, 0.99: 2.576}
PLAIN = Calibration(
    relative=False,
    edges=(50.0,),
    widths={str(coverage): (quantile, 2 * quantile) for coverage, quantile in NORMAL.items()},
    minimum=-1000,
    maximum=1000,
    rows=1000,
)
"""Right for normal errors of deviation 1 below a cost of 50, and of 2 above."""
RELATIVE = msgspec.structs.replace(
    PLAIN,
    relative=True,
    widths={coverage: tuple(map(float, np.exp(widths))) for coverage, widths in PLAIN.widths.items()},
    minimum=0,
    maximum=1e9,
)


BY_SPREAD = msgspec.structs.replace(PLAIN, edges=(), spreads=((50.0,),))
"""The same where the spread is what the cost is in `PLAIN`."""


def moment(number: int) -> str:
    return f"2026-03-01T00:00:{number:012.6f}Z"


def fed(tracker: Tracker, costs: np.ndarray, actuals: np.ndarray, start: int = 0) -> Tracker:
    for number, (cost, actual) in enumerate(zip(costs.tolist(), actuals.tolist(), strict=True), start):
        tracker.learn(moment(number), cost, actual)
    return tracker


def stream(count: int, *, seed: int = 0, bias: float = 0.0, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Costs on both sides of the edge, and actuals as calibrated but for a bias and a factor."""
    random = np.random.default_rng(seed)
    costs = random.uniform(20, 80, count)
    return costs, costs + bias + noise * np.where(costs < 50, 1, 2) * random.standard_normal(count)


def lived(costs: np.ndarray, actuals: np.ndarray, calibration: Calibration = PLAIN) -> dict[float, tuple[float, float]]:
    """Percent covered and mean width of each coverage, each row answered before its actual is learnt."""
    tracker, bounds = Tracker(calibration), {coverage: list[tuple[float, float]]() for coverage in COVERAGES}
    for number, (cost, actual) in enumerate(zip(costs.tolist(), actuals.tolist(), strict=True)):
        present = calibration.corrected(tracker.moves())
        for coverage, found in bounds.items():
            interval = present.interval(cost, coverage)
            assert interval is not None
            found.append(interval)
        tracker.learn(moment(number), cost, actual)
    found = {}
    for coverage, pairs in bounds.items():
        lower, upper = np.array(pairs).T
        covered = (lower <= actuals) & (actuals <= upper)
        found[coverage] = (100 * float(covered.mean()), float((upper - lower).mean()))
    return found


def test_nothing_is_moved_before_there_are_enough_actuals_and_then_it_grows_in() -> None:
    costs, actuals = stream(2 * LEAST, bias=20)
    tracker = fed(Tracker(PLAIN), costs[: LEAST - 1], actuals[: LEAST - 1])
    assert tracker.moves() == {}
    grown = []
    for number in range(LEAST - 1, 2 * LEAST):
        tracker.learn(moment(number), costs[number], actuals[number])
        grown.append(tracker.means()["0.9"][1])
    assert 0 < grown[0] < 1.5 < grown[10] < grown[20] < grown[-1]
    assert grown[-1] > 15


@pytest.mark.parametrize("calibration", [PLAIN, RELATIVE], ids=["added", "factor"])
def test_each_coverage_holds_what_it_promises_although_the_model_has_gone_wrong(calibration: Calibration) -> None:
    costs, actuals = stream(1500)
    worse = stream(1500, seed=1, bias=8, noise=2)
    costs, actuals = np.concatenate([costs, worse[0]]), np.concatenate([actuals, worse[1]])
    if calibration.relative:
        actuals = costs * np.exp(actuals - costs)
    for coverage, (covered, _) in lived(costs, actuals, calibration).items():
        assert covered == pytest.approx(100 * coverage, abs=2.5)


def test_where_nothing_has_changed_intervals_stay_about_as_wide_and_their_bands_differ() -> None:
    costs, actuals = stream(3000)
    for coverage, (covered, width) in lived(costs, actuals).items():
        assert covered == pytest.approx(100 * coverage, abs=2)
        assert width == pytest.approx(3 * NORMAL[coverage], rel=0.12)
    moves = fed(Tracker(PLAIN), costs, actuals).moves()
    assert {move.kept for move in moves.values()} == {1.0}


def test_a_model_that_predicts_too_little_has_its_upper_bound_moved_up_and_its_lower_one_too() -> None:
    costs, actuals = stream(600, bias=10)
    lower, upper = fed(Tracker(PLAIN), costs, actuals).means()["0.9"]
    assert lower == pytest.approx(10, abs=1.5)
    assert upper == pytest.approx(10, abs=1.5)


def test_errors_to_one_side_only_move_that_bound() -> None:
    costs, actuals = stream(600)
    beyond = np.where(np.arange(600) % 3 == 0, np.abs(actuals - costs) * 5, actuals - costs)
    lower, upper = fed(Tracker(PLAIN), costs, costs + beyond).means()["0.9"]
    assert abs(lower) < 1.5
    assert upper > 4


def test_bands_that_have_stopped_saying_anything_give_way_to_one_distance() -> None:
    random = np.random.default_rng(0)
    wide = msgspec.structs.replace(PLAIN, widths={"0.9": (1.645, 50.0)})
    costs = random.uniform(20, 80, 500)
    tracker = fed(Tracker(wide), costs, costs + random.standard_normal(500))
    assert tracker.moves()["0.9"].kept == 0
    for cost in (30.0, 70.0):
        interval = wide.corrected(tracker.moves()).interval(cost, 0.9)
        assert interval is not None
        assert interval[1] - interval[0] == pytest.approx(2 * 1.645, rel=0.3)


@given(st.integers(0, 700), st.integers(0, 700), st.sampled_from([PLAIN, RELATIVE]), st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_after_a_restart_it_goes_on_as_if_there_had_been_none(
    first: int, second: int, calibration: Calibration, seed: int
) -> None:
    costs, actuals = stream(first + second, seed=seed, bias=3)
    whole = fed(Tracker(calibration), costs, actuals)
    stopped = fed(Tracker(calibration), costs[:first], actuals[:first])
    state = msgspec.json.decode(msgspec.json.encode(stopped.state), type=State)
    gone_on = fed(Tracker(calibration, state), costs[first:], actuals[first:], start=first)
    assert gone_on.moves() == whole.moves()
    assert gone_on.state == whole.state
    assert gone_on.actuals == first + second


@pytest.mark.parametrize("mistake", [1e30, -1e30])
def test_one_mistaken_actual_moves_bounds_hardly(mistake: float) -> None:
    costs, actuals = stream(400)
    before = fed(Tracker(PLAIN), costs, actuals)
    after = fed(Tracker(PLAIN), costs, actuals)
    after.learn(moment(400), 40, mistake)
    for coverage, (lower, upper) in after.means().items():
        was_lower, was_upper = before.means()[coverage]
        assert abs(lower - was_lower) + abs(upper - was_upper) < 4 * NORMAL[float(coverage)]


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(-1e6, 1e6)), min_size=LEAST, max_size=2 * LEAST))
def test_no_bound_is_moved_farther_than_an_actual_was_beyond_it(rows: list[tuple[float, float]]) -> None:
    tracker = Tracker(PLAIN)
    for number, (cost, actual) in enumerate(rows):
        tracker.learn(moment(number), cost, actual)
    farthest = max(abs(actual - cost) for cost, actual in rows) + 2 * NORMAL[0.99] + 0.1
    assert all(abs(mean) <= farthest for means in tracker.means().values() for mean in means)


def test_late_actuals_count_as_if_they_had_come_in_time_while_they_are_among_the_newest() -> None:
    costs, actuals = stream(LONGEST + 100)
    ordered, late = Tracker(PLAIN), Tracker(PLAIN)
    fed(ordered, costs, actuals)
    for start in range(0, len(costs), 20):
        for number in range(min(start + 20, len(costs)) - 1, start - 1, -1):
            late.learn(moment(number), costs[number], actuals[number])
    assert late.state.window == ordered.state.window
    before = late.moves()
    late.learn("2020-01-01T00:00:00.000000Z", 40, 1000)
    assert late.moves() == before


def test_a_coverage_that_the_version_never_promised_is_not_made_up() -> None:
    few = msgspec.structs.replace(PLAIN, widths={"0.5": (1.0, 2.0)})
    assert set(fed(Tracker(few), *stream(100)).moves()) == {"0.5"}


def test_an_actual_counts_in_the_band_that_its_predictions_spread_fell_into() -> None:
    costs, actuals = stream(600, bias=3)
    by_spread = Tracker(BY_SPREAD)
    for number, (cost, actual) in enumerate(zip(costs.tolist(), actuals.tolist(), strict=True)):
        by_spread.learn(moment(number), 500.0, actual - cost + 500, cost)
    by_cost = fed(Tracker(PLAIN), costs, actuals)
    for coverage, move in by_spread.moves().items():
        assert move == pytest.approx(by_cost.moves()[coverage])
    again = Tracker(BY_SPREAD, msgspec.json.decode(msgspec.json.encode(by_spread.state), type=State))
    assert again.moves() == by_spread.moves()


def test_a_state_whose_spreads_are_not_known_begins_anew() -> None:
    known = fed(Tracker(PLAIN), *stream(100)).state
    assert known.spreads == ()
    assert Tracker(BY_SPREAD, known).moves() == {}
