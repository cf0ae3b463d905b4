"""Amounts side by side, each with its name."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from perfcast.palette import Palette
from perfcast.ui.charts._dress import dress
from perfcast.ui.charts._lines import Meaning

_BAR, _REST = 32, 84
"""Pixels of a bar with its gap, and of the axis."""


@dataclass(frozen=True)
class Bar:
    """One amount; `meaning` is which colour it gets."""

    name: str
    value: float
    meaning: Meaning = "measured"


def bars(palette: Palette, shown: Sequence[Bar], *, x_title: str, limit: float | None = None) -> go.Figure:
    """Lying bars, the first on top.

    Args:
        palette: Colours.
        shown: One each bar.
        x_title: Of the axis, with its unit.
        limit: What shall not be reached, in the danger colour; the axis reaches beyond it.
    """
    names, values = [one.name for one in shown], [one.value for one in shown]
    colours = [getattr(palette, one.meaning) for one in shown]
    figure = go.Figure(
        go.Bar(
            x=values, y=names, orientation="h", width=0.55, marker={"color": colours, "line": {"width": 0}},
            text=[f"{value:,.4g}" for value in values], textposition="outside", cliponaxis=False,
            textfont={"color": palette.quiet}, hovertemplate="%{y}: %{x:,.4g}<extra></extra>",
        )
    )  # fmt: skip
    if limit is not None:
        figure.add_vline(limit, line={"color": palette.danger, "width": 1.25, "dash": "dash"})
    most = max([*values, limit or 0.0]) * 1.12 or 1.0
    return dress(
        figure, palette, height=_REST + _BAR * len(shown), hovermode="closest", showlegend=False, bargap=0,
        xaxis={"title": {"text": x_title}, "range": [0, most], "nticks": 6},
        yaxis={"autorange": "reversed", "ticks": "", "tickfont": {"color": palette.ink}, "showgrid": False},
    )  # fmt: skip
