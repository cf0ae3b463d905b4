"""What each feature adds, from what is usual to the prediction."""

from collections.abc import Sequence
from itertools import pairwise
from math import log10

import plotly.graph_objects as go

from perfcast.palette import Palette
from perfcast.ui.charts._dress import dress

_BAR, _REST = 32, 84
"""Pixels of a bar with its gap, and of the axis."""
_ROOM = 1.6
"""On a logarithmic axis, room for the text beside the longest bar."""


def contributions(
    palette: Palette, names: Sequence[str], steps: Sequence[float], *, start: float, x_title: str, factors: bool
) -> go.Figure:
    """Lying bars, each from where the one above it ended: from what is usual to the prediction.

    Args:
        palette: Colours.
        names: One each bar.
        steps: What each adds, or multiplies by.
        start: What is usual.
        x_title: Of the axis, with its unit.
        factors: Whether steps multiply; the axis is then logarithmic.
    """
    ends, nothing = [start], 1.0 if factors else 0.0
    for step in steps:
        ends.append(ends[-1] * step if factors else ends[-1] + step)
    shown = [f"× {step:.3g}" if factors else f"{step:+.3g}" for step in steps]
    figure = go.Figure(
        go.Bar(
            base=[min(pair) for pair in pairwise(ends)],
            x=[abs(after - before) for before, after in pairwise(ends)],
            y=list(names), orientation="h", width=0.55, text=shown, textposition="outside", cliponaxis=False,
            marker={"color": [palette.accent if step > nothing else palette.measured for step in steps]},
            textfont={"color": palette.quiet}, customdata=ends[1:],
            hovertemplate="%{y}: %{text}, so %{customdata:,.4g}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_vline(start, line={"color": palette.quiet, "width": 1})
    figure.add_vline(ends[-1], line={"color": palette.accent, "width": 1.25, "dash": "dot"})
    axis = {"type": "log", "range": _log_range(ends)} if factors and min(ends) > 0 else {"range": _range(ends)}
    return dress(
        figure, palette, height=_REST + _BAR * len(names), hovermode="closest", showlegend=False, bargap=0,
        xaxis={"title": {"text": x_title}, "nticks": 6, **axis},
        yaxis={"autorange": "reversed", "ticks": "", "tickfont": {"color": palette.ink}, "showgrid": False},
    )  # fmt: skip


def _range(ends: Sequence[float]) -> list[float]:
    room = 0.12 * (max(ends) - min(ends) or 1.0)
    return [min(ends) - room, max(ends) + room]


def _log_range(ends: Sequence[float]) -> list[float]:
    return [log10(min(ends) / _ROOM), log10(max(ends) * _ROOM)]
