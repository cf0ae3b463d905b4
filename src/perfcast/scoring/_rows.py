"""Some rows of a file, scored."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from perfcast.datasets import ColumnMap, map_columns, read_features
from perfcast.errors import InvalidData, InvalidInput
from perfcast.scoring._plan import Plan, ScoreReport
from perfcast.serving import Answer, Predictor
from perfcast.workloads import Refusal, Rows

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

COLUMNS = ("cost", "lower", "upper", "extrapolated", "problem")
"""What is added to each row: the cost, its interval, names of features outside the trained range, and why there is no
cost. Null where there is none."""
_NO_COST = "the model has no finite cost for this row"


class RowScorer:
    """Scores batches of rows of files that have the same columns.

    Args:
        plan: With what, and how.
        schema: Of the files.

    Raises:
        InvalidData: A feature's column is missing, or one of `COLUMNS` is there already.
        BrokenVersion: The version can't answer.
    """

    def __init__(self, plan: Plan, schema: "pa.Schema") -> None:
        present = [name for name in COLUMNS if name in schema.names]
        if present:
            raise InvalidData(f"the input already has a column '{present[0]}'; rename it, since scoring adds one")
        self._plan, self._zone = plan, ZoneInfo(plan.zone)
        self._predictor = Predictor(plan.version, plan.graph, zone=self._zone)
        self._columns: ColumnMap = map_columns(self._predictor.workload, schema.names, plan.told, measured=False)
        self.schema = _widened(schema)

    def score(self, batch: "pa.RecordBatch", first: int) -> "tuple[pa.Table, ScoreReport]":
        """Add the columns.

        Args:
            batch: Some rows.
            first: How many rows of the input come before them.

        Raises:
            InvalidData: A row is bad, and the plan refuses such.
        """
        import polars as pl
        import pyarrow as pa

        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        features, problems = self._read(frame)
        if self._plan.on_bad == "refuse" and problems:
            raise InvalidData(_first(problems, first))
        good = np.array([row not in problems for row in range(len(features))]) if problems else None
        answer, cost = self._answer(features, good, problems)
        if self._plan.on_bad == "refuse" and problems:
            raise InvalidData(_first(problems, first))
        added = self._added(answer, cost, problems)
        columns = [*pa.Table.from_batches([batch]).columns, *added]
        table = pa.table(dict(zip(self.schema.names, columns, strict=True)), schema=self.schema)
        return table, _report(len(features), problems, answer)

    def _read(self, frame: "pl.DataFrame") -> tuple[Rows, dict[int, str]]:
        features, refusals = read_features(frame, self._columns, self._predictor.workload, zone=self._zone)
        return features, _by_row(refusals)

    def _answer(
        self, features: Rows, good: "npt.NDArray[np.bool_] | None", problems: dict[int, str]
    ) -> tuple[Answer, Rows]:
        """The answer of good rows, with a harmless one in the place of others, and the cost that is NaN there."""
        coverage = self._plan.coverage
        safe = features if good is None else features[np.flatnonzero(good)[:1].repeat(len(features))]
        if good is not None:
            safe = np.where(good[:, None], features, safe) if good.any() else features[:0]
        try:
            answer = self._predictor.predict(safe, coverage)
        except InvalidInput:
            endless = np.flatnonzero(~np.isfinite(self._predictor.run(safe)))
            problems |= {int(row): _NO_COST for row in endless}
            good = np.array([row not in problems for row in range(len(features))])
            return self._answer(features, good, problems)
        cost = answer.cost.copy() if len(answer.cost) else np.full(len(features), np.nan, np.float32)
        cost[list(problems)] = np.nan
        return answer, cost

    def _added(self, answer: Answer, cost: Rows, problems: Mapping[int, str]) -> "list[pa.Array]":
        import pyarrow as pa

        bad = np.isnan(cost)

        def numbers(values: Rows | None) -> pa.Array:
            if values is None or len(values) != len(cost):
                return pa.nulls(len(cost), pa.float32())
            return pa.array(values, pa.float32(), mask=bad)

        outside = answer.extrapolated if len(answer.extrapolated) == len(cost) else np.zeros((len(cost), 0), bool)
        told = pa.array([problems.get(row) for row in range(len(cost))], pa.string())
        names = self._predictor.workload.feature_names
        return [numbers(cost), numbers(answer.lower), numbers(answer.upper), _names(outside, bad, names), told]


def _widened(schema: "pa.Schema") -> "pa.Schema":
    import pyarrow as pa

    kinds: dict[str, Any] = dict.fromkeys(COLUMNS[:3], pa.float32())
    kinds |= {"extrapolated": pa.list_(pa.string()), "problem": pa.string()}
    for name, kind in kinds.items():
        schema = schema.append(pa.field(name, kind))
    return schema


def _names(outside: npt.NDArray[np.bool_], bad: npt.NDArray[np.bool_], names: tuple[str, ...]) -> "pa.Array":
    """For each row the names of the features outside; an empty list where all are inside or the row is bad."""
    import pyarrow as pa

    shown = outside & ~bad[:, None]
    offsets = np.concatenate([[0], np.cumsum(shown.sum(axis=1))]).astype(np.int32)
    values = pa.array(names, pa.string()).take(pa.array(np.nonzero(shown)[1]))
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _by_row(refusals: list[Refusal]) -> dict[int, str]:
    """All that is wrong with each row, in one text."""
    problems: dict[int, str] = {}
    for refusal in refusals:
        for row in refusal.rows.tolist():
            told = f"{refusal.field}: {refusal.message}"
            problems[row] = f"{problems[row]}; {told}" if row in problems else told
    return problems


def _first(problems: Mapping[int, str], first: int) -> str:
    row = min(problems)
    return f"row {first + row + 1}: {problems[row]}; nothing was written (--bad mark keeps such rows, without a cost)"


def _report(rows: int, problems: Mapping[int, str], answer: Answer) -> ScoreReport:
    reasons: dict[str, int] = {}
    for told in problems.values():
        for reason in told.split("; "):
            reasons[reason] = reasons.get(reason, 0) + 1
    inside = np.ones(len(answer.extrapolated), dtype=bool)
    inside[[row for row in problems if row < len(inside)]] = False
    return ScoreReport(rows, len(problems), reasons, int((answer.extrapolated.any(axis=1) & inside).sum()))
