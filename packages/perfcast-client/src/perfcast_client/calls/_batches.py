"""Predictions of many rows, some at a time, as Arrow streams where they are many and PyArrow is there."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from perfcast_client._call import ARROW, Call, Calls, given, json
from perfcast_client.answers import Batch
from perfcast_client.answers._batches import joined, read_arrow, read_columns
from perfcast_client.calls._tables import Table, read_table

CHUNK_ROWS = 100_000
"""A tenth of what a server takes unless MAX_BATCH_ROWS says otherwise, and a few MB."""


def predict_batch(
    rows: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]] | Any,
    *,
    model: str | None = None,
    coverage: float | None = None,
    chunk_rows: int = CHUNK_ROWS,
) -> Calls[Batch]:
    """The costs of many rows by one version; a bad row refuses them all.

    Large ones go in several requests, the second and later ones to the version that answered the first.

    Args:
        rows: Columns by feature, a list of dicts, or a frame: pandas, polars, PyArrow.
        model: NAME, NAME:VERSION or NAME@ALIAS; the default model of the workload whose features these are, if None.
        coverage: As for `predict`.
        chunk_rows: Most rows of a request.
    """
    if chunk_rows < 1:
        raise ValueError(f"chunk_rows: must be 1 or more, got {chunk_rows!r}")
    return Calls(partial(_steps, read_table(rows), model, coverage, chunk_rows))


def _steps(
    table: Table, model: str | None, coverage: float | None, chunk_rows: int
) -> Generator[Call[Batch], Batch, Batch]:
    answers: list[Batch] = []
    for start in _starts(table.rows, chunk_rows):
        pinned = f"{answers[0].model_name}:{answers[0].model_version}" if answers else model
        answers.append((yield _call(table.part(start, chunk_rows), pinned, coverage)))
    return joined(answers)


def _starts(rows: int, chunk_rows: int) -> Iterator[int]:
    yield from range(0, max(rows, 1), chunk_rows)  # of no rows the server says what is wrong


def _call(table: Table, model: str | None, coverage: float | None) -> Call[Batch]:
    query = given(model_name=model, coverage=coverage)
    arrow = table.arrow()
    if arrow is not None:
        headers = {"Accept": ARROW}
        return Call("POST", "/predict/batch", read_arrow, query=query, body=arrow, body_type=ARROW, headers=headers)
    return Call("POST", "/predict/batch", read_columns, body=json({**query, "columns": table.lists()}))
