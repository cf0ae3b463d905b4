"""What to score, how, and what came of it; plain data that travels to workers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from perfcast.errors import InvalidData
from perfcast.registry import Version

OnBad: TypeAlias = Literal["mark", "refuse"]


@dataclass(frozen=True)
class Plan:
    """How to score.

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


@dataclass(frozen=True)
class Partition:
    """One row group of one file.

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
        seconds: How long it took.
    """

    rows: int = 0
    bad: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    extrapolated: int = 0
    seconds: float = 0.0

    def __add__(self, other: "ScoreReport") -> "ScoreReport":
        """Both together."""
        return ScoreReport(
            rows=self.rows + other.rows,
            bad=self.bad + other.bad,
            reasons=dict(Counter(self.reasons) + Counter(other.reasons)),
            extrapolated=self.extrapolated + other.extrapolated,
            seconds=self.seconds + other.seconds,
        )


def partitions(source: Path) -> list[Partition]:
    """The row groups of a Parquet file, or of all in a folder, by name.

    Raises:
        InvalidData: There is none, or one can't be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = sorted(source.glob("*.parquet")) if source.is_dir() else [source]
    found: list[Partition] = []
    first, schema = 0, None
    for path in files:
        try:
            metadata = pq.read_metadata(path)
        except (OSError, pa.ArrowException) as error:
            raise InvalidData(f"{path}: can't be read as Parquet: {error}") from None
        if schema is not None and metadata.schema.to_arrow_schema() != schema:
            raise InvalidData(f"{path}: has other columns than {files[0].name}; all files must have the same")
        schema = metadata.schema.to_arrow_schema()
        for group in range(metadata.num_row_groups):
            rows = metadata.row_group(group).num_rows
            found.append(Partition(path, group, first, rows))
            first += rows
    if not found or not first:
        raise InvalidData(f"{source}: has no rows; expected a Parquet file or a folder of them")
    return found
