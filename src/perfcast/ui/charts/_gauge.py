"""One answer on its scale: the prediction, the interval around it, and what lies beyond a limit."""

from typing import Any

import plotly.graph_objects as go

from perfcast.palette import Palette
from perfcast.ui._look import faded
from perfcast.ui.charts._dress import dress
from perfcast.ui.charts._scale import nice_ceiling

_HEIGHT = 96


def gauge(
    palette: Palette,
    value: float,
    *,
    unit: str,
    lower: float | None = None,
    upper: float | None = None,
    maximum: float | None = None,
    least_end: float = 0.0,
    limit: float | None = None,
) -> go.Figure:
    """A scale from 0 with the prediction as a mark on it.

    Args:
        palette: Colours.
        value: The prediction, in `unit`.
        unit: Of the scale.
        lower: Of the interval; None where there is none.
        upper: The same.
        maximum: End of the scale; a round number above everything where the cost has no bound.
        least_end: What such a scale shall reach at least, so that several can be compared.
        limit: What shall not be exceeded; the scale beyond it is marked.
    """
    bounds = [bound for bound in (lower, upper) if bound is not None]
    end = maximum if maximum is not None else nice_ceiling(1.1 * max([value, *bounds, least_end, limit or 0.0]))
    shapes = [_bar(palette.surface, 0.0, end, 0.22, palette.hairline)]
    if limit is not None and limit < end:
        shapes.append(_bar(faded(palette.danger, 0.16), limit, end, 0.22))
    if lower is not None and upper is not None:
        shapes.append(_bar(faded(palette.uncertainty, 0.42), lower, upper, 0.22))
    shapes.append(_bar(palette.accent, value - end / 400, value + end / 400, 0.34))
    figure = go.Figure(
        go.Scatter(
            x=[value], y=[0], mode="markers", marker={"color": palette.accent, "size": 1}, hovertemplate="%{x:.4g}"
        )
    )
    return dress(
        figure,
        palette,
        height=_HEIGHT,
        hovermode=False,
        shapes=shapes,
        showlegend=False,
        xaxis={"range": [0, end], "ticksuffix": f" {unit}", "nticks": 6, "showline": False, "ticks": ""},
        yaxis={"range": [-0.5, 0.5], "visible": False},
    )


def _bar(colour: str, left: float, right: float, half: float, line: str | None = None) -> dict[str, Any]:
    border = {"color": line, "width": 1} if line else {"width": 0}
    return {
        "type": "rect",
        "x0": left,
        "x1": right,
        "y0": -half,
        "y1": half,
        "fillcolor": colour,
        "line": border,
        "layer": "below" if line else "between",
    }
