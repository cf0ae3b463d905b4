"""Scoring on the workers of a Dask cluster, which read and write the same paths."""

import warnings
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import getpid
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, Self
from uuid import uuid4

from perfcast.cluster import Cluster
from perfcast.errors import InvalidData, PerfcastError, Stopped, Unavailable
from perfcast.scoring._plan import Partition, Plan, ScoreReport
from perfcast.scoring._rows import RowScorer, write_scored

_AHEAD = 3
"""Row groups sent for each thread, so that a worker has the next one when it has done one."""
_LOOK_SECONDS = 0.2
_GATHER_SECONDS = 2


@dataclass(frozen=True)
class Workplace:
    """Folders that are the same on all workers.

    Attributes:
        parts: Where finished parts go.
        spare: Where they are begun.
        name: What people know the output as.
    """

    parts: Path
    spare: Path
    name: Path


def score_on_cluster(
    plan: Plan,
    parts: Sequence[Partition],
    place: Workplace,
    address: str,
    on_rows: Callable[[int, int], None] | None = None,
) -> ScoreReport:
    """Score each row group into a file of a folder; those of a killed worker are done again elsewhere.

    Args:
        plan: With what, and how.
        parts: The row groups.
        place: Where to.
        address: Of the scheduler.
        on_rows: Told how many rows are done, of how many.

    Raises:
        InvalidData: A worker can't read the input, or a row is bad and the plan refuses such.
        Unavailable: The cluster can't be reached, has no workers, or they died or failed; or the output can't be
            written.
    """
    report, total = ScoreReport(), sum(part.rows for part in parts)
    with _Sent(plan, parts, place, address) as sent:
        while not sent.all_done:
            for some in sent.ended():
                report += some
                if on_rows is not None:
                    on_rows(report.rows, total)
    return report


class _Sent:
    """The row groups on their way."""

    def __init__(self, plan: Plan, parts: Sequence[Partition], place: Workplace, address: str) -> None:
        self._waiting = deque(enumerate(parts))
        self._place, self._address = place, address
        self._under_way: set[Any] = set()
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._cluster = Cluster(address)
        with warnings.catch_warnings():  # Dask advises against arguments as large as a graph; this one is sent once
            warnings.simplefilter("ignore")
            self._scorer = self._cluster.client.submit(WorkerScorer, plan, pure=False)

    @property
    def all_done(self) -> bool:
        return not self._waiting and not self._under_way

    def ended(self) -> list[ScoreReport]:
        """Send some more, and wait a moment for one that ends."""
        most = _AHEAD * max(1, self._cluster.threads)
        while self._waiting and len(self._under_way) < most:
            number, part = self._waiting.popleft()
            future = self._cluster.client.submit(_score_there, self._scorer, part, self._place, number, pure=False)
            self._under_way.add(future)
            future.add_done_callback(self._done.put)
        try:
            future = self._done.get(timeout=_LOOK_SECONDS)
        except Empty:
            return []
        report = self._result(future)
        if report is None:
            self._done.put(future)
            return []
        self._under_way.discard(future)
        return [report]

    def _result(self, future: Any) -> ScoreReport | None:
        """What came of a row group; None while it is lost with its worker, and done again elsewhere."""
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        try:
            report: ScoreReport = future.result(timeout=_GATHER_SECONDS)
        except PerfcastError:
            raise
        except TimeoutError:
            if future.status != "error":
                return None
            raise
        except (KilledWorker, FutureCancelledError) as error:
            self._cluster.require_scheduler()
            raise Unavailable(
                f"the Dask cluster at {self._address} lost its workers again and again: {error}"
            ) from None
        except Exception as error:  # whatever a worker raises that Perfcast didn't foresee
            self._cluster.require_scheduler()
            raise Unavailable(
                f"a Dask worker failed with {type(error).__name__}: {error}; workers need the same version of "
                "perfcast[train,cluster] as this machine"
            ) from error
        return report

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cluster.cancel([*self._under_way, self._scorer])
        self._cluster.close()


class WorkerScorer:
    """The scorer of a plan on a worker, made there once; only the plan travels.

    Args:
        plan: With what to score, and how.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan, self._lock = plan, Lock()
        self._scorer: RowScorer | None = None

    def get(self, path: Path) -> RowScorer:
        """The scorer, for files with the columns of this one."""
        from perfcast.scoring._rows import scorer_of

        with self._lock:
            if self._scorer is None:
                self._scorer = scorer_of(self._plan, path)
            return self._scorer

    def __reduce__(self) -> tuple[type["WorkerScorer"], tuple[Plan]]:
        return WorkerScorer, (self._plan,)


def _score_there(scorer: WorkerScorer, part: Partition, place: Workplace, number: int) -> ScoreReport:
    """Runs on a worker. A file appears whole, so that doing it twice does no harm; ends soon when no longer wanted."""
    from distributed import get_worker

    from perfcast.scoring._files import Input, Output
    from perfcast.scoring._target import part_name

    worker: Any = get_worker()
    tasks, key = worker.state.tasks, worker.get_current_task()
    for path in (part.path, place.parts):
        if not path.exists():
            raise InvalidData(f"the Dask worker {worker.address} can't see {path}; workers must share the folders")
    begun = place.spare / f"{part_name(number)}.{getpid()}.{uuid4().hex[:8]}"
    report, made = ScoreReport(), scorer.get(part.path)
    try:
        with Input() as files, Output(begun, made.schema, place.name) as output:
            for some in write_scored(made, [part], files, output):
                report += some
                known = tasks.get(key)
                if known is None or known.state == "cancelled":
                    raise Stopped("it is no longer wanted")
        begun.replace(place.parts / part_name(number))
    finally:
        begun.unlink(missing_ok=True)
    return report
