"""A cost over one swept parameter: the prediction as a line, its interval as a band, rows measured as dots, a limit."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from perfcast.palette import Palette
from perfcast.ui._look import faded
from perfcast.ui.charts._dress import dress

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
"""Several models are told apart by their lines, not by colours: colours have meanings."""


@dataclass(frozen=True)
class Band:
    """Lower and upper bounds along a curve, one each a point."""

    lower: Sequence[float]
    upper: Sequence[float]


@dataclass(frozen=True)
class Curve:
    """What one model predicts along a parameter.

    Attributes:
        name: Of the model.
        x, y: Values of the parameter, numbers or days, and the costs predicted there.
        band: Of its intervals; None where it has none.
    """

    name: str
    x: Sequence[object]
    y: Sequence[float]
    band: Band | None = None


@dataclass(frozen=True)
class Points:
    """Rows that were measured: a value of the parameter and the cost each."""

    x: Sequence[float]
    y: Sequence[float]
    name: str = "measured"


def curve(
    palette: Palette,
    curves: Sequence[Curve],
    *,
    x_title: str,
    y_title: str,
    measured: Points | None = None,
    here: float | None = None,
    limit: float | None = None,
    most: object = None,
    y_range: tuple[float, float] | None = None,
) -> go.Figure:
    """Curves with their bands; the band of the first only where there are several, so that they can be told apart.

    Args:
        palette: Colours.
        curves: One each model.
        x_title: Of the parameter's axis, with its unit.
        y_title: Of the cost's axis, with its unit.
        measured: Rows to compare with.
        here: The parameter's present value.
        limit: What the cost shall not exceed.
        most: How far the parameter may rise because of it.
        y_range: Of the cost's axis; chosen by what is shown if not given.
    """
    figure = go.Figure()
    if measured is not None:
        _measured(figure, palette, measured)
    for number, one in enumerate(curves):
        if one.band is not None and not number:
            _band(figure, palette, one, one.band)
        line = {"color": palette.accent, "width": 2.25, "dash": _DASHES[number % len(_DASHES)]}
        figure.add_scatter(x=one.x, y=one.y, mode="lines", name=one.name, line=line, hovertemplate="%{y:.4g}")
    if limit is not None:
        figure.add_hline(limit, line={"color": palette.danger, "width": 1.25, "dash": "dash"})
        note = {"text": f"limit {limit:g}", "font": {"color": palette.danger, "size": 12}, "showarrow": False}
        figure.add_annotation(x=0, xref="paper", y=limit, xanchor="left", yanchor="bottom", **note)
    if here is not None:
        figure.add_vline(here, line={"color": palette.quiet, "width": 1, "dash": "dot"})
    if most is not None:
        figure.add_vline(most, line={"color": palette.danger, "width": 1.25})
    y_axis = {"title": {"text": y_title}} | ({"range": list(y_range)} if y_range else {"rangemode": "tozero"})
    return dress(figure, palette, xaxis={"title": {"text": x_title}}, yaxis=y_axis)


def _measured(figure: go.Figure, palette: Palette, measured: Points) -> None:
    marker = {"color": faded(palette.measured, 0.45), "size": 5}
    figure.add_scatter(x=measured.x, y=measured.y, mode="markers", name=measured.name, marker=marker, hoverinfo="skip")


def _band(figure: go.Figure, palette: Palette, one: Curve, band: Band) -> None:
    edge = {"color": faded(palette.uncertainty, 0.0), "width": 0}
    shared = {"x": one.x, "mode": "lines", "line": edge}
    figure.add_scatter(**shared, y=band.lower, showlegend=False, name="lower", hovertemplate="%{y:.4g}")
    figure.add_scatter(
        **shared,
        y=band.upper,
        fill="tonexty",
        fillcolor=faded(palette.uncertainty, 0.22),
        name="interval",
        hovertemplate="%{y:.4g}",
    )
