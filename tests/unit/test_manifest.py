"""What a manifest promises about its version."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcast.manifest import COVERAGES, Calibration, Move

COSTS = st.floats(0, 1e6, width=32)


@st.composite
def calibrations(draw: st.DrawFn) -> Calibration:
    rising = st.lists(COSTS, max_size=4, unique=True).map(sorted).map(tuple)
    edges = draw(rising)
    within = st.lists(rising, min_size=len(edges) + 1, max_size=len(edges) + 1).map(tuple)
    spreads = draw(st.just(()) | within)
    bands = sum(len(inner) + 1 for inner in spreads) if spreads else len(edges) + 1
    relative = draw(st.booleans())
    width = st.floats(1, 50) if relative else st.floats(0, 1e4)
    widths = {
        coverage: tuple(draw(st.lists(width, min_size=bands, max_size=bands)))
        for coverage in draw(st.sampled_from([("0.9",), ("0.5", "0.9")]))
    }
    least, most = sorted(draw(st.tuples(COSTS, COSTS)))
    return Calibration(relative, edges, widths, least, most, rows=100, spreads=spreads)


@st.composite
def moves(draw: st.DrawFn) -> Move:
    far = st.floats(-100, 100) | st.floats(-1e6, 1e6)
    return Move(draw(far), draw(far), draw(st.sampled_from([1.0, 0.5, 0.0])))


def spread_of(cost: float) -> float:
    """Some spread, on both sides of edges that costs are drawn like."""
    return float(np.float32(1e6 - cost))


def bounds_of(calibration: Calibration, costs: list[float], coverage: float = 0.9) -> list[tuple[float, float]]:
    spreads = np.array([spread_of(cost) for cost in costs], dtype=np.float32)
    bounds = calibration.intervals(np.array(costs, dtype=np.float32), coverage, spreads)
    assert bounds is not None
    return list(zip(*map(np.ndarray.tolist, bounds), strict=True))


@given(calibrations(), st.lists(COSTS, max_size=20))
def test_intervals_of_many_are_those_of_each_to_the_last_bit(calibration: Calibration, costs: list[float]) -> None:
    costs = [*costs, *calibration.edges, *(spread_of(spread) for within in calibration.spreads for spread in within)]
    assert bounds_of(calibration, costs) == [calibration.interval(cost, 0.9, spread_of(cost)) for cost in costs]


@pytest.mark.parametrize("coverage", [0.5, 0.99])
def test_a_coverage_that_is_not_in_the_table_has_no_interval(coverage: float) -> None:
    calibration = Calibration(relative=True, edges=(), widths={"0.9": (1.1,)}, minimum=0, maximum=100, rows=50)
    assert calibration.interval(5, coverage) is None
    assert calibration.intervals(np.array([5.0]), coverage) is None


@given(calibrations(), moves(), moves(), st.lists(COSTS, min_size=1, max_size=20))
def test_moved_bounds_never_cross_leave_the_costs_range_or_nest_wrongly(
    calibration: Calibration, small: Move, large: Move, costs: list[float]
) -> None:
    corrected = calibration.corrected({"0.5": small, "0.9": large})
    costs = [*costs, *calibration.edges]
    outer = bounds_of(corrected, costs)
    assert outer == [corrected.interval(cost, 0.9, spread_of(cost)) for cost in costs]
    for lower, upper in outer:
        assert calibration.minimum <= lower <= upper <= calibration.maximum
    if "0.5" in calibration.widths:
        for (low, high), (inner_low, inner_high) in zip(outer, bounds_of(corrected, costs, 0.5), strict=True):
            assert low <= inner_low <= inner_high <= high


@given(calibrations(), st.lists(COSTS, min_size=1, max_size=20))
def test_bounds_that_are_not_moved_stay(calibration: Calibration, costs: list[float]) -> None:
    calibration = msgspec.structs.replace(calibration, widths={"0.9": calibration.widths["0.9"]})
    flat = np.ravel(bounds_of(calibration.corrected({"0.9": Move(0, 0)}), costs))
    assert flat == pytest.approx(np.ravel(bounds_of(calibration, costs)), rel=1e-11)


def test_each_bound_is_moved_by_itself() -> None:
    added = Calibration(relative=False, edges=(10.0,), widths={"0.9": (2.0, 4.0)}, minimum=0, maximum=100, rows=50)
    corrected = added.corrected({"0.9": Move(-1, 5)})
    assert (corrected.interval(5, 0.9), corrected.interval(50, 0.9)) == ((4, 12), (47, 59))
    factor = Calibration(relative=True, edges=(), widths={"0.9": (2.0,)}, minimum=0, maximum=100, rows=50)
    assert factor.corrected({"0.9": Move(np.log(2), np.log(1.5))}).interval(8, 0.9) == pytest.approx((2, 24))


def test_an_interval_may_lie_wholly_beside_the_predicted_cost() -> None:
    calibration = Calibration(relative=False, edges=(), widths={"0.9": (2.0,)}, minimum=0, maximum=100, rows=50)
    assert calibration.corrected({"0.9": Move(-7, 10)}).interval(30, 0.9) == (35, 42)


def test_bounds_moved_beyond_each_other_meet_in_the_middle() -> None:
    calibration = Calibration(relative=False, edges=(), widths={"0.9": (2.0,)}, minimum=0, maximum=100, rows=50)
    assert calibration.corrected({"0.9": Move(-12, 4)}).interval(30, 0.9) == (38, 38)


def test_one_distance_for_all_bands_may_take_the_place_of_theirs() -> None:
    calibration = Calibration(
        relative=False, edges=(10.0,), widths={"0.9": (2.0, 20.0)}, minimum=-100, maximum=100, rows=50
    )
    corrected = calibration.corrected({"0.9": Move(3, 4, kept=0)})
    assert (corrected.interval(5, 0.9), corrected.interval(50, 0.9)) == ((2, 9), (47, 54))


def test_a_table_as_it_was_calibrated_is_written_as_before_bounds_had_distances_of_their_own() -> None:
    old = b'{"relative":false,"edges":[10.0],"widths":{"0.9":[2.0,4.0]},"minimum":0.0,"maximum":100.0,"rows":50}'
    read = msgspec.json.decode(old, type=Calibration)
    assert read.interval(5, 0.9) == (3, 7)
    assert msgspec.json.encode(read) == old
    assert set(read.widths) < set(map(str, COVERAGES))


BY_SPREAD = Calibration(
    relative=False,
    edges=(10.0,),
    widths={"0.9": (1.0, 2.0, 3.0)},
    minimum=0,
    maximum=100,
    rows=50,
    spreads=((0.5,), ()),
)


def test_bands_of_cost_may_be_divided_further_by_spread() -> None:
    assert BY_SPREAD.bands == 3
    asked = [(5, 0.4), (5, 0.5), (10, 0.1), (50, 9.0)]
    assert [BY_SPREAD.interval(cost, 0.9, spread) for cost, spread in asked] == [(4, 6), (3, 7), (7, 13), (47, 53)]
    moved = BY_SPREAD.corrected({"0.9": Move(1, 0)})
    assert [moved.interval(cost, 0.9, spread) for cost, spread in asked] == [(3, 6), (2, 7), (6, 13), (46, 53)]
    assert msgspec.json.decode(msgspec.json.encode(BY_SPREAD), type=Calibration) == BY_SPREAD


def test_no_interval_is_made_up_where_bands_are_of_spread_and_none_is_known() -> None:
    with pytest.raises(ValueError, match="spread"):
        BY_SPREAD.interval(5, 0.9)
    with pytest.raises(ValueError, match="spread"):
        BY_SPREAD.intervals(np.array([5.0]), 0.9)
