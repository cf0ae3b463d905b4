"""Series side by side: over time, or over a search's trials."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from perfcast.palette import Palette
from perfcast.ui.charts._dress import dress

Meaning = Literal["accent", "uncertainty", "danger", "measured", "ink"]
_DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True)
class Series:
    """One line.

    Attributes:
        name: In the legend.
        x, y: Its points; a gap where y is None.
        meaning: Which colour it gets.
        dash: Which of the four kinds of line, 0 to 3.
    """

    name: str
    x: Sequence[object]
    y: Sequence[float | None]
    meaning: Meaning = "accent"
    dash: int = 0


def lines(
    palette: Palette,
    series: Sequence[Series],
    *,
    x_title: str,
    y_title: str,
    limit: float | None = None,
    wanted: float | None = None,
    marked: bool = False,
    x_range: tuple[object, object] | None = None,
    y_range: tuple[float, float] | None = None,
) -> go.Figure:
    """Lines over one axis.

    Args:
        palette: Colours.
        series: One each line.
        x_title: Of the axis along, with its unit.
        y_title: Of the axis upwards, with its unit.
        limit: What shall not be crossed, in the danger colour.
        wanted: Where it should lie, in a quiet colour.
        marked: Whether points are marked, as where they are few.
        x_range: Of the axis along; chosen by what is shown if not given.
        y_range: Of the upright axis; the same.
    """
    figure, mode = go.Figure(), "lines+markers" if marked else "lines"
    for one in series:
        line = {"color": getattr(palette, one.meaning), "width": 2, "dash": _DASHES[one.dash % len(_DASHES)]}
        figure.add_scatter(x=one.x, y=one.y, mode=mode, name=one.name, line=line, hovertemplate="%{y:.4g}")
    for value, colour in ((limit, palette.danger), (wanted, palette.quiet)):
        if value is not None:
            figure.add_hline(value, line={"color": colour, "width": 1, "dash": "dash"})
    words = any(isinstance(value, str) for one in series for value in one.x)
    x_axis: dict[str, Any] = {"title": {"text": x_title}} | ({"type": "category"} if words else {})
    x_axis |= {"range": list(x_range)} if x_range else {}
    y_axis = {"title": {"text": y_title}} | ({"range": list(y_range)} if y_range else {"rangemode": "tozero"})
    return dress(figure, palette, xaxis=x_axis, yaxis=y_axis)


def trials(
    palette: Palette,
    numbers: Sequence[int],
    scores: Sequence[float | None],
    families: Sequence[str],
    *,
    y_title: str,
    best_name: str = "best so far",
) -> go.Figure:
    """A search: each trial's score as a dot, and the best so far as a line.

    Args:
        palette: Colours.
        numbers: One each trial.
        scores: The same; None where a trial gave none.
        families: The same.
        y_title: What a score is, with its unit.
        best_name: Of the line; another where earlier trials aren't shown.
    """
    best: list[float | None] = []
    for score in scores:
        known = [value for value in (best[-1] if best else None, score) if value is not None]
        best.append(min(known) if known else None)
    figure = go.Figure(
        go.Scatter(
            x=list(numbers),
            y=list(scores),
            mode="markers",
            name="trial",
            text=list(families),
            marker={"color": palette.measured, "size": 8},
            hovertemplate="%{text} %{y:.4g}",
        )
    )
    line = {"color": palette.accent, "width": 2.25, "shape": "hv"}
    figure.add_scatter(x=list(numbers), y=best, mode="lines", name=best_name, line=line, hovertemplate="%{y:.4g}")
    return dress(
        figure, palette, height=300, xaxis={"title": {"text": "trial"}, "dtick": max(1, len(numbers) // 10)},
        yaxis={"title": {"text": y_title}},
    )  # fmt: skip
