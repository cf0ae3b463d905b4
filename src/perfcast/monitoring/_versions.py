"""Versions as watchers look them up."""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from perfcast.errors import UnknownModel, UnknownVersion
from perfcast.monitoring._records import Record
from perfcast.registry import Registry, Version
from perfcast.workloads import workload_from_document

VersionOf: TypeAlias = Callable[[str, int], Version | None]
"""Gives a version by model and number; None where there is none."""
_KEPT = 256


def versions_of(registry: Registry) -> VersionOf:
    """Looks into the registry, once for each version: what a watcher reads of one never changes."""

    @lru_cache(maxsize=_KEPT)
    def find(model: str, number: int) -> Version | None:
        try:
            return registry.version(model, number)
        except (UnknownModel, UnknownVersion):
            return None

    return find


def possible_costs(version_of: VersionOf) -> Callable[[Record, float], bool]:
    """Tells whether the cost of a record's workload can be so much; of versions that are gone, whatever was told."""

    @lru_cache(maxsize=_KEPT)
    def bounds(model: str, number: int) -> tuple[float, float]:
        version = version_of(model, number)
        if version is None:
            return float("-inf"), float("inf")
        cost = workload_from_document(version.manifest.workload).cost
        return cost.minimum, cost.maximum

    def possible(record: Record, value: float) -> bool:
        low, high = bounds(record.model, record.version)
        return low <= value <= high

    return possible
