"""Versions as watchers look them up."""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

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
