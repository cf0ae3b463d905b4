"""What to score, how, and what came of it; plain data that travels to workers."""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from perfcast.errors import InvalidData, InvalidSetting
from perfcast.manifest import COVERAGES
from perfcast.registry import Version
from perfcast.serving import declared_workload
from perfcast.tables import FORMATS, is_table, map_columns, open_table

KEPT = "nothing was written (--bad mark goes on without a cost for such rows)"
OnBad: TypeAlias = Literal["mark", "refuse"]


@dataclass(frozen=True)
class Plan:
    """How to score; refuses a coverage that is none of `COVERAGES`.

    Attributes:
        version: Which answers.
        graph: Its serialised graph.
        coverage: Share of true costs that the intervals shall hold.
        told: Columns or arithmetic over columns, by feature; the rest is found by name.
        on_bad: `mark` says in the row why it has no cost; `refuse` ends at the first bad row.
        zone: Name of the time zone of times without an offset.
    """

    version: Version
    graph: bytes
    coverage: float = 0.9
    told: Mapping[str, str] = field(default_factory=dict)
    on_bad: OnBad = "mark"
    zone: str = "UTC"

    def __post_init__(self) -> None:
        """Refuse an interval that no version promises."""
        if self.coverage not in COVERAGES:
            raise InvalidSetting(f"coverage must be one of {', '.join(map(str, COVERAGES))}, got {self.coverage}")


@dataclass(frozen=True)
class Partition:
    """One row group of one Parquet file, or the rows of a file of another kind.

    Attributes:
        path: The file.
        group: The row group's number.
        first: How many rows of the input come before it.
        rows: How many it has.
    """

    path: Path
    group: int
    first: int
    rows: int


@dataclass(frozen=True)
class ScoreReport:
    """What became of the rows.

    Attributes:
        rows: How many were read.
        bad: How many have no cost.
        reasons: How many rows each reason concerns.
        extrapolated: How many rows lie outside what the version was trained on.
        notes: What was assumed, and of how many rows.
        seconds: How long it took.
    """

    rows: int = 0
    bad: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    extrapolated: int = 0
    notes: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def __add__(self, other: "ScoreReport") -> "ScoreReport":
        """Both together."""
        return ScoreReport(
            rows=self.rows + other.rows,
            bad=self.bad + other.bad,
            reasons=_together(self.reasons, other.reasons),
            extrapolated=self.extrapolated + other.extrapolated,
            notes=dict(Counter(self.notes) + Counter(other.notes)),
            seconds=self.seconds + other.seconds,
        )


def _together(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """The sums of reasons; those that differ only in the value that they show are one."""
    total, known = dict(one), {reason.partition(", got ")[0]: reason for reason in one}
    for reason, rows in other.items():
        first = known.setdefault(reason.partition(", got ")[0], reason)
        total[first] = total.get(first, 0) + rows
    return total


def input_files(source: Path) -> list[Path]:
    """The file, or a folder's files of known formats, by name; not hidden ones, nor what begins with `_`."""
    if not source.is_dir():
        return [source]
    return sorted(path for path in source.iterdir() if not path.name.startswith((".", "_")) and is_table(path))


def partitions(source: Path, plan: Plan) -> list[Partition]:
    """What is scored at a time: row groups of Parquet files, other files whole; their paths are absolute.

    Text and Arrow files are read once more, for their rows to be counted.

    Raises:
        InvalidData: There is none, or one can't be read.
    """
    files = [path.absolute() for path in input_files(source)]
    found: list[Partition] = []
    first, schema = 0, None
    for path in files:
        with closing(open_table(path)) as table:
            if schema is not None and table.schema != schema:
                raise InvalidData(f"{path}: has other columns than {files[0].name}; all files must have the same")
            schema = table.schema
            groups = table.group_rows
            if groups is None:
                columns = map_columns(declared_workload(plan.version), table.names, plan.told, measured=False)
                table.read_as(columns.numbers, columns.choices)
                groups = [sum(batch.num_rows for batch in table.batches())]
            for group, rows in enumerate(groups):
                found.append(Partition(path, group, first, rows))
                first += rows
            for refusal in table.ragged if plan.on_bad == "refuse" else ():
                raise InvalidData(f"{path}: row {refusal.rows[0] + 1} (counted from 1) {refusal.message}; {KEPT}")
    if not found or not first:
        raise InvalidData(f"{source}: has no rows; expected a file, or a folder with some: {FORMATS}")
    return found
