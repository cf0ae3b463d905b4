"""What a person should know of each query before anything is collected, and what to change."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from itertools import islice

import numpy as np

from perfcast.collect._collection import Collection
from perfcast.collect._finding import RATES, Finding, look_at_values, look_at_windows
from perfcast.collect._prometheus import Gone, Prometheus, Series
from perfcast.collect._promql import functions, metric, selectors, windows
from perfcast.collect._retries import Retries
from perfcast.collect._rows import take_rows, target
from perfcast.collect._series import Pieces, only_column, too_many
from perfcast.collect._span import Span
from perfcast.errors import PerfcastError

_COARSE, _FURTHEST = 3600, 92 * 86_400
_FEWEST_SAMPLES = 4
_SKEW_SECONDS = 5.0
_SHOWN = 6
_REACH = 1800
"""Seconds over which the samples of a series are counted."""


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
    findings = [Finding(name) for name in collection.queries]
    columns = {finding.name: only_column(finding.name, span, checking.ask(finding)) for finding in findings}
    taken = take_rows(collection, span, columns, zone)
    left_out = dict(Counter(taken.left_out.values()))
    report = Report(findings, instants=len(span), rows=len(taken), left_out=left_out)
    report.hints += [f"the server says: {warning}" for warning in server.warnings]
    if abs(server.ahead) > _SKEW_SECONDS + 1:  # its answer tells whole seconds
        report.hints.append(f"the server's clock is {server.ahead:+.0f} s off this one: make lag longer by as much")
    values = columns | {collection.workload.cost.name: target(collection, columns)}
    for finding in findings:
        if finding.series == 1:
            look_at_values(finding, collection, values)
    look_at_windows(findings, collection)
    return report


class _Checking:
    """Asks, and notes what the answers say by themselves."""

    def __init__(self, collection: Collection, server: Prometheus, span: Span) -> None:
        self._collection, self._span = collection, span
        self._pieces = Pieces(server, Retries(attempts=3))

    def ask(self, finding: Finding) -> list[Series]:
        """The series of a query, if it is one, noting how many there are and since when."""
        query = self._collection.queries[finding.name]
        try:
            found = self._all(query, self._span)
        except Gone as error:
            raise Gone(f"server.url: {error}; is Prometheus running, and is this its address?") from None
        except PerfcastError as error:
            finding.wrong.append(str(error))
            return []
        finding.series = len(found)
        if finding.series > 1:
            finding.wrong.append(too_many(found))
        firsts = _firsts(found)
        finding.since = min([*firsts, *self._since(query)], default=None)
        if not firsts:
            finding.wrong.append(self._why_nothing(finding, query))
            return []
        self._look_at_samples(finding, query, seconds=self._span.last - min(firsts) + self._collection.window)
        return found if finding.series == 1 else []

    def _all(self, query: str, span: Span) -> list[Series]:
        """The series of a query, each put together of its pieces."""
        parts: dict[frozenset[tuple[str, str]], list[Series]] = {}
        for _, (found,) in self._pieces.of([query], span):
            for series in found:
                parts.setdefault(frozenset(series.labels.items()), []).append(series)
        return [
            Series(
                some[0].labels,
                np.concatenate([part.moments for part in some]),
                np.concatenate([part.values for part in some]),
            )
            for some in parts.values()
        ]

    def _since(self, query: str) -> list[int]:
        """The oldest instants there are in the last months, on a coarse look."""
        span = Span.within(self._span.last - _FURTHEST, self._span.last, _COARSE)
        try:
            return _firsts(self._all(query, span))
        except PerfcastError:
            return []  # a server that doesn't look back so far

    def _why_nothing(self, finding: Finding, query: str) -> str:
        if finding.since is not None:
            return "gives nothing now, but did before: is the target still scraped?"
        for selector in selectors(query):
            try:
                there = self._all(f"count({selector.text})", Span.within(self._span.last - 600, self._span.last, 60))
            except PerfcastError:
                continue
            if not there:
                return f"gives nothing: the server has no series {selector.text}; {self._what_is_there(selector.text)}"
        return (
            "gives nothing, though its selectors do: does the window hold two samples, do labels of both sides match?"
        )

    def _what_is_there(self, selector: str) -> str:
        """The labels with which there are series of the selector's name."""
        name, now = metric(selector), Span(self._span.last, self._span.last, self._collection.step)
        try:
            found = self._all(f"group by (job) ({name})", now) if name else []
        except PerfcastError:
            found = []
        jobs = sorted({series.labels.get("job", "") for series in found})
        if not jobs:
            return f"nor any called {name}: look for its name there" if name else "look for its name and labels there"
        shown = ", ".join(f'{name}{{job="{job}"}}' if job else name for job in jobs[:_SHOWN])
        return f"there is {shown}{' and more' if len(jobs) > _SHOWN else ''}"

    def _look_at_samples(self, finding: Finding, query: str, *, seconds: int) -> None:
        """Whether a window holds enough samples for a rate; there are samples of so many seconds."""
        if not functions(query) & RATES or f"{self._collection.window}s" not in windows(query):
            return
        for selector in islice(selectors(query), 3):
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


def _firsts(found: Sequence[Series]) -> list[int]:
    """The first instant of each series that has one."""
    return [int(series.moments[0]) for series in found if len(series.moments)]


def _four(every: float) -> int:
    """Seconds of a window that holds four samples, in fives."""
    return max(5, 5 * round(4 * every / 5))
