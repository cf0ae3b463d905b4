"""What a person should know of each query before anything is collected, and what to change."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

import numpy as np

from perfcast.collect._collection import CAPACITY, Collection
from perfcast.collect._prometheus import Prometheus, Series
from perfcast.collect._promql import functions, selectors, windows
from perfcast.collect._retries import Retries
from perfcast.collect._rows import Column, take_rows, target
from perfcast.collect._series import Pieces, told_apart
from perfcast.collect._span import Span
from perfcast.errors import PerfcastError
from perfcast.workloads import Workload

LAGS = range(-5, 6)
"""Steps by which the target is compared with a feature."""
_FEWEST = 20
"""Rows that a correlation needs."""
_BETTER = 0.02
"""A correlation at another lag is worth a word when it is better by so much."""
_COARSE, _FURTHEST = 3600, 92 * 86_400
_RATES = frozenset({"rate", "irate", "increase", "delta", "idelta", "deriv"})
_LAST_TWO = frozenset({"irate", "idelta"})
_FEWEST_SAMPLES = 4
_MANY_GAPS = 0.02
"""Share of the instants without a value that is worth a word."""
_SKEW_SECONDS = 5.0
_REACH = 1800
"""Seconds over which the samples of a series are counted."""
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


@dataclass
class Report:
    """What became of a check: a finding for each query, how many rows there would be, and what holds for all."""

    findings: list[Finding]
    instants: int = 0
    rows: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    hints: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether rows can be collected as it is."""
        return self.rows > 0 and not any(finding.wrong for finding in self.findings)


def check(
    collection: Collection, server: Prometheus, *, hours: float = 24.0, now: float | None = None, zone: tzinfo = UTC
) -> Report:
    """Ask every query over the last hours, and say what is wrong with it.

    Raises:
        Unavailable: The server can't be reached.
    """
    now = time.time() if now is None else now
    last = now - collection.lag
    span = Span.within(last - 3600 * hours, last, collection.step)
    checking = _Checking(collection, server, span)
    answers = {name: checking.ask(name) for name in collection.queries}
    columns = {name: span.column(*_merged(found)) for name, found in answers.items()}
    report = Report([checking.finding(name) for name in collection.queries], instants=len(span))
    if server.warnings:
        report.hints += [f"the server says: {warning}" for warning in server.warnings]
    if abs(server.ahead) > _SKEW_SECONDS + 1:  # its answer tells whole seconds
        report.hints.append(f"the server's clock is {server.ahead:+.0f} s off this one: make lag longer by as much")
    taken = take_rows(collection, span, columns, zone)
    report.rows = len(taken.at)
    for reason in taken.left_out.values():
        report.left_out[reason] = report.left_out.get(reason, 0) + 1
    values = columns | {collection.workload.cost.name: target(collection, columns)}
    for finding in report.findings:
        if finding.series == 1:
            _look_at_values(finding, collection, values)
    _look_at_windows(report.findings, collection)
    return report


class _Checking:
    """Asks, and notes what the answers say by themselves."""

    def __init__(self, collection: Collection, server: Prometheus, span: Span) -> None:
        self._collection, self._server, self._span = collection, server, span
        retries = Retries(attempts=3)
        self._pieces = Pieces(lambda query, span: retries(lambda: server.series(query, span)))
        self._findings: dict[str, Finding] = {}

    def finding(self, name: str) -> Finding:
        return self._findings[name]

    def ask(self, name: str) -> list[Series]:
        """The series of a query, noting how many there are and since when."""
        finding = self._findings[name] = Finding(name)
        query = self._collection.queries[name]
        try:
            found = self._all(query, self._span)
        except PerfcastError as error:
            finding.wrong.append(str(error))
            return []
        finding.series = len({tuple(sorted(series.labels.items())) for series in found})
        if finding.series > 1:
            finding.wrong.append(
                f"gives {finding.series:,} series where one is wanted; they differ in {told_apart(found)}: put "
                "sum(…) or avg(…) around it, or name one series"
            )
        firsts = [int(series.moments[0]) for series in found if len(series.moments)]
        finding.since = min([*firsts, *self._since(query)], default=None)
        if not found:
            finding.wrong.append(self._why_nothing(finding, query))
            return []
        self._look_at_samples(finding, query, seconds=self._span.last - min(firsts) + self._collection.window)
        return found if finding.series == 1 else []

    def _all(self, query: str, span: Span) -> list[Series]:
        return [series for _, (found,) in self._pieces.of([query], span) for series in found]

    def _since(self, query: str) -> list[int]:
        """The oldest instants there are in the last months, on a coarse look."""
        span = Span.within(self._span.last - _FURTHEST, self._span.last, _COARSE)
        try:
            found = self._all(query, span)
        except PerfcastError:
            return []  # a server that doesn't look back so far
        return [int(series.moments[0]) for series in found if len(series.moments)]

    def _why_nothing(self, finding: Finding, query: str) -> str:
        if finding.since is not None:
            return "gives nothing now, but did before: is the target still scraped?"
        for selector in selectors(query):
            try:
                there = self._all(f"count({selector.text})", Span.within(self._span.last - 600, self._span.last, 60))
            except PerfcastError:
                continue
            if not there:
                return f"gives nothing: the server has no series {selector.text}; look for its name and labels there"
        return (
            "gives nothing, though its selectors do: does the window hold two samples, do labels of both sides match?"
        )

    def _look_at_samples(self, finding: Finding, query: str, *, seconds: int) -> None:
        """Whether a window holds enough samples for a rate; there are samples of so many seconds."""
        if not functions(query) & _RATES or f"{self._collection.window}s" not in windows(query):
            return
        for selector in selectors(query)[:3]:
            span = Span(self._span.last, self._span.last, self._collection.step)
            reach = max(_REACH, 10 * self._collection.window)
            try:
                found = self._all(f"max(count_over_time({selector.text}[{reach}s]))", span)
            except PerfcastError:
                continue
            if not found or not found[0].values[-1]:
                continue
            every = min(reach, seconds) / found[0].values[-1]
            held = self._collection.window / every
            text = f"the window of {self._collection.window} s holds {held:.3g} samples (one each {every:.3g} s)"
            if held < 1.95:
                finding.wrong.append(f"{text}; a rate needs two: set window: {_four(every)}s")
            elif held < _FEWEST_SAMPLES - 0.1:
                finding.hints.append(f"{text}; with four, a lost scrape makes no gap: window: {_four(every)}s")
            return


def _merged(found: Sequence[Series]) -> tuple[Column, Column]:
    """Moments and values of the pieces of one series."""
    if not found:
        return np.empty(0), np.empty(0)
    return np.concatenate([one.moments for one in found]), np.concatenate([one.values for one in found])


def _look_at_values(finding: Finding, collection: Collection, values: Mapping[str, Column]) -> None:
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
    if _only_grows(usable) and finding.name != CAPACITY and not functions(query) & _RATES:
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


def _four(every: float) -> int:
    """Seconds of a window that holds four samples, in fives."""
    return max(5, 5 * round(4 * every / 5))


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


def _look_at_windows(findings: Sequence[Finding], collection: Collection) -> None:
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
            (finding.wrong if functions(query) & _RATES else finding.hints).append(found)
        elif not windows(query):
            finding.hints.append("is the newest sample, not a mean: avg_over_time(…[$window]) covers the window")
