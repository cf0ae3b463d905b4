"""Scoring on the workers of a Dask cluster, which read and write the same paths."""

from collections.abc import Callable, Sequence
from os import getpid
from pathlib import Path
from typing import Any
from uuid import uuid4

from perfcast.cluster import connect
from perfcast.errors import InvalidData, Unavailable
from perfcast.scoring._plan import Partition, Plan, ScoreReport


def score_on_cluster(
    plan: Plan,
    parts: Sequence[Partition],
    folder: Path,
    address: str,
    on_rows: Callable[[int, int], None] | None = None,
) -> ScoreReport:
    """Score each row group into a file of a folder; those of a killed worker are done again elsewhere.

    Args:
        plan: With what, and how.
        parts: The row groups.
        folder: Exists, and is the same on all workers.
        address: Of the scheduler.
        on_rows: Told how many rows are done, of how many.

    Raises:
        InvalidData: A worker can't read the input, or a row is bad and the plan refuses such.
        Unavailable: The cluster can't be reached, or its workers died again and again.
    """
    import distributed
    from distributed.client import FutureCancelledError

    as_completed: Any = distributed.as_completed
    report, total = ScoreReport(), sum(part.rows for part in parts)
    with connect(address) as client:
        sent = client.submit(_same, plan, pure=False)  # the scheduler can make it again when its worker is lost
        futures = [
            client.submit(_score_there, sent, part, folder, number, pure=False) for number, part in enumerate(parts)
        ]
        try:
            for future in as_completed(futures, loop=client.loop):
                report += future.result()
                if on_rows is not None:
                    on_rows(report.rows, total)
        except (distributed.KilledWorker, FutureCancelledError) as error:
            raise Unavailable(f"the Dask cluster at {address} lost its workers again and again: {error}") from None
        except FileNotFoundError as error:
            raise InvalidData(f"a Dask worker can't see {error.filename}; workers must share the folders") from None
        finally:
            client.cancel(futures, force=True)
    return report


def _same(plan: Plan) -> Plan:
    return plan


def _score_there(plan: Plan, part: Partition, folder: Path, number: int) -> ScoreReport:
    """Runs on a worker. A file appears whole, so that doing it twice does no harm."""
    from perfcast.scoring._score import part_name, write_scored

    draft = folder / f".{part_name(number)}.{getpid()}.{uuid4().hex[:8]}"
    try:
        report = write_scored(plan, [part], draft)
        draft.replace(folder / part_name(number))
    finally:
        draft.unlink(missing_ok=True)
    return report
