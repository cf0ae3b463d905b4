"""The forms a batch may have, by media type."""

from collections.abc import Mapping
from typing import NamedTuple

from perfcast.api.metrics import Kind
from perfcast.tables import Column, ColumnReader, TextTable
from perfcast.workloads import Rows

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
FORMS = (JSON, ARROW, CSV, PARQUET)
NAMES = {JSON: "columns", ARROW: "arrow", CSV: "csv", PARQUET: "parquet"}
"""What columns are called in metrics."""


class Counts(NamedTuple):
    """What was predicted.

    Attributes:
        form: `list`, or what the columns were: one of `NAMES`.
        good: Rows by who answered: model, arm and version.
        outside: Of these, rows beyond what the model was trained on, by model.
        bad: Rows that were refused, by why.
    """

    form: str
    good: Mapping[tuple[str, str, int], int]
    outside: Mapping[str, int]
    bad: Mapping[Kind, int] = {}


class Question(NamedTuple):
    """What columns ask.

    Attributes:
        columns: By feature name.
        reference: A model reference; None for the default model of the workload that the columns belong to.
        coverage: None for the usual.
        text: The text file that they come from, if any.
    """

    columns: Mapping[str, Column]
    reference: str | None
    coverage: float | None
    text: TextTable | None = None

    def read(self, reader: ColumnReader) -> tuple[Rows, Mapping[str, int]]:
        """The rows, float32 [rows, features], and what was remarkable about a text file, in how many rows.

        Raises:
            InvalidInput: As `ColumnReader.read`.
        """
        if self.text is None:
            return reader.read(self.columns), {}
        choices = {feature.name for feature in reader.workload.features if feature.declaration.values}
        self.text.read_as({*reader.workload.feature_names, reader.workload.cost.name} - choices, choices)
        kept, columns = self.text.rows_in(self.columns[self.text.names[0]]), self.columns
        self.text.note_comments(0 if kept is None else len(kept) - kept.true_count)
        if kept is not None:
            columns = {name: column.filter(kept) for name, column in columns.items()}
        notes = self.text.notes.copy()
        return reader.read(columns, decimal=self.text.decimal, notes=notes), notes


def media_type(header: str) -> str:
    """The known form that a `Content-Type` names; JSON where it is none of the others."""
    named = header.partition(";")[0].strip().lower()
    return named if named in FORMS else JSON


def wanted(accept: str, given: str) -> str:
    """The form to answer in: the first known one that `Accept` names, else that of the body."""
    named = [item.partition(";")[0].strip().lower() for item in accept.split(",")]
    return next((item for item in named if item in FORMS), given)
