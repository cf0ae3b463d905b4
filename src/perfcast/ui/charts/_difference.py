"""Differences with their bounds around nothing."""

from collections.abc import Sequence

import plotly.graph_objects as go

from perfcast.palette import Palette
from perfcast.ui.charts._dress import dress


def difference(
    palette: Palette,
    names: Sequence[str],
    values: Sequence[float],
    lower: Sequence[float],
    upper: Sequence[float],
    *,
    x_title: str,
) -> go.Figure:
    """A mark a name with a bar from bound to bound; where the bar is clear of nothing, there is a difference.

    Args:
        palette: Colours.
        names: One each row.
        values: The differences.
        lower: Their lower bounds.
        upper: Their upper bounds.
        x_title: Of the axis, with its unit.
    """
    spread = {
        "type": "data",
        "symmetric": False,
        "array": [high - value for high, value in zip(upper, values, strict=True)],
        "arrayminus": [value - low for low, value in zip(lower, values, strict=True)],
        "color": palette.uncertainty,
        "thickness": 5,
        "width": 0,
    }
    marker = {"color": palette.accent, "size": 11}
    figure = go.Figure(
        go.Scatter(
            x=list(values), y=list(names), mode="markers", marker=marker, error_x=spread, hovertemplate="%{x:.4g}"
        )
    )
    figure.add_vline(0, line={"color": palette.quiet, "width": 1})
    return dress(
        figure, palette, height=80 + 40 * len(names), hovermode="closest", showlegend=False,
        xaxis={"title": {"text": x_title}}, yaxis={"autorange": "reversed", "showgrid": False},
    )  # fmt: skip
