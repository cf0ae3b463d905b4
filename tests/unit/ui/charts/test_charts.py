"""Figures hold what they were given."""

import math
from typing import Any

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcast.palette import DARK, LIGHT
from perfcast.ui._look import faded
from perfcast.ui.charts import (
    Band,
    Curve,
    Points,
    Series,
    agreement,
    curve,
    difference,
    gauge,
    lines,
    nice_ceiling,
    residuals,
    trials,
)

X, Y = [0.0, 1.0, 2.0], [5.0, 6.0, 8.0]
BAND = Band([4.0, 5.0, 6.0], [6.0, 7.0, 10.0])
TITLES: Any = {"x_title": "Request rate (requests/s)", "y_title": "CPU (%)"}


def traces(figure: go.Figure) -> dict[str, tuple[list[Any], list[Any]]]:
    return {trace.name: (list(trace.x), list(trace.y)) for trace in figure.data}


def bars(figure: go.Figure, colour: str) -> list[tuple[float, float]]:
    """From where to where there is a bar of that colour."""
    return [(shape.x0, shape.x1) for shape in figure.layout.shapes if shape.fillcolor == colour]


def test_a_curve_has_its_line_its_band_and_the_measured_rows() -> None:
    figure = curve(LIGHT, [Curve("m", X, Y, BAND)], **TITLES, measured=Points([1.5], [7.5]))
    assert traces(figure) == {
        "measured": ([1.5], [7.5]), "lower": (X, list(BAND.lower)), "interval": (X, list(BAND.upper)), "m": (X, Y),
    }  # fmt: skip
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == tuple(TITLES.values())


def test_of_several_curves_only_the_first_has_its_band_and_each_its_own_dashes() -> None:
    figure = curve(LIGHT, [Curve("a", X, Y, BAND), Curve("b", X, Y, BAND)], **TITLES)
    assert [trace.name for trace in figure.data] == ["lower", "interval", "a", "b"]
    assert figure.data[2].line.dash != figure.data[3].line.dash
    assert figure.data[2].line.color == figure.data[3].line.color == LIGHT.accent


def test_a_curve_tells_its_limit_and_where_it_is_now() -> None:
    figure = curve(DARK, [Curve("m", X, Y)], **TITLES, limit=80.0, here=1.0)
    limit, here = figure.layout.shapes
    assert (limit.y0, limit.y1, limit.line.color) == (80.0, 80.0, DARK.danger)
    assert (here.x0, here.x1) == (1.0, 1.0)
    assert [note.text for note in figure.layout.annotations] == ["limit 80"]


@pytest.mark.parametrize(("given_range", "found"), [((0.0, 100.0), ((0.0, 100.0), None)), (None, (None, "tozero"))])
def test_a_cost_without_bounds_starts_at_zero(given_range: tuple[float, float] | None, found: tuple[Any, Any]) -> None:
    axis = curve(LIGHT, [Curve("m", X, Y)], **TITLES, y_range=given_range).layout.yaxis
    assert (axis.range, axis.rangemode) == found


def test_a_gauge_marks_the_answer_its_interval_and_what_is_beyond_the_limit() -> None:
    figure = gauge(LIGHT, 60.0, unit="%", lower=50.0, upper=75.0, maximum=100.0, limit=80.0)
    assert bars(figure, faded(LIGHT.uncertainty, 0.42)) == [(50.0, 75.0)]
    assert bars(figure, faded(LIGHT.danger, 0.16)) == [(80.0, 100.0)]
    (mark,) = bars(figure, LIGHT.accent)
    assert sum(mark) / 2 == pytest.approx(60.0)
    assert tuple(figure.layout.xaxis.range) == (0.0, 100.0)


def test_a_gauge_without_interval_shows_none() -> None:
    assert bars(gauge(LIGHT, 60.0, unit="%"), faded(LIGHT.uncertainty, 0.42)) == []


@pytest.mark.parametrize(("upper", "least_end", "limit"), [(9.0, 0.0, None), (None, 40.0, None), (None, 0.0, 70.0)])
def test_a_scale_without_a_bound_ends_above_everything(upper: float | None, least_end: float, limit: float) -> None:
    end = gauge(LIGHT, 8.0, unit="ms", upper=upper, least_end=least_end, limit=limit).layout.xaxis.range[1]
    assert end > max(8.0, upper or 0.0, least_end, limit or 0.0)


def test_lines_keep_their_gaps_and_meanings() -> None:
    shown = lines(LIGHT, [Series("errors", X, [1.0, None, 3.0], "danger", 1)], **TITLES, limit=2.5, wanted=1.0)
    assert traces(shown) == {"errors": (X, [1.0, None, 3.0])}
    assert (shown.data[0].line.color, shown.data[0].line.dash) == (LIGHT.danger, "dash")
    assert [(one.y0, one.line.color) for one in shown.layout.shapes] == [(2.5, LIGHT.danger), (1.0, LIGHT.quiet)]


def test_a_search_shows_each_trial_and_the_best_so_far() -> None:
    figure = trials(LIGHT, [1, 2, 3, 4], [None, 3.0, 4.0, 2.0], ["a", "b", "a", "b"], y_title="MAE (%)")
    assert traces(figure) == {
        "trial": ([1, 2, 3, 4], [None, 3.0, 4.0, 2.0]), "best so far": ([1, 2, 3, 4], [None, 3.0, 3.0, 2.0]),
    }  # fmt: skip
    assert list(figure.data[0].text) == ["a", "b", "a", "b"]


def test_a_search_without_a_trial_is_an_empty_figure() -> None:
    assert traces(trials(LIGHT, [], [], [], y_title="MAE (%)")) == {"trial": ([], []), "best so far": ([], [])}


@pytest.mark.parametrize(("log", "kind"), [(True, "log"), (False, "linear")])
def test_agreement_has_each_row_and_the_line_on_which_they_agree(log: bool, kind: str) -> None:  # noqa: FBT001
    figure = agreement(LIGHT, [1.0, 5.0], [2.0, 9.0], unit="ms", log=log)
    assert traces(figure) == {"row": ([1.0, 5.0], [2.0, 9.0]), "agreement": ([1.0, 9.0], [1.0, 9.0])}
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == (kind, kind)
    assert "ms" in figure.layout.xaxis.title.text


def test_residuals_lie_around_nothing() -> None:
    figure = residuals(LIGHT, [1.0, 5.0], [0.5, -1.0], unit="ms", error_unit="ms", log=False)
    assert traces(figure) == {"row": ([1.0, 5.0], [0.5, -1.0])}
    assert figure.layout.shapes[0].y0 == 0


@given(st.floats(1e-9, 1e12))
def test_a_nice_ceiling_is_not_below_and_not_far_above(value: float) -> None:
    assert value * (1 - 1e-6) <= nice_ceiling(value) <= 1.6 * value


@pytest.mark.parametrize("value", [0.0, -3.0, math.nan, math.inf])
def test_what_has_no_ceiling_gets_one(value: float) -> None:
    assert nice_ceiling(value) == 1.0


def test_a_difference_has_its_bounds_around_nothing() -> None:
    figure = difference(LIGHT, ["challenger"], [0.4], [0.1], [0.9], x_title="points")
    (mark,) = figure.data
    assert (list(mark.x), list(mark.y)) == ([0.4], ["challenger"])
    assert (mark.error_x.array[0], mark.error_x.arrayminus[0]) == pytest.approx((0.5, 0.3))
    assert figure.layout.shapes[0].x0 == 0
