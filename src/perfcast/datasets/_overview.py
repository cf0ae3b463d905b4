"""What people look at of a dataset: how its columns' values lie, and some of its rows, spread over all."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from perfcast.datasets._files import moments_of, numbers_of, open_parquet
from perfcast.datasets._split import Numbers, Part
from perfcast.tables import TIME
from perfcast.workloads import Feature, Rows, Workload

MOST_SHOWN = 5_000
"""Rows of a sample."""
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class Overview:
    """A dataset at a glance, a few hundred kilobytes however many rows it has.

    Attributes:
        workload: As the rows were taken in with.
        quantiles: At `QUANTILES`, by column: each feature that is no choice, and the cost, in its unit.
        shares: Share of the rows that have each value, by choice.
        sample: At most `MOST_SHOWN` rows, the same ones each time, in the order in which they are kept.
    """

    workload: Workload
    quantiles: Mapping[str, tuple[float, ...]]
    shares: Mapping[str, Mapping[str, float]]
    sample: Part


def spread(rows: int, most: int) -> Numbers:
    """Positions of at most so many rows, rising, int64: one drawn from each of equal stretches, the same each time.

    Drawn, since each thousandth minute of a service would show the same few times of the day.
    """
    if rows <= most:
        return np.arange(rows)
    edges = np.arange(most + 1) * rows // most
    return edges[:-1] + (np.random.default_rng(0).random(most) * np.diff(edges)).astype(np.int64)


def read_overview(data: bytes) -> Overview:
    """Look through what `to_parquet` wrote, a column at a time.

    Raises:
        InvalidData: The bytes are no such file.
    """
    parquet, workload, _ = open_parquet(io.BytesIO(data))
    chosen = spread(parquet.metadata.num_rows, MOST_SHOWN)
    quantiles, shares, shown = dict[str, tuple[float, ...]](), dict[str, Mapping[str, float]](), dict[str, Rows]()
    for name, feature in (*zip(workload.feature_names, workload.features, strict=True), (workload.cost.name, None)):
        column = numbers_of(parquet.read([name]), name)
        shown[name] = column[chosen]
        if feature is not None and feature.declaration.values:
            shares[name] = _shares(feature, column)
        else:
            quantiles[name] = tuple(np.quantile(column, QUANTILES).tolist())
    moments, cost = moments_of(parquet.read([TIME])), shown.pop(workload.cost.name)
    times = None if moments is None else moments[chosen]
    return Overview(workload, quantiles, shares, Part(np.stack(list(shown.values()), axis=1), cost, times))


def _shares(feature: Feature, column: Rows) -> Mapping[str, float]:
    counts = np.bincount(column.astype(np.int64), minlength=len(feature.declaration.values))
    return {str(feature.decode(code)): count / len(column) for code, count in enumerate(counts.tolist())}
