"""What is drawn, and what is to be seen in it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from perfcast.manifest import Metrics
from perfcast.palette import LIGHT
from perfcast.reports._document import Picture, number
from perfcast.reports._evidence import Doubles, Evidence
from perfcast.reports._measures import Group, Importance, outside, sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_POINTS = 800
"""Points of a scatter; more hide one another and make the page large."""
_SEEN = (0.5, 99.5)
"""Percent of the residuals that a picture reaches over, so that a few don't flatten all others."""
_NAMES = 22
"""Longest name beside a bar, characters."""


def with_unit(name: str, unit: str) -> str:
    """An axis' label."""
    return f"{name} ({unit})" if unit else name


def predicted_against_measured(evidence: Evidence) -> Picture:
    """Every answer beside what it really cost."""
    cost, missed = evidence.workload.cost, outside(evidence)
    chosen = sample(len(evidence.part), _MOST_POINTS)

    def draw(axes: "Axes") -> None:
        low, high = (float(pick(evidence.measured)) for pick in (np.min, np.max))
        axes.plot([low, high], [low, high], color=LIGHT.measured, linewidth=1.2, label="exact")
        for rows, marker, colour, label in (
            (chosen[~missed[chosen]], "o", LIGHT.accent, "predicted"),
            (chosen[missed[chosen]], "x", LIGHT.uncertainty, "outside the 90 % interval"),
        ):
            if len(rows):
                _points(axes, evidence.measured[rows], evidence.predicted[rows], marker, colour, label)
        if cost.relative:
            axes.set(xscale="log", yscale="log")
        axes.set(xlabel=with_unit("measured", cost.unit), ylabel=with_unit("predicted", cost.unit))
        _legend(axes)

    shown = _of(len(chosen), len(evidence.part))
    alt = (
        f"Predicted against measured cost of {shown} held-out rows, from {number(evidence.measured.min(), cost.unit)} "
        f"to {number(evidence.measured.max(), cost.unit)} measured"
    )
    alt += f"; {int(missed.sum()):,} of all lie outside their 90 % interval." if evidence.bounds is not None else "."
    return Picture("predicted-against-measured", f"Predicted against measured, {shown} held-out rows", alt, draw)


def by_size(evidence: Evidence, found: Sequence[Group]) -> Picture:
    """How large errors are for small and for large costs."""
    labels = [f"{number(group.low)} – {number(group.high)}" for group in found]
    errors = [group.error for group in found]

    def draw(axes: "Axes") -> None:
        _bars(axes, labels, errors, evidence.unit)
        axes.set(
            xlabel=with_unit("mean error", evidence.unit),
            ylabel=with_unit("measured cost", evidence.workload.cost.unit),
        )

    told = ", ".join(f"{number(error, evidence.unit)} at {label}" for label, error in zip(labels, errors, strict=True))
    return Picture("error-by-size", "Mean error by size of the cost", f"Mean error by measured cost: {told}.", draw)


def coverage(metrics: Metrics, calibrated_on: int) -> Picture:
    """What intervals promise beside what they hold."""
    promised = np.array(sorted(map(float, metrics.coverage)))
    held = np.array([metrics.coverage[str(asked)] for asked in promised])

    def draw(axes: "Axes") -> None:
        asked = np.linspace(0.4, 1, 61)
        chance = 196 * np.sqrt(asked * (1 - asked) * (1 / metrics.rows + 1 / max(calibrated_on, 1)))
        axes.fill_between(
            100 * asked,
            100 * asked - chance,
            np.minimum(100 * asked + chance, 100),
            color=LIGHT.measured,
            alpha=0.25,
            linewidth=0,
            label="by chance alone",
        )
        axes.plot(100 * asked, 100 * asked, color=LIGHT.measured, linewidth=1.2, label="as promised")
        axes.plot(100 * promised, held, "o", color=LIGHT.uncertainty, markersize=8, label="held")
        axes.set(xlabel="promised (%)", ylabel="held-out costs inside (%)", xlim=(40, 102), ylim=(40, 102))
        _legend(axes)

    told = ", ".join(f"{number(h, '%')} of {100 * p:g} %" for p, h in zip(promised, held, strict=True))
    return Picture("coverage", "Intervals: promised and held", f"Share of costs held, of those promised: {told}.", draw)


def widths(metrics: Metrics, *, relative: bool, unit: str) -> Picture:
    """What certainty costs."""
    sizes = metrics.relative_width if relative and metrics.relative_width else metrics.width
    shown = "%" if sizes is metrics.relative_width else unit
    names = sorted(sizes, key=float)
    labels, values = [f"{100 * float(name):g} %" for name in names], [sizes[name] for name in names]
    of = "median width, of the predicted cost" if shown == "%" and relative else "mean width"

    def draw(axes: "Axes") -> None:
        _bars(axes, labels, values, shown, colour=LIGHT.uncertainty)
        axes.set(xlabel=with_unit(of, shown), ylabel="coverage asked for")

    told = ", ".join(f"{number(value, shown)} at {label}" for label, value in zip(labels, values, strict=True))
    return Picture("interval-width", "Width of the intervals", f"{of.capitalize()}: {told}.", draw)


def residuals_over_prediction(evidence: Evidence) -> Picture:
    """Whether errors depend on what was predicted."""
    chosen = sample(len(evidence.part), _MOST_POINTS)
    residuals = evidence.residuals
    low, high = np.percentile(residuals, _SEEN)

    def draw(axes: "Axes") -> None:
        axes.axhline(0, color=LIGHT.measured, linewidth=1.2)
        _points(axes, evidence.predicted[chosen], residuals[chosen], "o", LIGHT.accent, "")
        _residual_axis(axes, evidence, low, high)
        if evidence.workload.cost.relative:
            axes.set_xscale("log")
        axes.set_xlabel(with_unit("predicted", evidence.workload.cost.unit))

    alt = (
        f"Residuals over the predicted cost: median {number(float(np.median(residuals)), evidence.unit)}, 99 in 100 "
        f"between {number(float(low), evidence.unit)} and {number(float(high), evidence.unit)}."
    )
    return Picture("residuals-over-prediction", "Residuals over the prediction, 99 in 100 rows", alt, draw)


def residuals_over_time(evidence: Evidence, found: Sequence[Group]) -> Picture:
    """Whether errors grow with the age of what was learnt; groups along seconds since 1970."""
    moments = [np.datetime64(round(group.middle), "s") for group in found]

    def draw(axes: "Axes") -> None:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        _band(axes, np.array(moments), found)
        _residual_axis(axes, evidence)
        locator = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        axes.set_xlabel("measured (UTC)")
        _legend(axes)

    alt = f"Residuals of held-out rows from {moments[0]} to {moments[-1]}: {_range_of(found, evidence.unit)}."
    return Picture("residuals-over-time", "Residuals over time", alt, draw)


def residuals_over_feature(
    evidence: Evidence, position: int, found: Sequence[Group], reach: tuple[float, float]
) -> Picture:
    """Whether errors depend on a feature; `reach` is the range of residuals that all such pictures share."""
    declared = evidence.workload.features[position].declaration
    middles = np.array([group.middle for group in found])
    values = declared.values or (("no", "yes") if declared.type == "flag" else ())

    def draw(axes: "Axes") -> None:
        (_bars_of if values else _band)(axes, middles, found)
        _residual_axis(axes, evidence, *reach)
        axes.set_ylabel(with_unit("residual", evidence.unit))
        if values:
            codes = sorted({round(middle) for middle in middles})
            axes.set_xticks(codes, [_short(str(values[code])) for code in codes])
            axes.margins(x=0.3)
        elif len(middles) > 2 and middles.min() > 0 and middles.max() > 50 * middles.min():
            axes.set_xscale("log")
        axes.set_xlabel(with_unit(declared.name, declared.unit))

    alt = f"Residuals over {declared.name}: {_range_of(found, evidence.unit)}."
    return Picture(f"residuals-over-{declared.name}", declared.name, alt, draw, small=True)


def importances(found: Sequence[Importance], unit: str) -> Picture:
    """Which features the answers hang on."""
    labels, rises = [importance_name(one) for one in found], [one.rise for one in found]

    def draw(axes: "Axes") -> None:
        _bars(axes, [_short(label) for label in labels], rises, unit)
        axes.set_xlabel(with_unit("mean error rises by", unit))

    told = ", ".join(f"{label} {number(rise, unit)}" for label, rise in zip(labels, rises, strict=True))
    alt = f"How much the mean error rises when a feature's values are shuffled: {told}."
    return Picture("importance", "Permutation importance", alt, draw)


def importance_name(one: Importance) -> str:
    """The feature, or the clock for all that it decides."""
    return one.features[0] if len(one.features) == 1 else "time of day and week"


def learning_curve(rows: Sequence[int], errors: Sequence[float], unit: str) -> Picture:
    """What more rows bring."""

    def draw(axes: "Axes") -> None:
        axes.plot(rows, errors, "o-", color=LIGHT.accent, markersize=7)
        for count, error in zip(rows, errors, strict=True):
            axes.annotate(number(error), (count, error), (4, 7), textcoords="offset points", fontsize=12)
        axes.set(xlabel="rows learnt from", ylabel=with_unit("mean error on held-out rows", unit))
        axes.set_ylim(0, 1.15 * max(errors))
        axes.margins(x=0.08)

    told = ", ".join(f"{number(e, unit)} with {number(n)}" for n, e in zip(rows, errors, strict=True))
    return Picture("learning-curve", "Learning curve", f"Mean error by rows learnt from: {told}.", draw)


def _legend(axes: "Axes") -> None:
    """Above the picture, so that it hides nothing."""
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2, columnspacing=1.2, handletextpad=0.5
    )


def _points(axes: "Axes", x: Doubles, y: Doubles, marker: str, colour: str, label: str) -> None:
    alpha = 0.4 if marker == "o" else 0.9
    axes.plot(
        x, y, marker, color=colour, markersize=4.5, alpha=alpha, markeredgewidth=1.2 * (marker == "x"), label=label
    )


def _bars(
    axes: "Axes", labels: Sequence[str], values: Sequence[float], unit: str, *, colour: str = LIGHT.accent
) -> None:
    """Lying bars, the first on top, each with its value."""
    places = list(range(len(labels)))
    axes.barh(places, values, color=colour, height=0.62)
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    least, most = min(0.0, *values), max(0.0, *values)
    axes.set_xlim(least, most + 0.22 * (most - least or 1))
    for place, value in zip(places, values, strict=True):
        axes.annotate(
            number(value, unit if unit == "%" else ""),
            (max(value, 0), place),
            (5, 0),
            textcoords="offset points",
            va="center",
            fontsize=12,
        )


def _band(axes: "Axes", x: npt.NDArray[np.generic], found: Sequence[Group]) -> None:
    axes.axhline(0, color=LIGHT.measured, linewidth=1.2)
    lower, upper = [group.lower for group in found], [group.upper for group in found]
    axes.fill_between(x, lower, upper, color=LIGHT.uncertainty, alpha=0.22, linewidth=0, label="80 % of the rows")
    axes.plot(x, [group.median for group in found], "o-", color=LIGHT.accent, markersize=4, label="median")


def _bars_of(axes: "Axes", x: npt.NDArray[np.generic], found: Sequence[Group]) -> None:
    """As `_band`, where there is nothing between one value and the next."""
    axes.axhline(0, color=LIGHT.measured, linewidth=1.2)
    axes.vlines(
        x,
        [group.lower for group in found],
        [group.upper for group in found],
        color=LIGHT.uncertainty,
        alpha=0.35,
        linewidth=14,
    )
    axes.plot(x, [group.median for group in found], "o", color=LIGHT.accent, markersize=6)


def _residual_axis(axes: "Axes", evidence: Evidence, low: float | None = None, high: float | None = None) -> None:
    axes.set_ylabel(with_unit("predicted − measured", evidence.unit))
    if low is not None and high is not None:
        room = 0.05 * (high - low) or 1.0
        axes.set_ylim(low - room, high + room)


def _range_of(found: Sequence[Group], unit: str) -> str:
    medians = [group.median for group in found]
    return f"the median lies between {number(min(medians), unit)} and {number(max(medians), unit)}"


def _of(some: int, every: int) -> str:
    return f"{some:,} of {every:,}" if some < every else f"{every:,}"


def _short(name: str) -> str:
    return name if len(name) <= _NAMES else f"{name[: _NAMES - 1]}…"
