"""Scoring on the workers of a Dask cluster, which read and write the same paths."""

import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from os import getpid
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

from perfcast.cluster import Cluster, WorkersLostError, unwanted_here
from perfcast.errors import InvalidData, PerfcastError, Stopped, Unavailable
from perfcast.scoring._files import Output
from perfcast.scoring._plan import Partition, Plan, ScoreReport
from perfcast.scoring._rows import RowScorer, scorer_of, write_scored
from perfcast.scoring._target import part_name
from perfcast.tables import open_table

_AHEAD = 3
"""Row groups sent for each thread, so that a worker has the next one when it has done one."""
_LOOK_SECONDS = 0.2
_GATHER_SECONDS = 2


def score_on_cluster(
    plan: Plan, parts: Sequence[Partition], folder: Path, name: Path, address: str
) -> Iterator[ScoreReport]:
    """Score each row group into a file of a folder; those of a killed worker are done again elsewhere.

    Files are begun beside that folder, and errors call them by the name that people know.

    Yields:
        What became of a row group, each time that one is done.

    Raises:
        InvalidData: A worker can't read the input, or a row is bad and the plan refuses such.
        Unavailable: The cluster can't be reached, has no workers, or they died or failed; or the output can't be
            written.
    """
    waiting = deque(enumerate(parts))
    with Cluster(address) as cluster:
        scorer = _sent(cluster, plan)
        while waiting or cluster.under_way:
            most = _AHEAD * max(1, cluster.threads)
            while waiting and len(cluster.under_way) < most:
                number, part = waiting.popleft()
                cluster.send(_score_there, scorer, part, folder / part_name(number), name)
            ended = cluster.ended(_LOOK_SECONDS, gather=_GATHER_SECONDS)
            if ended is not None:
                yield _checked(ended[1], address)


def _sent(cluster: Cluster, plan: Plan) -> Any:
    """The future of the plan's scorer on the workers."""
    with warnings.catch_warnings():  # Dask advises against arguments as large as a graph; this one is sent once
        warnings.simplefilter("ignore")
        return cluster.client.submit(WorkerScorer, plan, pure=False)


def _checked(result: Any, address: str) -> ScoreReport:
    """What came of a row group; raises what went wrong."""
    if isinstance(result, ScoreReport):
        return result
    if isinstance(result, PerfcastError):
        raise result
    if isinstance(result, WorkersLostError):
        raise Unavailable(f"the Dask cluster at {address} lost its workers again and again: {result}")
    raise Unavailable(
        f"a Dask worker failed with {type(result).__name__}: {result}; workers need the same version of "
        "perfcast[train,cluster] as this machine"
    ) from result


class WorkerScorer:
    """The scorer of a plan on a worker, made there once; only the plan travels."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._lock = plan, Lock()
        self._scorer: RowScorer | None = None

    def get(self, path: Path) -> RowScorer:
        """The scorer, for files with the columns of this one."""
        with self._lock:
            if self._scorer is None:
                self._scorer = scorer_of(self._plan, path)
            return self._scorer

    def __reduce__(self) -> tuple[type["WorkerScorer"], tuple[Plan]]:
        return WorkerScorer, (self._plan,)


def _score_there(scorer: WorkerScorer, part: Partition, path: Path, name: Path) -> ScoreReport:
    """Runs on a worker. A file appears whole, so that doing it twice does no harm; ends soon when no longer wanted."""
    from distributed import get_worker

    unwanted = unwanted_here()
    for needed in (part.path, path.parent):
        if not needed.exists():
            told = f"the Dask worker {get_worker().address} can't see {needed}"
            raise InvalidData(f"{told}; workers must share the folders")
    begun = path.parents[1] / f"{path.name}.{getpid()}.{uuid4().hex[:8]}"
    report, made = ScoreReport(), scorer.get(part.path)
    try:
        with closing(open_table(part.path)) as table, Output(begun, made.schema, name) as output:
            for some in write_scored(made, table, part, output):
                report += some
                if unwanted():
                    raise Stopped("it is no longer wanted")
        begun.replace(path)
    finally:
        begun.unlink(missing_ok=True)
    return report
