"""Bars hold what they were given."""

import pytest

from perfcast.palette import DARK, LIGHT
from perfcast.ui.charts import Bar, bars


def test_bars_have_their_names_amounts_and_colours_by_meaning() -> None:
    (trace,) = bars(LIGHT, [Bar("a", 1234.0), Bar("b", 2.0, "danger")], x_title="failed predictions").data
    assert (list(trace.y), list(trace.x), list(trace.text)) == (["a", "b"], [1234.0, 2.0], ["1,234", "2"])
    assert list(trace.marker.color) == [LIGHT.measured, LIGHT.danger]


def test_the_first_bar_is_on_top_and_the_axis_has_its_title() -> None:
    layout = bars(LIGHT, [Bar("a", 1.0), Bar("b", 2.0)], x_title="predictions").layout
    assert layout.yaxis.autorange == "reversed"
    assert layout.xaxis.title.text == "predictions"


@pytest.mark.parametrize("value", [0.0, 0.2, 5.0])
def test_a_limit_is_drawn_and_always_in_sight(value: float) -> None:
    layout = bars(DARK, [Bar("a", value)], x_title="measured ÷ threshold", limit=1.0).layout
    (line,) = layout.shapes
    assert (line.x0, line.line.color) == (1.0, DARK.danger)
    assert layout.xaxis.range[1] > max(1.0, value)


def test_bars_of_nothing_have_an_axis() -> None:
    assert bars(LIGHT, [Bar("a", 0.0)], x_title="predictions").layout.xaxis.range == (0, 1.0)
