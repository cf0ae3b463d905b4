"""Live accuracy: how true the predictions turn out, summed up five minutes at a time."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TypeAlias, TypeVar

import numpy as np
import sqlalchemy as sa

from perfcast.manifest import DEFAULT_COVERAGE
from perfcast.monitoring._judged import Judged
from perfcast.monitoring._records import Record
from perfcast.monitoring._versions import VersionOf
from perfcast.storage import insert_or_add, schema
from perfcast.workloads import workload_from_document

MINUTES = 5
_Key: TypeAlias = tuple[str, int, str, str]
"""Model, version, arm, and when the five minutes begin."""
_T = TypeVar("_T")
_SUMS = tuple(column.name for column in schema.live_accuracy.c if not column.primary_key)


class LiveAccuracy:
    """Keeps the sums of `live_accuracy`.

    Args:
        version_of: Gives versions, whose ranges say what is extrapolated.
    """

    def __init__(self, version_of: VersionOf) -> None:
        self._version_of = version_of
        self._bounds = lru_cache(maxsize=1024)(self._find_bounds)

    def predicted(self, connection: sa.Connection, records: Sequence[Record]) -> None:
        """Count predictions and their intervals' widths."""
        parts = _parted(records, lambda record: _key(record, record.at))
        rows = [_row(key, self._of_records(key, part)) for key, part in parts.items()]
        insert_or_add(connection, schema.live_accuracy, rows)

    def judged(self, connection: sa.Connection, judged: Sequence[Judged]) -> None:
        """Sum up errors, and how many actuals lay inside their intervals."""
        parts = _parted(judged, lambda one: _key(one.record, one.at))
        rows = [_row(key, _of_judged(part)) for key, part in parts.items()]
        insert_or_add(connection, schema.live_accuracy, rows)

    def _of_records(self, key: _Key, records: Sequence[Record]) -> dict[str, float]:
        widths = [width for record in records if (width := _width(record)) is not None]
        return {
            "predictions": len(records),
            "extrapolated": self._extrapolated(*key[:2], records),
            "width": sum(widths),
            "intervals": len(widths),
        }

    def _extrapolated(self, model: str, version: int, records: Sequence[Record]) -> int:
        """How many rows have a feature outside what the version was trained on."""
        bounds = self._bounds(model, version)
        if bounds is None:
            return 0
        low, high = bounds
        rows = np.array([record.row for record in records], dtype=np.float64)
        if rows.shape[1:] != low.shape:
            return 0
        return int(((rows < low) | (rows > high)).any(axis=1).sum())

    def _find_bounds(self, model: str, version: int) -> "tuple[np.ndarray, np.ndarray] | None":
        found = self._version_of(model, version)
        if found is None:
            return None
        features = workload_from_document(found.manifest.workload).features
        low, high = np.array([bounds for _, *bounds in found.manifest.trained(features)], dtype=np.float64).T
        return low, high


def _of_judged(judged: Sequence[Judged]) -> dict[str, float]:
    predicted = np.array([one.record.cost for one in judged], dtype=np.float64)
    actual = np.array([one.actual for one in judged], dtype=np.float64)
    error = predicted - actual
    nonzero = actual != 0
    intervals = [(one.record.lower, one.actual, one.record.upper) for one in judged if _width(one.record) is not None]
    return {
        "actuals": len(judged),
        "error": float(error.sum()),
        "absolute": float(np.abs(error).sum()),
        "squared": float(np.square(error).sum()),
        "percent": float((100 * np.abs(error[nonzero] / actual[nonzero])).sum()),
        "percents": int(nonzero.sum()),
        "covered": sum(low <= value <= high for low, value, high in intervals),  # type: ignore[operator]
        "judged_intervals": len(intervals),
    }


def _width(record: Record) -> float | None:
    """The width of an interval at the coverage that is compared; None where it is another, or none."""
    if record.coverage != DEFAULT_COVERAGE or record.lower is None or record.upper is None:
        return None
    return record.upper - record.lower


def _parted(things: Iterable[_T], key: Callable[[_T], _Key]) -> dict[_Key, list[_T]]:
    """The things by their keys, which come sorted, so that no two writers wait for each other."""
    parts: dict[_Key, list[_T]] = {}
    for thing in things:
        parts.setdefault(key(thing), []).append(thing)
    return dict(sorted(parts.items()))


def _key(record: Record, at: str) -> _Key:
    return (record.model, record.version, record.arm, begin_of(at))


def begin_of(at: str) -> str:
    """When the five minutes begin in which a time lies, as the database keeps times."""
    return _begin(at[:16])


@lru_cache(maxsize=4096)
def _begin(minute: str) -> str:
    return f"{minute[:14]}{int(minute[14:16]) // MINUTES * MINUTES:02d}:00.000000Z"


def _row(key: _Key, sums: dict[str, float]) -> dict[str, object]:
    model, version, arm, at = key
    return {"model": model, "version": version, "arm": arm, "at": at, **dict.fromkeys(_SUMS, 0), **sums}
