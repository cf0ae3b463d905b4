"""Scoring files, here or on a cluster."""

import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from perfcast.errors import InvalidData, InvalidSetting
from perfcast.scoring._plan import Partition, Plan, ScoreReport, partitions
from perfcast.scoring._rows import RowScorer

if TYPE_CHECKING:
    import pyarrow.parquet as pq

BATCH_ROWS = 65_536
"""Rows in memory at a time, and in each row group that is written."""
SUFFIX = ".parquet"
OnRows = Callable[[int, int], None]


def score(
    plan: Plan,
    source: Path,
    target: Path,
    *,
    cluster: str = "",
    overwrite: bool = False,
    on_rows: OnRows | None = None,
) -> ScoreReport:
    """Score every row.

    Args:
        plan: With what, and how.
        source: A Parquet file, or a folder of them with the same columns.
        target: A file, when its name ends with `.parquet`, else a folder with a part for each row group of the input.
        cluster: Address of a Dask scheduler whose workers see the same paths; empty for this process.
        overwrite: Whether what is at the target may be replaced.
        on_rows: Told how many rows are done, of how many.

    Raises:
        InvalidData: The input can't be read, or a row is bad and the plan refuses such.
        InvalidSetting: The target exists.
        BrokenVersion: The version can't answer.
        Unavailable: The cluster can't be reached.
    """
    begun = time.monotonic()
    _check_target(source, target, overwrite=overwrite)
    parts = partitions(source)
    draft = target.with_name(f".{target.name}.{uuid4().hex[:12]}.partial")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if cluster:
            report = _on_cluster(plan, parts, draft, cluster, on_rows, merged=target.suffix == SUFFIX)
        elif target.suffix == SUFFIX:
            report = write_scored(plan, parts, draft, on_rows)
        else:
            report = _folder(plan, parts, draft, on_rows)
        _put(draft, target)
    finally:
        _remove(draft)
        _remove(_parts_folder(draft))
    return replace(report, seconds=round(time.monotonic() - begun, 2))


def write_scored(plan: Plan, parts: Sequence[Partition], path: Path, on_rows: OnRows | None = None) -> ScoreReport:
    """Score some row groups into one file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    total, report = sum(part.rows for part in parts), ScoreReport()
    scorer = RowScorer(plan, pq.read_schema(parts[0].path))
    try:
        with pq.ParquetWriter(path, scorer.schema, compression="zstd") as writer:
            for part in parts:
                report = _write(scorer, part, writer, report, on_rows, total)
    except (pa.ArrowException, OSError) as error:
        raise InvalidData(f"{parts[0].path}: {error}") from None
    return report


def part_name(number: int) -> str:
    """The name of a part of a folder."""
    return f"part-{number:05d}{SUFFIX}"


def merge(paths: Iterable[Path], target: Path) -> None:
    """Write several files of the same columns into one, row group by row group."""
    import pyarrow.parquet as pq

    writer: pq.ParquetWriter | None = None
    try:
        for path in paths:
            with pq.ParquetFile(path, pre_buffer=False) as file:
                writer = writer or pq.ParquetWriter(target, file.schema_arrow, compression="zstd")
                for batch in file.iter_batches(BATCH_ROWS):
                    writer.write_batch(batch)
    finally:
        if writer is not None:
            writer.close()


def _write(
    scorer: RowScorer,
    part: Partition,
    writer: "pq.ParquetWriter",
    report: ScoreReport,
    on_rows: OnRows | None,
    total: int,
) -> ScoreReport:
    import pyarrow.parquet as pq

    done = part.first
    with pq.ParquetFile(part.path, pre_buffer=False) as file:
        for batch in file.iter_batches(BATCH_ROWS, row_groups=[part.group]):
            table, scored = scorer.score(batch, done)
            writer.write_table(table)
            done += scored.rows
            report += scored
            if on_rows is not None:
                on_rows(report.rows, total)
    return report


def _folder(plan: Plan, parts: Sequence[Partition], folder: Path, on_rows: OnRows | None) -> ScoreReport:
    folder.mkdir()
    report, total = ScoreReport(), sum(part.rows for part in parts)
    for number, part in enumerate(parts):
        before = report.rows

        def shifted(done: int, _: int, before: int = before) -> None:
            if on_rows is not None:
                on_rows(before + done, total)

        report += write_scored(plan, [part], folder / part_name(number), shifted)
    return report


def _on_cluster(
    plan: Plan, parts: Sequence[Partition], draft: Path, cluster: str, on_rows: OnRows | None, *, merged: bool
) -> ScoreReport:
    from perfcast.scoring._cluster import score_on_cluster

    folder = _parts_folder(draft) if merged else draft
    folder.mkdir()
    report = score_on_cluster(plan, parts, folder.absolute(), cluster, on_rows)
    if merged:
        merge((folder / part_name(number) for number in range(len(parts))), draft)
    return report


def _check_target(source: Path, target: Path, *, overwrite: bool) -> None:
    if not source.exists():
        raise InvalidData(f"{source}: there is no such file or folder")
    if target.exists() and target.resolve() == source.resolve():
        raise InvalidSetting("input and output are the same; the scored rows need a place of their own")
    if target.exists() and not overwrite:
        raise InvalidSetting(f"{target} exists already; choose another name or add --overwrite")


def _parts_folder(draft: Path) -> Path:
    return draft.with_name(f"{draft.name}.parts")


def _put(draft: Path, target: Path) -> None:
    """Let the result appear under its name."""
    if target.is_dir() or (target.exists() and draft.is_dir()):
        _remove(target)
    draft.replace(target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
