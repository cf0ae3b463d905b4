"""Asking for every query of a collection over a span, however small the pieces must be that the server takes."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from perfcast.collect._prometheus import Prometheus, Series, TooMuch, TooSlow
from perfcast.collect._retries import Retries
from perfcast.collect._rows import Column
from perfcast.collect._span import Span
from perfcast.errors import InvalidData

MOST_POINTS = 10_000
"""Of one query; Prometheus refuses 11,000."""
_LONGEST = 31 * 86_400
"""Seconds of one query; hosted servers refuse 32 days."""
_QUICK = 60
"""Points that a server gives quickly: when it doesn't, their number is not what makes it slow."""
_SHOWN = 6


class Pieces:
    """Asks for spans in pieces; a piece that is too much for the server is halved, and so are those after it."""

    def __init__(self, server: Prometheus, retries: Retries) -> None:
        self._server, self._retries, self._most = server, retries, MOST_POINTS

    def of(self, queries: Sequence[str], span: Span) -> Iterator[tuple[Span, list[list[Series]]]]:
        """Each piece with the answers to every query, in order; oldest first.

        Raises:
            TooMuch, Unavailable: Not even one instant could be had.
        """
        at = span.first
        while at <= span.last:
            most = max(1, min(self._most, _LONGEST // span.step))
            piece = Span(at, span.last, span.step).beginning(most)
            try:
                answers = [self._retries(partial(self._server.series, query, piece)) for query in queries]
            except (TooMuch, TooSlow) as error:
                if len(piece) <= (_QUICK if isinstance(error, TooSlow) else 1):
                    raise
                self._most = len(piece) // 2
                continue
            yield piece, answers
            at = piece.last + span.step


def only_column(name: str, span: Span, found: Sequence[Series]) -> Column:
    """The column of a query that gives one series, float64 [instants]; NaN where it gave nothing.

    Raises:
        InvalidData: It gives several.
    """
    if len(found) > 1:
        raise InvalidData(f"{name} {too_many(found)}")
    if not found:
        return np.full(len(span), np.nan)
    return span.column(found[0].moments, found[0].values)


def too_many(found: Sequence[Series]) -> str:
    """What is wrong where there are several series, and the labels that they differ in."""
    names = {name for series in found for name in series.labels}
    counts = {name: len({series.labels.get(name, "") for series in found}) for name in names}
    shown = sorted((-count, name) for name, count in counts.items() if count > 1)
    labels = ", ".join(f"{name} ({-count:,} values)" for count, name in shown[:_SHOWN]) or "nothing"
    return (
        f"gives {len(found):,} series where one is wanted; they differ in {labels}: put sum(…) or avg(…) around it, "
        "or name one series"
    )
