"""How each kind of panel is drawn into its place."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np
from deploy.dashboards.sheet._asking import Prometheus, Series, Span, filled
from deploy.dashboards.sheet._units import shown
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

GROUND, FACE, EDGE, TEXT, FAINT = "#111217", "#181b1f", "#2c3235", "#ccccdc", "#8e8e9a"
_NAMED = {"green": "#73bf69", "yellow": "#f2cc0c", "red": "#f2495c", "blue": "#5794f2", "purple": "#b877d9"}
_PALETTE = (
    "#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0", "#37872d", "#fade2a",
)  # fmt: skip
_LEGEND_LINES, _LEGEND_LETTERS = 3, 126
Panel: TypeAlias = Mapping[str, Any]
Mark: TypeAlias = tuple[float, str]
"""An annotation: when, and its colour."""


Answer: TypeAlias = Sequence[tuple[str, Series]]
"""What a panel's queries came to, each series with its name."""


def answer(panel: Panel, prometheus: Prometheus, span: Span) -> Answer:
    """Ask a panel's queries."""
    found: list[tuple[str, Series]] = []
    for target in panel["targets"]:
        expr, legend = filled(target["expr"], span), target.get("legendFormat", "")
        series = prometheus.moment(expr, span.end) if target.get("instant") else prometheus.course(expr, span)
        found += [(one.called(legend), one) for one in series]
    return found


def paint(axes: Axes, panel: Panel, found: Answer, span: Span, marks: Sequence[Mark]) -> None:
    """Draw a panel."""
    if not found:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "No data", color=FAINT, ha="center", va="center", transform=axes.transAxes)
        return
    _PAINTERS[panel["type"]](axes, panel, found, span, marks)


def _lines(axes: Axes, panel: Panel, found: Answer, span: Span, marks: Sequence[Mark]) -> None:
    custom = panel["fieldConfig"]["defaults"]["custom"]
    grid = np.arange(span.start, span.end + span.step, span.step)
    ground = np.zeros_like(grid)
    for number, (name, series) in enumerate(found):
        color, values = _PALETTE[number % len(_PALETTE)], _on(grid, series)
        if custom["drawStyle"] == "bars":
            axes.bar(grid, np.nan_to_num(values), bottom=ground, width=span.step * 0.9, color=color, label=name)
            ground = ground + np.nan_to_num(values)
        elif custom.get("stacking", {}).get("mode") == "normal":
            top = ground + np.nan_to_num(values)
            axes.fill_between(grid, ground, top, color=color, alpha=0.35, lw=0)
            axes.plot(grid, top, color=color, lw=0.9, label=name)
            ground = top
        else:
            lone = ~np.isnan(values) & np.isnan(np.roll(values, 1)) & np.isnan(np.roll(values, -1))
            axes.plot(grid, values, color=color, lw=1.1, label=name)
            axes.plot(grid[lone], values[lone], ".", color=color, ms=3)
    _scale(axes, panel, span)
    for at, color in marks:
        if span.start <= at <= span.end:
            axes.axvline(at, color=_NAMED[color], lw=0.8, ls=(0, (3, 3)), alpha=0.8)
    _legend(axes)


def _scale(axes: Axes, panel: Panel, span: Span) -> None:
    """Axes as the panel wants them, thresholds where they can be seen."""
    defaults = panel["fieldConfig"]["defaults"]
    custom = defaults["custom"]
    if custom.get("scaleDistribution", {}).get("type") == "log":
        axes.set_yscale("log")
        axes.minorticks_off()
    else:
        low, high = axes.dataLim.y0, max(axes.dataLim.y1, custom.get("axisSoftMax", -np.inf))
        room = 0.06 * (high - min(low, 0)) or 1
        bottom = custom.get("axisSoftMin", low - room)
        axes.set_ylim(bottom if low >= bottom else low - room, high + room * (high != custom.get("axisSoftMax")))
        axes.set_axisbelow(True)
        axes.yaxis.set_major_locator(MaxNLocator(4))
    low, high = axes.get_ylim()
    if custom.get("thresholdsStyle", {}).get("mode") == "dashed":
        for step in defaults["thresholds"]["steps"][1:]:
            if low <= step["value"] <= high:
                axes.axhline(step["value"], color=_NAMED[step["color"]], lw=0.8, ls="--", alpha=0.9)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: shown(value, defaults["unit"])))
    _times(axes, span)
    axes.grid(color=EDGE, lw=0.5)
    axes.tick_params(colors=FAINT, labelsize=6.5, length=0, pad=3)


def _figure(axes: Axes, panel: Panel, found: Answer, span: Span, marks: Sequence[Mark]) -> None:  # noqa: ARG001
    defaults = panel["fieldConfig"]["defaults"]
    (_, series), *_ = found
    finite = series.values[np.isfinite(series.values)]
    value = float(finite[-1]) if len(finite) else float("nan")
    words = _words(defaults).get(value)
    text, color = words or (shown(value, defaults["unit"], defaults.get("decimals")), _colour(defaults, value))
    axes.set_axis_off()
    if panel["options"]["graphMode"] == "area" and len(finite) > 1:
        axes.plot(series.at, series.values, color=color, lw=0.8, alpha=0.7)
        axes.fill_between(series.at, 0, series.values, color=color, alpha=0.12, lw=0)
        axes.set_ylim(0, max(float(finite.max()) * 2.2, 1e-9))
    axes.text(0.5, 0.58, text, color=color, fontsize=15, ha="center", va="center", transform=axes.transAxes)


def _ranking(axes: Axes, panel: Panel, found: Answer, span: Span, marks: Sequence[Mark]) -> None:  # noqa: ARG001
    defaults = panel["fieldConfig"]["defaults"]
    shown_most = found[:10]
    values = [float(series.values[-1]) for _, series in shown_most]
    places = range(len(values))
    axes.barh(places, [max(values, default=1) or 1] * len(values), color="#22252b", height=0.72)
    axes.barh(places, values, color=[_colour(defaults, value) for value in values], height=0.72, alpha=0.85)
    for place, value in zip(places, values, strict=True):
        text, across = shown(value, defaults["unit"]), axes.get_yaxis_transform()
        axes.text(1.01, place, text, color=TEXT, fontsize=7, va="center", transform=across)
    axes.set_yticks(places, [name for name, _ in shown_most], fontsize=6.2, color=TEXT)
    axes.set_ylim(max(len(values), 3) - 0.5, -0.5)
    axes.set_xticks([])
    axes.tick_params(length=0)


def _states(axes: Axes, panel: Panel, found: Answer, span: Span, marks: Sequence[Mark]) -> None:  # noqa: ARG001
    words = _words(panel["fieldConfig"]["defaults"])
    grid = np.arange(span.start, span.end, span.step)
    for place, (_, series) in enumerate(found):
        for at, value in zip(grid, _on(grid, series), strict=True):
            if value in words:
                axes.add_patch(Rectangle((at, place - 0.4), span.step * 1.02, 0.8, color=words[value][1], lw=0))
    axes.set_yticks(range(len(found)), [name for name, _ in found], fontsize=7, color=TEXT)
    axes.set_ylim(len(found) - 0.5, -0.5)
    _times(axes, span)
    axes.tick_params(axis="x", colors=FAINT, labelsize=6.5, length=0)
    axes.tick_params(axis="y", length=0)
    for text, color in words.values():
        axes.plot([], [], "s", color=color, label=text)
    _legend(axes)


def _rows(axes: Axes, panel: Panel, found: Answer, span: Span, marks: Sequence[Mark]) -> None:  # noqa: ARG001
    options = panel["transformations"][0]["options"]
    columns = sorted(options["indexByName"], key=options["indexByName"].__getitem__)
    table = sorted([series.labels.get(column, "") for column in columns] for _, series in found)
    table.insert(0, [options["renameByName"][column] for column in columns])
    axes.set_axis_off()
    widths = [max(map(len, cells)) + 2 for cells in zip(*table, strict=True)]
    edges = np.cumsum([0, *widths]) / sum(widths)
    for line, row in enumerate(table[:13]):
        color, y = TEXT if line else "#6e9fff", 0.97 - line * 0.085
        for x, cell in zip(edges, row, strict=False):
            axes.text(x, y, cell, color=color, fontsize=7.0, va="top", transform=axes.transAxes)


def _on(grid: np.ndarray, series: Series) -> np.ndarray:
    """The series' values at the grid's moments; NaN where there are none."""
    places = np.round((series.at - grid[0]) / (grid[1] - grid[0])).astype(int)
    values = np.full(len(grid), np.nan)
    kept = (places >= 0) & (places < len(grid))
    values[places[kept]] = series.values[kept]
    return np.where(np.isfinite(values), values, np.nan)


def _colour(defaults: Mapping[str, Any], value: float) -> str:
    steps = defaults["thresholds"]["steps"]
    reached = [step for step in steps if step["value"] is None or value >= step["value"]]
    return _NAMED[reached[-1]["color"]]


def _words(defaults: Mapping[str, Any]) -> dict[float, tuple[str, str]]:
    told = defaults.get("mappings") or []
    return {
        float(value): (one["text"], _NAMED[one["color"]]) for each in told for value, one in each["options"].items()
    }


def _times(axes: Axes, span: Span) -> None:
    axes.set_xlim(span.start, span.end)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: datetime.fromtimestamp(at, UTC).strftime("%H:%M")))


def _legend(axes: Axes) -> None:
    """As many names as fit below the panel."""
    handles, names = axes.get_legend_handles_labels()
    wide = axes.get_position().width * 3.2
    names = [name if len(name) < 48 else name[:47] + "…" for name in names]
    columns = max(1, min(len(names), int(_LEGEND_LETTERS * wide // (max(map(len, names), default=1) + 7))))
    most = _LEGEND_LINES * columns
    if len(names) > most:
        names = [*names[: most - 1], f"and {len(names) - most + 1} more"]
    axes.legend(
        handles[: len(names)], names, loc="upper left", bbox_to_anchor=(-0.02, -0.1), ncols=columns,
        fontsize=6.2, frameon=False, labelcolor=TEXT, handlelength=1, columnspacing=1, handletextpad=0.5,
        labelspacing=0.3,
    )  # fmt: skip


_PAINTERS: Mapping[str, Callable[[Axes, Panel, Answer, Span, Sequence[Mark]], None]] = {
    "timeseries": _lines,
    "stat": _figure,
    "bargauge": _ranking,
    "state-timeline": _states,
    "table": _rows,
}
