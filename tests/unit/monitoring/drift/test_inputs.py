"""A day of inputs is compared with what was trained, whatever their distribution is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcast.monitoring.drift import histogram, longest_run, make_edges, scale_of
from perfcast.monitoring.drift._inputs import distance
from perfcast.monitoring.drift._units import other_unit

floats = st.floats(-1e6, 1e6, width=32)


@given(st.lists(floats, min_size=1, max_size=200))
def test_every_value_that_was_trained_lies_within_and_no_distance_is_left(values: list[float]) -> None:
    rows = np.array(values, dtype=np.float32)
    edges = make_edges(rows)
    counts = histogram(rows, edges)
    assert counts.sum() == len(rows)
    assert counts[0] == counts[-1] == 0
    assert distance(counts, counts / counts.sum()) == 0


def test_what_lies_outside_is_seen_and_what_is_no_number_is_left_out() -> None:
    rows = np.arange(100, dtype=np.float32)
    edges = make_edges(rows)
    counts = histogram(np.array([-1, 100, np.nan, np.inf, 5], dtype=np.float32), edges)
    assert (counts[0], counts[-1], counts.sum()) == (1, 1, 3)


def test_a_shift_is_as_far_as_the_share_of_rows_that_moved() -> None:
    rows = np.arange(1000, dtype=np.float32)
    edges = make_edges(rows)
    shares = histogram(rows, edges) / 1000
    assert distance(histogram(rows + 250, edges), shares) == pytest.approx(0.25, abs=0.06)


def test_only_a_power_of_ten_at_the_ends_of_what_was_trained_is_another_unit() -> None:
    assert other_unit(3.52, 0.5, 1.0) == 3
    assert other_unit(-1.45, 0.5, 0.95) == -2
    assert other_unit(3.8, 0.5, 1.0) == 0
    assert other_unit(3.5, 0.5, 0.5) == 0
    assert other_unit(0.55, 0.5, 1.0) == 0


def test_runs_and_scales_are_those_of_the_rows() -> None:
    assert longest_run(np.array([1, 2, 2, 2, 3, 3])) == 3
    assert longest_run(np.zeros(0)) == 0
    assert scale_of(np.array([0.0, 10, -1000, np.nan])) == pytest.approx(2)
    assert scale_of(np.zeros(3)) is None
