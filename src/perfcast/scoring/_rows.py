"""Some rows of a file, scored."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from perfcast.errors import InvalidData, InvalidInput
from perfcast.scoring._files import Output
from perfcast.scoring._plan import KEPT, Partition, Plan, ScoreReport
from perfcast.serving import Answer, Predictor
from perfcast.tables import BatchReader, ParquetTable, Table, check_kinds, map_columns, open_table
from perfcast.workloads import Refusal, Rows, merged

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("cost", "lower", "upper", "extrapolated", "problem")
"""What is added to each row: the cost, its interval, names of features outside the trained range, and why there is no
cost. Null where there is none."""


class RowScorer:
    """Scores batches of rows of files that have the same columns.

    Raises:
        InvalidData: A feature's column is missing, or one of `COLUMNS` is there already.
        BrokenVersion: The version can't answer.
    """

    def __init__(self, plan: Plan, schema: "pa.Schema") -> None:
        _check_names(schema.names)
        self._plan, zone = plan, ZoneInfo(plan.zone)
        self._predictor = Predictor(plan.version, plan.graph, zone=zone)
        self._columns = columns = map_columns(self._predictor.workload, schema.names, plan.told, measured=False)
        check_kinds(schema, [name for name in schema.names if name not in columns.ignored])
        self._reader = BatchReader(self._predictor.workload, columns, zone)
        self.schema = _widened(schema)

    def prepare(self, table: Table) -> str:
        """Say to one of the files how it is read; gives what stands before decimals in it."""
        table.read_as(self._columns.numbers, self._columns.choices)
        return table.decimal

    def score(self, batch: "pa.RecordBatch", first: int, decimal: str = ".") -> "tuple[pa.Table, ScoreReport]":
        """Add the columns to rows before which so many others come; `decimal` stands before decimals in their texts.

        Raises:
            InvalidData: A row is bad, and the plan refuses such.
        """
        import pyarrow as pa

        (features, refusals, notes), _, _ = self._reader.read(batch, decimal, measured=False)
        self._refuse(refusals, first)
        answer, good = self._answer(features, refusals)
        self._refuse(refusals, first)
        problems = _by_row(refusals)
        added = self._added(answer, good, problems)
        columns = [*pa.Table.from_batches([batch]).columns, *added]
        table = pa.table(dict(zip(self.schema.names, columns, strict=True)), schema=self.schema)
        outside = int(answer.extrapolated.any(axis=1).sum())
        return table, ScoreReport(len(features), len(problems), _reasons(refusals), outside, notes)

    def _refuse(self, refusals: list[Refusal], first: int) -> None:
        if self._plan.on_bad == "refuse" and refusals:
            problems = _by_row(refusals)
            row = min(problems)
            raise InvalidData(f"row {first + row + 1} (counted from 1): {problems[row]}; {KEPT}")

    def _answer(self, features: Rows, refusals: list[Refusal]) -> "tuple[Answer, npt.NDArray[np.intp]]":
        """The answer for the good rows, and which these are; rows without a finite cost are added to the refusals."""
        right = np.ones(len(features), dtype=np.bool_)
        for refusal in refusals:
            right[refusal.rows] = False
        good = np.flatnonzero(right)
        chosen = features if len(good) == len(features) else features[good]
        try:
            return self._predictor.predict(chosen, self._plan.coverage), good
        except InvalidInput:
            finite = np.isfinite(self._predictor.run(chosen))
            refusals.append(Refusal("", "the model has no finite cost for this row", good[~finite]))
            return self._predictor.predict(chosen[finite], self._plan.coverage), good[finite]

    def _added(self, answer: Answer, good: "npt.NDArray[np.intp]", problems: Mapping[int, str]) -> "list[pa.Array]":
        """What `COLUMNS` names, of all rows, from the answer for the good ones."""
        import pyarrow as pa

        rows = len(good) + len(problems)
        places = None
        if problems:
            where = np.full(rows, -1)
            where[good] = np.arange(len(good))
            places = pa.array(where, mask=where < 0)

        def numbers(values: Rows | None) -> pa.Array:
            if values is None:
                return pa.nulls(rows, pa.float32())
            column = pa.array(values, pa.float32())
            return column if places is None else column.take(places)

        outside = np.zeros((rows, answer.extrapolated.shape[1]), dtype=np.bool_)
        outside[good] = answer.extrapolated
        told = pa.nulls(rows, pa.string())
        if problems:
            told = pa.array([problems.get(row) for row in range(rows)], pa.string())
        names = self._predictor.workload.feature_names
        return [numbers(answer.cost), numbers(answer.lower), numbers(answer.upper), _names(outside, names), told]


def write_scored(scorer: RowScorer, table: Table, part: Partition, output: Output) -> Iterator[ScoreReport]:
    """Score a partition into a file; gives what became of some rows each time that they are written.

    Raises:
        InvalidData: They can't be read, are not those that were there before, or are bad and the plan refuses such.
    """
    done, decimal = part.first, scorer.prepare(table)
    for batch in table.batches(part.group) if isinstance(table, ParquetTable) else table.batches():
        scored, report = scorer.score(batch, done, decimal)
        output.write(scored)
        done += report.rows
        yield report
    if done != part.first + part.rows:
        raise InvalidData(f"{part.path}: was changed while it was read; score it again")
    left_out = sum(len(refusal.rows) for refusal in table.ragged)
    yield ScoreReport(left_out, left_out, _reasons(table.ragged), notes=table.notes)


def scorer_of(plan: Plan, path: Path) -> RowScorer:
    """The scorer of a plan, for files with the columns of this one."""
    with closing(open_table(path)) as table:
        return RowScorer(plan, table.schema)


def _check_names(names: Sequence[str]) -> None:
    """Refuse columns that would be mistaken for another."""
    for name in names:
        if name in COLUMNS:
            raise InvalidData(f"the input already has a column '{name}'; rename it, since scoring adds one")
        if names.count(name) > 1:
            raise InvalidData(f"the input has several columns '{name}'; each needs a name of its own")


def _widened(schema: "pa.Schema") -> "pa.Schema":
    import pyarrow as pa

    kinds: dict[str, Any] = dict.fromkeys(COLUMNS[:3], pa.float32())
    kinds |= {"extrapolated": pa.list_(pa.string()), "problem": pa.string()}
    for name, kind in kinds.items():
        schema = schema.append(pa.field(name, kind))
    return schema


def _names(outside: npt.NDArray[np.bool_], names: tuple[str, ...]) -> "pa.Array":
    """For each row the names of the features outside; an empty list where all are inside or the row is bad."""
    import pyarrow as pa

    offsets = np.concatenate([[0], np.cumsum(outside.sum(axis=1))]).astype(np.int32)
    values = pa.array(names, pa.string()).take(pa.array(np.nonzero(outside)[1]))
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _by_row(refusals: list[Refusal]) -> dict[int, str]:
    """All that is wrong with each row, in one text."""
    problems: dict[int, str] = {}
    for refusal in refusals:
        for row in refusal.rows.tolist():
            told = _told(refusal, refusal.of(row))
            problems[row] = f"{problems[row]}; {told}" if row in problems else told
    return problems


def _reasons(refusals: Iterable[Refusal]) -> dict[str, int]:
    return {_told(refusal, refusal.message): len(refusal.rows) for refusal in merged(refusals)}


def _told(refusal: Refusal, message: str) -> str:
    return f"{refusal.field}: {message}" if refusal.field else message
