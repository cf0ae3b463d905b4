"""How every figure looks."""

from typing import Any

import plotly.graph_objects as go

from perfcast.palette import Palette
from perfcast.ui._look import FONT


def dress(figure: go.Figure, palette: Palette, **more: Any) -> go.Figure:
    """Lay a figure out as all are; `more` is what this one has of its own, as for `update_layout`."""
    axis = {
        "gridcolor": palette.hairline,
        "linecolor": palette.hairline,
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": palette.hairline,
        "tickfont": {"color": palette.quiet},
        "title": {"font": {"color": palette.quiet, "size": 13}},
        "automargin": True,
        "fixedrange": True,
    }
    hover = {"bgcolor": palette.surface, "bordercolor": palette.hairline, "font": {"color": palette.ink}}
    figure.update_layout(
        font={"family": FONT, "size": 13, "color": palette.ink},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 8, "r": 12, "t": 12, "b": 8},
        height=320,
        hovermode="x unified",
        hoverlabel=hover,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"color": palette.quiet}},
        xaxis=axis | {"showgrid": False},
        yaxis=axis,
    )
    return figure.update_layout(**more)
