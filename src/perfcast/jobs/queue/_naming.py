"""What a model is called when nobody says it."""

from collections.abc import Mapping

from perfcast.workloads import builtin_workloads

STARTERS: Mapping[tuple[str, str], str] = {("simulated", "cpu-utilization"): "cpu-utilization"}
"""Datasets, with their workload, whose model has a name of its own."""


def default_model(dataset: str, workload: str) -> str:
    """The name of the model that learns from a dataset when none is given."""
    known = STARTERS.get((dataset, workload))
    if known is not None:
        return known
    own = workload not in builtin_workloads() and f"{workload}-".startswith(f"{dataset}-")
    return workload if own else f"{workload}-{dataset}"
