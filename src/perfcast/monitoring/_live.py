"""Live accuracy: how true the predictions turn out, summed up five minutes at a time."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import sqlalchemy as sa

from perfcast.monitoring._judged import Judged, parted
from perfcast.monitoring._records import Record
from perfcast.monitoring._versions import VersionOf, outside_of
from perfcast.storage import insert_or_add, schema

MINUTES = 5
_Key: TypeAlias = tuple[str, int, str, str]
"""Model, version, arm, and when the five minutes begin."""
_SUMS = tuple(column.name for column in schema.live_accuracy.c if not column.primary_key)


class LiveAccuracy:
    """Keeps the sums of `live_accuracy`.

    Args:
        version_of: Gives versions, whose ranges say what is extrapolated.
    """

    def __init__(self, version_of: VersionOf) -> None:
        self._outside = outside_of(version_of)

    def predicted(self, connection: sa.Connection, records: Sequence[Record]) -> None:
        """Count predictions and their intervals' widths."""
        parts = parted(records, lambda record: _key(record, record.at))
        rows = [_row(key, self._of_records(key, part)) for key, part in parts.items()]
        insert_or_add(connection, schema.live_accuracy, rows)

    def judged(self, connection: sa.Connection, judged: Sequence[Judged]) -> None:
        """Sum up errors, and how many actuals lay inside their intervals."""
        parts = parted(judged, lambda one: _key(one.record, one.at))
        rows = [_row(key, _of_judged(part)) for key, part in parts.items()]
        insert_or_add(connection, schema.live_accuracy, rows)

    def _of_records(self, key: _Key, records: Sequence[Record]) -> dict[str, float]:
        widths = [held[1] - held[0] for record in records if (held := record.interval) is not None]
        return {
            "predictions": len(records),
            "extrapolated": int(self._outside(*key[:2], [record.row for record in records]).sum()),
            "width": sum(widths),
            "intervals": len(widths),
        }


def _of_judged(judged: Sequence[Judged]) -> dict[str, float]:
    predicted = np.array([one.record.cost for one in judged], dtype=np.float64)
    actual = np.array([one.actual for one in judged], dtype=np.float64)
    error = predicted - actual
    nonzero = actual != 0
    covered = [held[0] <= one.actual <= held[1] for one in judged if (held := one.record.interval) is not None]
    return {
        "actuals": len(judged),
        "error": float(error.sum()),
        "absolute": float(np.abs(error).sum()),
        "squared": float(np.square(error).sum()),
        "percent": float((100 * np.abs(error[nonzero] / actual[nonzero])).sum()),
        "percents": int(nonzero.sum()),
        "covered": sum(covered),
        "judged_intervals": len(covered),
    }


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
