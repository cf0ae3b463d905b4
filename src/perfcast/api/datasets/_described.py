"""A dataset as answers describe it."""

from typing import Any

import numpy as np

from perfcast.api.http._numbers import rounded, shown_values
from perfcast.datasets import QUANTILES, DatasetRecord, Overview, moment_texts, spread


def heading(record: DatasetRecord, *, newest: bool) -> dict[str, Any]:
    """What is known of a dataset without its rows."""
    return {
        "name": record.name,
        "workload": record.workload,
        "digest": record.digest,
        "rows": record.rows,
        "created_at": record.created_at,
        "source": str(record.provenance.get("source", "")),
        "newest": newest,
    }


def columns_of(overview: Overview) -> list[dict[str, Any]]:
    """How each column's values lie; the cost comes last."""
    workload = overview.workload
    parts = [*(feature.declaration for feature in workload.features), workload.declaration.cost]
    return [
        {"name": part.name, "unit": getattr(part, "unit", ""), "meaning": part.meaning, **_values(overview, part.name)}
        for part in parts
        if part is not None
    ]


def _values(overview: Overview, name: str) -> dict[str, Any]:
    if name in overview.shares:
        return {"shares": overview.shares[name]}
    at = dict(zip((f"{share:g}" for share in QUANTILES), rounded(np.array(overview.quantiles[name])), strict=True))
    return {"minimum": at["0"], "maximum": at["1"], "quantiles": at}


def rows_of(overview: Overview, limit: int) -> dict[str, Any]:
    """At most so many rows, in columns."""
    workload, sample = overview.workload, overview.sample
    rows = sample.take(spread(len(sample), limit))
    columns = {
        feature.name: shown_values(feature, rows.features[:, at]) for at, feature in enumerate(workload.features)
    }
    return {
        "shown": len(rows),
        "columns": {**columns, workload.cost.name: rounded(rows.cost)},
        "measured_at": None if rows.measured_at is None else moment_texts(rows.measured_at),
    }
