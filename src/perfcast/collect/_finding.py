"""What is known of one query: figures of its values, and what they and the way it is written say."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from perfcast.collect._collection import CAPACITY, Collection
from perfcast.collect._promql import functions, selectors, windows
from perfcast.collect._rows import Column
from perfcast.workloads import Workload

LAGS = range(-5, 6)
"""Steps by which the target is compared with a feature."""
_FEWEST = 20
"""Rows that a correlation needs."""
_BETTER = 0.02
"""A correlation at another lag is worth a word when it is better by so much."""
RATES = frozenset({"rate", "irate", "increase", "delta", "idelta", "deriv"})
_LAST_TWO = frozenset({"irate", "idelta"})
_MANY_GAPS = 0.02
"""Share of the instants without a value that is worth a word."""
_COUNTER = re.compile(r"_(total|count|sum|bucket)(?![a-zA-Z0-9_:])")


@dataclass
class Finding:
    """What is known of one query.

    Attributes:
        name: The feature, the cost, or `capacity`.
        series: How many it gives; one is wanted.
        points, gaps: Instants with a number, and without one since the first.
        since: Oldest instant for which there is one, seconds since 1970; None where there is none.
        least, median, most: Of its values, after capacity for the cost.
        correlation: With the cost, by how many steps the cost comes later; empty for cost and capacity.
        wrong: What must be changed.
        hints: What may be better.
    """

    name: str
    series: int = 0
    points: int = 0
    gaps: int = 0
    since: int | None = None
    least: float | None = None
    median: float | None = None
    most: float | None = None
    correlation: dict[int, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    @property
    def best_lag(self) -> int | None:
        """The lag at which it goes with the cost best; None where that can't be told."""
        if not self.correlation:
            return None
        return max(self.correlation, key=lambda lag: (abs(self.correlation[lag]), lag == 0))


def look_at_values(finding: Finding, collection: Collection, values: Mapping[str, Column]) -> None:
    column = values[finding.name]
    usable = column[np.isfinite(column)]
    finding.points = len(usable)
    if not len(usable):
        return
    begins = int(np.argmax(np.isfinite(column)))
    finding.gaps = len(column) - begins - len(usable)
    finding.least, finding.median, finding.most = (float(value) for value in np.quantile(usable, (0, 0.5, 1)))
    cost = collection.workload.cost
    _look_at_gaps(finding, values, begins)
    query = collection.queries[finding.name]
    if _only_grows(usable) and finding.name != CAPACITY and not functions(query) & RATES:
        counter = any(_COUNTER.search(selector.text) for selector in selectors(query))
        (finding.wrong if counter else finding.hints).append("only grows, as a counter does: use rate(…[$window])")
    if finding.name == cost.name:
        _look_at_cost(finding, collection, usable)
    elif finding.name != CAPACITY:
        _look_at_bounds(finding, collection.workload, usable)
        if finding.least == finding.most:
            finding.hints.append(f"is always {finding.least:g}: nothing can be learnt from it")
        else:
            _correlate(finding, column, values[cost.name])


def _look_at_gaps(finding: Finding, values: Mapping[str, Column], begins: int) -> None:
    """Where it gives nothing while others do: while nobody gives anything, nobody was scraped."""
    missing = ~np.isfinite(values[finding.name][begins:])
    others = [np.isfinite(column[begins:]) for name, column in values.items() if name not in (finding.name, CAPACITY)]
    alone = int((missing & np.any(others, axis=0)).sum()) if others else int(missing.sum())
    if alone > _MANY_GAPS * len(missing) and finding.name != CAPACITY:
        share = 100 * alone / len(missing)
        finding.hints.append(f"gives nothing for {share:.0f} % of the instants; where that means 0, add: or vector(0)")


def _only_grows(values: Column) -> bool:
    """Whether it rises mostly, and falls only as a counter does that begins again."""
    steps = np.diff(values)
    return len(values) >= _FEWEST and (steps < 0).mean() < 0.01 and bool((steps > 0).mean() > 0.5)


def _look_at_cost(finding: Finding, collection: Collection, values: Column) -> None:
    cost, most = collection.workload.cost, float(values.max())
    percent = cost.unit == "percent" and cost.maximum == 100
    if most > 1.02 * cost.maximum:
        share = 100 * float((values > cost.maximum).mean())
        why = "the capacity is too small" if collection.has_capacity else "say capacity: CORES"
        finding.wrong.append(
            f"reaches {most:.4g} {cost.unit}, above {cost.maximum:g} ({share:.0f} % of the values): {why}"
        )
    elif percent and most <= 1.0:
        why = "cores or a share" if not collection.has_capacity else "far less than its capacity"
        finding.hints.append(
            f"never exceeds {most:.3g} {cost.unit}: is it {why}? say capacity: CORES, or check its unit"
        )
    if finding.least == finding.most:
        finding.wrong.append(f"is always {finding.least:g}: there is nothing to learn")


def _look_at_bounds(finding: Finding, workload: Workload, values: Column) -> None:
    feature = next(feature for feature in workload.features if feature.name == finding.name)
    outside = values[(values < feature.minimum) | (values > feature.maximum)]
    if len(outside):
        finding.wrong.append(f"is {outside[0]:g}, where {feature.minimum:g} to {feature.maximum:g} is allowed")
    elif feature.whole and (values != np.floor(values)).any():
        finding.wrong.append("has fractions, where whole numbers are wanted: put round(…) around it")


def _correlate(finding: Finding, column: Column, cost: Column) -> None:
    for lag in LAGS:
        ahead, behind = (column[: len(column) - lag], cost[lag:]) if lag >= 0 else (column[-lag:], cost[:lag])
        both = np.isfinite(ahead) & np.isfinite(behind)
        if both.sum() < _FEWEST or not ahead[both].std() or not behind[both].std():
            continue
        finding.correlation[lag] = float(np.corrcoef(ahead[both], behind[both])[0, 1])
    best, now = finding.best_lag, finding.correlation.get(0)
    if best is None or now is None or best == 0 or abs(finding.correlation[best]) < abs(now) + _BETTER:
        return
    side = "later" if best > 0 else "earlier"
    finding.hints.append(
        f"goes with the cost best {abs(best)} step{'s' * (abs(best) != 1)} {side} (r {finding.correlation[best]:.2f}, "
        f"now {now:.2f}): do both use [$window], and is one of them averaged or exported late? offset moves a query"
    )


def look_at_windows(findings: Sequence[Finding], collection: Collection) -> None:
    """Load and CPU must be averaged over the same window that ends at the same instant."""
    of_cost = windows(collection.queries[collection.workload.cost.name])
    for finding in findings:
        query = collection.queries[finding.name]
        if finding.name == CAPACITY:
            continue
        own = [window for window in windows(query) if window not in of_cost]
        if functions(query) & _LAST_TWO:
            finding.wrong.append("looks at the last two samples only: rate(…[$window]) covers what the others cover")
        elif own and of_cost:
            found = f"is over [{own[0]}], the cost over [{of_cost[0]}]: write [$window] in both"
            (finding.wrong if functions(query) & RATES else finding.hints).append(found)
        elif not windows(query):
            finding.hints.append("is the newest sample, not a mean: avg_over_time(…[$window]) covers the window")
