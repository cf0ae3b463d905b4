"""What a manifest promises about its version."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcast.manifest import Calibration

COSTS = st.floats(0, 1e6, width=32)


@st.composite
def calibrations(draw: st.DrawFn) -> Calibration:
    edges = sorted(draw(st.lists(COSTS, max_size=6, unique=True)))
    relative = draw(st.booleans())
    width = st.floats(1, 50) if relative else st.floats(0, 1e4)
    widths = tuple(draw(st.lists(width, min_size=len(edges) + 1, max_size=len(edges) + 1)))
    least, most = sorted(draw(st.tuples(COSTS, COSTS)))
    return Calibration(relative, tuple(edges), {"0.9": widths}, least, most, 100)


@given(calibrations(), st.lists(COSTS, max_size=20))
def test_intervals_of_many_are_those_of_each_to_the_last_bit(calibration: Calibration, costs: list[float]) -> None:
    costs = [*costs, *calibration.edges]
    bounds = calibration.intervals(np.array(costs, dtype=np.float32), 0.9)
    assert bounds is not None
    together = list(zip(*map(np.ndarray.tolist, bounds), strict=True))
    assert together == [calibration.interval(cost, 0.9) for cost in costs]


@pytest.mark.parametrize("coverage", [0.5, 0.99])
def test_a_coverage_that_is_not_in_the_table_has_no_interval(coverage: float) -> None:
    calibration = Calibration(relative=True, edges=(), widths={"0.9": (1.1,)}, minimum=0, maximum=100, rows=50)
    assert calibration.interval(5, coverage) is None
    assert calibration.intervals(np.array([5.0]), coverage) is None
