"""What each feature adds, as bars from one to the next."""

import pytest

from perfcast.palette import LIGHT
from perfcast.ui.charts import contributions


def test_each_bar_begins_where_the_one_before_ended() -> None:
    (bars,) = contributions(LIGHT, ["a", "b"], [5.0, -3.0], start=10.0, x_title="CPU (%)", factors=False).data
    assert [(base, base + width) for base, width in zip(bars.base, bars.x, strict=True)] == [(10, 15), (12, 15)]
    assert list(bars.text) == ["+5", "-3"]
    assert list(bars.marker.color) == [LIGHT.accent, LIGHT.measured]


def test_factors_multiply_on_a_logarithmic_axis() -> None:
    figure = contributions(LIGHT, ["a", "b"], [4.0, 0.5], start=0.5, x_title="ms", factors=True)
    (bars,) = figure.data
    assert [(base, base + width) for base, width in zip(bars.base, bars.x, strict=True)] == [(0.5, 2), (1, 2)]
    assert list(bars.text) == ["× 4", "× 0.5"]
    assert figure.layout.xaxis.type == "log"
    low, high = (10**end for end in figure.layout.xaxis.range)
    assert low < 0.5
    assert high > 2


@pytest.mark.parametrize("factors", [False, True])
def test_where_nothing_matters_there_is_an_axis(factors: bool) -> None:  # noqa: FBT001 - a test's parameter
    figure = contributions(LIGHT, ["a"], [1.0 if factors else 0.0], start=2.0, x_title="ms", factors=factors)
    low, high = figure.layout.xaxis.range
    assert low < high
