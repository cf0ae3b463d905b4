"""Scoring files, here or on a cluster."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from perfcast.scoring._files import Output, merge
from perfcast.scoring._plan import Partition, Plan, ScoreReport, partitions
from perfcast.scoring._rows import scorer_of, write_scored
from perfcast.scoring._target import Draft, Target, part_name
from perfcast.tables import open_table

OnRows = Callable[[int, int], None]


def score(
    plan: Plan, source: Path, target: Path, *, cluster: str = "", overwrite: bool = False, on_rows: OnRows | None = None
) -> ScoreReport:
    """Score every row.

    Args:
        plan: With what, and how.
        source: A file, or a folder of them with the same columns.
        target: A file, when its name ends with `.parquet`, else a folder with a part for each row group of the input.
        cluster: Address of a Dask scheduler whose workers see the same paths; empty for this process.
        overwrite: Whether an earlier output at the target may be replaced.
        on_rows: Told how many rows are done, of how many.

    Raises:
        InvalidData: The input can't be read, or a row is bad and the plan refuses such.
        InvalidSetting: The target exists, or isn't apart from the input.
        BrokenVersion: The version can't answer.
        Unavailable: The cluster can't be reached, or the target can't be written.
    """
    begun = time.monotonic()
    place = Target(target, source, overwrite=overwrite)
    place.check()
    parts = partitions(source, plan)
    report, total = ScoreReport(), sum(part.rows for part in parts)
    with Draft(place) as draft:
        scored = _on_cluster(plan, parts, place, draft, cluster) if cluster else _here(plan, parts, place, draft)
        with closing(scored):
            for some in scored:
                report += some
                if on_rows is not None:
                    on_rows(report.rows, total)
        draft.put()
    return replace(report, seconds=round(time.monotonic() - begun, 2))


def _here(plan: Plan, parts: Sequence[Partition], target: Target, draft: Draft) -> Generator[ScoreReport, None, None]:
    scorer = scorer_of(plan, parts[0].path)
    with ExitStack() as stack:
        whole = stack.enter_context(Output(draft.file, scorer.schema, target.path)) if target.is_file else None
        for path, own in groupby(enumerate(parts), key=lambda numbered: numbered[1].path):
            with closing(open_table(path)) as table:
                for number, part in own:
                    piece = whole or Output(draft.parts / part_name(number), scorer.schema, target.path)
                    with nullcontext(piece) if whole else piece:
                        yield from write_scored(scorer, table, part, piece)


def _on_cluster(
    plan: Plan, parts: Sequence[Partition], target: Target, draft: Draft, cluster: str
) -> Generator[ScoreReport, None, None]:
    from perfcast.scoring._cluster import score_on_cluster

    yield from score_on_cluster(plan, parts, draft.parts, target.path, cluster)
    if target.is_file:
        merge((draft.parts / part_name(number) for number in range(len(parts))), draft.file, target.path)
