"""Asking for every query of a collection over a span, however small the pieces must be that the server takes."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from perfcast.collect._prometheus import Series, TooMuch, TooSlow
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

    def __init__(self, ask: Callable[[str, Span], list[Series]]) -> None:
        self._ask, self._most = ask, MOST_POINTS

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
                answers = [self._ask(query, piece) for query in queries]
            except (TooMuch, TooSlow) as error:
                if len(piece) <= (_QUICK if isinstance(error, TooSlow) else 1):
                    raise
                self._most = len(piece) // 2
                continue
            yield piece, answers
            at = piece.last + span.step


def columns(span: Span, answers: Mapping[str, list[Series]]) -> dict[str, Column]:
    """A column for each query, float64 [instants], NaN where it gave nothing.

    Raises:
        InvalidData: A query gives several series.
    """
    return {name: _column(name, span, found) for name, found in answers.items()}


def _column(name: str, span: Span, found: list[Series]) -> Column:
    if len(found) > 1:
        raise InvalidData(
            f"{name} gives {len(found):,} series where one is wanted; they differ in {told_apart(found)}: "
            "put sum(…) or avg(…) around the query, or name one series"
        )
    if not found:
        return np.full(len(span), np.nan)
    return span.column(found[0].moments, found[0].values)


def told_apart(found: Sequence[Series]) -> str:
    """The labels that several series differ in, with how many values each has."""
    names = {name for series in found for name in series.labels}
    counts = {name: len({series.labels.get(name, "") for series in found}) for name in names}
    shown = sorted((-count, name) for name, count in counts.items() if count > 1)
    texts = [f"{name} ({-count:,} values)" for count, name in shown[:_SHOWN]]
    return ", ".join(texts) or "nothing"
