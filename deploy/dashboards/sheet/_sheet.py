"""A whole dashboard on one picture."""

import textwrap
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from deploy.dashboards.sheet._asking import Prometheus, Span, filled
from deploy.dashboards.sheet._panels import EDGE, FACE, FAINT, GROUND, TEXT, Mark, answer, paint

_WIDTH, _UNIT, _GAP = 1600, 34, 8
"""Pixels: of the picture, of a unit of Grafana's height, between panels."""
_HEAD, _TITLE = 64, 24
_DOTS = 90


def draw(board: dict[str, Any], prometheus: Prometheus, span: Span, path: Path) -> list[str]:
    """Draw a dashboard's JSON into a PNG file.

    Returns:
        The titles of the panels that had no data.
    """
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    height = _HEAD + rows * _UNIT + _GAP
    figure = plt.figure(figsize=(_WIDTH / 100, height / 100), facecolor=GROUND, dpi=_DOTS)
    place = _Place(figure, height)
    figure.text(0.006, 1 - 22 / height, board["title"], color=TEXT, fontsize=15, va="center", weight="bold")
    figure.text(0.006, 1 - 46 / height, board["description"], color=FAINT, fontsize=8.5, va="center")
    marks, empty = _marks(board, prometheus, span), []
    for panel in board["panels"]:
        if panel["type"] == "row":
            place.title(panel["gridPos"], panel["title"])
            continue
        own = span.coarser(panel.get("interval"))
        found = answer(panel, prometheus, own)
        empty += [] if found else [panel["title"]]
        paint(place.axes(panel), panel, found, own, marks)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, facecolor=GROUND, pil_kwargs={"optimize": True})
    plt.close(figure)
    return empty


class _Place:
    """Where on the picture Grafana's grid lies."""

    def __init__(self, figure: Any, height: float) -> None:
        self._figure, self._height = figure, height

    def title(self, grid: dict[str, int], text: str) -> None:
        """The line above a row."""
        y = 1 - (_HEAD + (grid["y"] + 0.55) * _UNIT) / self._height
        self._figure.text(0.006, y, f"⌄ {text}", color=TEXT, fontsize=10.5, va="center", weight="bold")

    def axes(self, panel: dict[str, Any]) -> Any:
        """A panel's face with its title, and the axes on it."""
        from matplotlib.patches import Rectangle

        grid = panel["gridPos"]
        left, top = grid["x"] * _WIDTH / 24 + _GAP / 2, _HEAD + grid["y"] * _UNIT
        wide, high = grid["w"] * _WIDTH / 24 - _GAP, grid["h"] * _UNIT - _GAP
        corner = (left / _WIDTH, 1 - (top + high) / self._height)
        size = (wide / _WIDTH, high / self._height)
        face = Rectangle(corner, *size, fc=FACE, ec=EDGE, lw=0.6, zorder=-1, transform=self._figure.transFigure)
        self._figure.add_artist(face)
        title = textwrap.shorten(panel["title"], int(wide / 6.5), placeholder="…")
        title_y = 1 - (top + _TITLE / 2 + 2) / self._height
        self._figure.text((left + 9) / _WIDTH, title_y, title, color=TEXT, fontsize=8.5, va="center")
        before, after, below = _margins(panel, wide, high)
        x, y = (left + before) / _WIDTH, corner[1] + below / self._height
        box = (x, y, (wide - before - after) / _WIDTH, (high - _TITLE - below - 6) / self._height)
        axes = self._figure.add_axes(box, facecolor=FACE)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return axes


def _margins(panel: dict[str, Any], wide: float, high: float) -> tuple[float, float, float]:
    """Pixels before, behind and below a panel's axes."""
    return {
        "timeseries": (62, 12, min(74, high * 0.3)),
        "state-timeline": (wide * 0.34, 12, 48),
        "bargauge": (wide * 0.46, 78, 12),
        "table": (12, 12, 6),
        "stat": (4, 4, 3),
    }[panel["type"]]


def _marks(board: dict[str, Any], prometheus: Prometheus, span: Span) -> list[Mark]:
    """The moments of the dashboard's annotations."""
    marks = []
    for annotation in board["annotations"]["list"]:
        for series in prometheus.course(filled(annotation["expr"], span), span):
            if annotation.get("useValueForTime"):
                moments = np.unique(series.values) / 1000
            else:  # one mark for each stretch of points
                moments = series.at[np.diff(series.at, prepend=-np.inf) > 1.5 * span.step]
            marks += [(float(at), annotation["iconColor"]) for at in moments]
    return marks
