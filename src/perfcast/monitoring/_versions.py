"""Versions as watchers look them up."""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.errors import BrokenVersion, InvalidDeclaration, NotFound
from perfcast.registry import Registry, Version
from perfcast.workloads import Cost, workload_from_document

VersionOf: TypeAlias = Callable[[str, int], Version | None]
"""Gives a version by model and number; None where there is none that can be read."""
_KEPT = 256


def versions_of(registry: Registry) -> VersionOf:
    """Looks into the registry, once for each version: what a watcher reads of one never changes."""

    @lru_cache(maxsize=_KEPT)
    def find(model: str, number: int) -> Version | None:
        try:
            return registry.version(model, number)
        except (NotFound, BrokenVersion):
            return None

    return find


def costs_of(version_of: VersionOf) -> Callable[[str, int], Cost | None]:
    """Gives what a version predicts; None where it isn't known."""

    @lru_cache(maxsize=_KEPT)
    def find(model: str, number: int) -> Cost | None:
        version = version_of(model, number)
        try:
            return None if version is None else workload_from_document(version.manifest.workload).cost
        except InvalidDeclaration:  # written by another Perfcast beside this one
            return None

    return find


def outside_of(version_of: VersionOf) -> Callable[[str, int, npt.ArrayLike], npt.NDArray[np.bool_]]:
    """Tells which rows have a feature outside what their version learnt, bool [rows]; none where that isn't known."""

    @lru_cache(maxsize=_KEPT)
    def bounds_of(model: str, number: int) -> npt.NDArray[np.float64] | None:
        version = version_of(model, number)
        if version is None:
            return None
        features = workload_from_document(version.manifest.workload).features
        return np.array([bounds for _, *bounds in version.manifest.trained(features)], dtype=np.float64).T

    def outside(model: str, number: int, given: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        rows, bounds = np.array(given, dtype=np.float64), bounds_of(model, number)
        if bounds is None or rows.shape[1:] != bounds.shape[1:]:
            return np.zeros(len(rows), dtype=np.bool_)
        low, high = bounds
        found: npt.NDArray[np.bool_] = ((rows < low) | (rows > high)).any(axis=1)
        return found

    return outside
