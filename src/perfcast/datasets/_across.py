"""Rows of several devices as one dataset: each row with the figures of the device it was measured on."""

from collections.abc import Mapping, Sequence

import numpy as np

from perfcast.datasets._dataset import Dataset
from perfcast.errors import InvalidData
from perfcast.workloads import ArrayArithmetic, Rows, Workload, evaluate

Figures = Mapping[str, float]
"""Features that all rows of a device have alike, by name."""


def across_devices(name: str, workload: Workload, parts: Sequence[tuple[Dataset, Figures]]) -> Dataset:
    """Join datasets of several devices.

    Args:
        name: Of the new dataset.
        workload: What its rows measure: the datasets' own, with the devices' figures as further features.
        parts: Rows, and the figures of the device that they were measured on.

    Raises:
        InvalidData: Rows lack a feature, measure another cost, or break the workload's declaration.
    """
    for dataset, _ in parts:
        if (dataset.workload.cost.name, dataset.workload.cost.unit) != (workload.cost.name, workload.cost.unit):
            theirs, ours = (
                f"{cost.name} in {cost.unit or 'no unit'}" for cost in (dataset.workload.cost, workload.cost)
            )
            raise InvalidData(f"dataset '{dataset.name}' measures {theirs}, not {ours}")
    features = np.concatenate([with_figures(workload, dataset, figures) for dataset, figures in parts])
    cost = np.concatenate([dataset.cost for dataset, _ in parts])
    sources = [f"{dataset.name}@{dataset.digest[:12]}" for dataset, _ in parts]
    return Dataset(name, workload, features, cost, provenance={"joined": ", ".join(sources)})


def with_figures(workload: Workload, dataset: Dataset, figures: Figures) -> Rows:
    """The dataset's rows as the workload's, float32 [rows, features]: by name, then the figures, then defaults.

    Raises:
        InvalidData: A feature is in none of them.
    """
    known = dict(zip(dataset.workload.feature_names, dataset.features.T, strict=True))
    columns: dict[str, Rows] = {}
    for feature in workload.features:
        if feature.name in known:
            columns[feature.name] = known[feature.name]
        elif feature.name in figures:
            columns[feature.name] = np.full(len(dataset.cost), figures[feature.name], np.float32)
        elif feature.default is not None:
            value = evaluate(feature.default, columns, ArrayArithmetic())
            columns[feature.name] = np.broadcast_to(np.asarray(value, np.float32), (len(dataset.cost),))
        else:
            raise InvalidData(f"dataset '{dataset.name}' has no '{feature.name}', and its device doesn't tell it")
    return np.stack(list(columns.values()), axis=1).astype(np.float32)
