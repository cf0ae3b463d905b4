"""From a server into the journal, the line of datasets and a Perfcast server: once for a span, or step by step."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo

import structlog

from perfcast.collect._collection import Collection
from perfcast.collect._feedback import Feedback
from perfcast.collect._journal import Journal
from perfcast.collect._line import Line
from perfcast.collect._prometheus import Prometheus
from perfcast.collect._retries import Retries
from perfcast.collect._rows import take_rows
from perfcast.collect._series import Pieces, only_column
from perfcast.collect._span import Span
from perfcast.errors import PerfcastError, Unavailable

log = structlog.stdlib.get_logger("perfcast.collect")
_SIGNATURE, _BEGAN = "signature", "began"
_FURTHEST_BACK = 31 * 86_400
"""Seconds that following goes back at most; `backfill` goes further."""
_FEWEST_SECONDS = 0.05


@dataclass(frozen=True)
class Progress:
    """How far a span is done: instants asked for of all, and rows taken."""

    done: int
    total: int
    rows: int


class Collector:
    """Keeps a journal up to date with a server.

    Args:
        collection: What is collected.
        server: Where the series are.
        journal: Where rows are kept.
        line: Which datasets grow.
        feedback: Who is told of each new row; nobody if None.
        zone: Of the clock that decides clock features.
        retries: How often a query is asked again.
    """

    def __init__(
        self,
        collection: Collection,
        server: Prometheus,
        journal: Journal,
        line: Line,
        *,
        feedback: Feedback | None = None,
        zone: tzinfo = UTC,
        retries: Retries | None = None,
    ) -> None:
        self._collection, self._journal, self._line = collection, journal, line
        self._feedback, self._zone = feedback, zone
        self._retries = retries or Retries()
        self._pieces = Pieces(server, self._retries)

    def prepare(self) -> tuple[int, bool]:
        """Take over what there is of the line; gives how many rows the journal lacked, and whether it begins anew.

        It begins anew where the same instants would now give other rows than those it holds.
        """
        before, signature = self._journal.fact(_SIGNATURE), self._collection.signature
        if self._collection.clock_features:
            signature += f" {self._zone}"
        anew = before is not None and before != signature
        if anew:
            self._journal.clear()
            self._line.leave()
        self._journal.note(_SIGNATURE, signature)
        return self._line.recall(), anew

    def backfill(
        self, since: float, until: float, *, again: bool = False, on_progress: Callable[[Progress], None] | None = None
    ) -> Progress:
        """Ask for what the journal lacks of a span, and publish it; rows of the past are told to nobody.

        Args:
            since: Seconds since 1970.
            until: The same; nothing younger than the lag is asked for.
            again: Ask also for instants that gave no row before.
            on_progress: Told after each piece.
        """
        span = Span.within(since, min(until, time.time() - self._collection.lag), self._collection.step)
        known = self._journal.asked(span, gaps=not again)
        progress = Progress(len(known), len(span), 0)
        for missing in span.without(known):
            for piece, fresh in self._take(missing, send=False):
                progress = Progress(progress.done + len(piece), len(span), progress.rows + fresh)
                if on_progress is not None:
                    on_progress(progress)
        if progress.rows:
            self._line.publish()
        return progress

    def catch_up(self, now: float) -> int:
        """Ask for all that is old enough and not there yet, tell of it, and publish when due; gives how many rows came.

        That is what came since the last instant that was asked for, and what was missing a little before.
        """
        fresh = 0
        try:
            for span in self._due(now):
                for _, rows in self._take(span, send=self._feedback is not None):
                    fresh += rows
        finally:
            if self._feedback is not None:
                self._feedback.send_waiting()
        if record := self._line.publish_if_due(fresh):
            log.info("dataset written", dataset=record.name, rows=record.rows, digest=record.digest[:12])
        return fresh

    def follow(self, wait: Callable[[float], bool]) -> None:
        """Catch up at each step, whatever happens, until told to end.

        Args:
            wait: Waits so many seconds, and says whether to end.
        """
        failures, said = 0, ""
        while True:
            try:
                fresh = self.catch_up(time.time())
                if failures:
                    log.info("collecting again", rows=fresh)
                failures, said, pause = 0, "", self._until_next(time.time())
            except PerfcastError as error:
                failures += 1
                if str(error) != said:  # once, not at each attempt
                    log.warning("collecting waits", reason=str(error), passes_by_itself=isinstance(error, Unavailable))
                said = str(error)
                pause = self._retries.pause(failures, error)
            if wait(pause):
                break
        if self._line.unpublished:
            self._line.publish()

    def _due(self, now: float) -> list[Span]:
        """What is missing and old enough to be asked for, in one stretch: scattered gaps aren't worth a query each."""
        step = self._collection.step
        newest = int((now - self._collection.lag) // step) * step
        last = self._journal.last_asked()
        first = newest if last is None else last + step
        first = max(self._began(newest), min(first, newest - int(self._collection.late)), newest - _FURTHEST_BACK)
        span = Span.within(first, newest, step)
        missing = list(span.without(self._journal.asked(span, gaps=False)))
        return [Span(missing[0].first, missing[-1].last, step)] if missing else []

    def _began(self, newest: int) -> int:
        """The first instant that is followed: behind the rows that were there, or the newest one."""
        if (noted := self._journal.fact(_BEGAN)) is not None:
            return int(noted)
        rows = self._journal.newest()
        began = int(rows.at[0]) + self._collection.step if len(rows) else newest
        self._journal.note(_BEGAN, began)
        return began

    def _until_next(self, now: float) -> float:
        """Seconds until the next instant is old enough."""
        ready = now - self._collection.lag
        step = self._collection.step
        return max(_FEWEST_SECONDS, (ready // step + 1) * step - ready)

    def _take(self, span: Span, *, send: bool) -> Iterator[tuple[Span, int]]:
        queries = self._collection.queries
        for piece, answers in self._pieces.of(list(queries.values()), span):
            named = zip(queries, answers, strict=True)
            columns = {name: only_column(name, piece, found) for name, found in named}
            taken = take_rows(self._collection, piece, columns, self._zone)
            yield piece, self._journal.add(taken, send=send)
