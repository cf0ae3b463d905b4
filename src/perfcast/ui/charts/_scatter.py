"""What was predicted against what it cost."""

from collections.abc import Sequence

import plotly.graph_objects as go

from perfcast.palette import Palette
from perfcast.ui._look import faded
from perfcast.ui.charts._dress import dress


def agreement(
    palette: Palette, actual: Sequence[float], predicted: Sequence[float], *, unit: str, log: bool
) -> go.Figure:
    """Predicted over actual: on the line they agree.

    Args:
        palette: Colours.
        actual: In `unit`, one each row.
        predicted: The same.
        unit: Of both axes.
        log: Whether both axes are logarithmic, as for costs that span orders of magnitude.
    """
    ends = [min(*actual, *predicted), max(*actual, *predicted)]
    marker = {"color": faded(palette.accent, 0.35), "size": 5}
    figure = go.Figure(go.Scattergl(x=actual, y=predicted, mode="markers", marker=marker, name="row"))
    figure.add_scatter(
        x=ends, y=ends, mode="lines", line={"color": palette.quiet, "width": 1}, name="agreement", hoverinfo="skip"
    )
    kind = {"type": "log" if log else "linear"}
    return dress(
        figure, palette, hovermode="closest", showlegend=False,
        xaxis=kind | {"title": {"text": f"measured ({unit})"}}, yaxis=kind | {"title": {"text": f"predicted ({unit})"}},
    )  # fmt: skip


def residuals(
    palette: Palette, predicted: Sequence[float], error: Sequence[float], *, unit: str, error_unit: str, log: bool
) -> go.Figure:
    """What the prediction was off by, over the prediction; around nothing, if nothing was missed.

    Args:
        palette: Colours.
        predicted: In `unit`.
        error: Predicted less actual, in `error_unit`.
        unit: Of the prediction's axis.
        error_unit: Of the other.
        log: Whether the prediction's axis is logarithmic.
    """
    marker = {"color": faded(palette.accent, 0.35), "size": 5}
    figure = go.Figure(go.Scattergl(x=predicted, y=error, mode="markers", marker=marker, name="row"))
    figure.add_hline(0, line={"color": palette.quiet, "width": 1})
    return dress(
        figure, palette, hovermode="closest", showlegend=False,
        xaxis={"type": "log" if log else "linear", "title": {"text": f"predicted ({unit})"}},
        yaxis={"title": {"text": f"predicted − measured ({error_unit})"}},
    )  # fmt: skip
