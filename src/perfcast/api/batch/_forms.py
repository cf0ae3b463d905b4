"""The forms a batch may have, by media type."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from perfcast.serving import Answer, Predictor
from perfcast.tables import Column

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
FORMS = (JSON, ARROW, CSV, PARQUET)


class Counts(NamedTuple):
    """What was predicted.

    Attributes:
        good: Rows by who answered: model, arm and version.
        bad: Rows that were refused.
    """

    good: Mapping[tuple[str, str, int], int]
    bad: int


class Question(NamedTuple):
    """What columns ask.

    Attributes:
        columns: By feature name.
        reference: A model reference; None for the default model of the workload that the columns belong to.
        coverage: None for the usual.
        decimal: What stands before decimals in texts.
    """

    columns: Mapping[str, Column]
    reference: str | None
    coverage: float | None
    decimal: str = "."


class Writer(Protocol):
    """Writes answers in one form."""

    def __call__(self, predictor: Predictor, coverage: float, answers: Sequence[Answer]) -> Iterator[bytes]:
        """The answer's bytes.

        Args:
            predictor: Who answered.
            coverage: Of the intervals.
            answers: Of all rows in order, some rows each.
        """


def media_type(header: str) -> str:
    """The known form that a `Content-Type` names; JSON where it is none of the others."""
    named = header.partition(";")[0].strip().lower()
    return named if named in FORMS else JSON


def wanted(accept: str, given: str) -> str:
    """The form to answer in: the first known one that `Accept` names, else that of the body."""
    named = [item.partition(";")[0].strip().lower() for item in accept.split(",")]
    return next((item for item in named if item in FORMS), given)
