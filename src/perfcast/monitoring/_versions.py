"""Versions as watchers look them up."""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from perfcast.errors import UnknownModel, UnknownVersion
from perfcast.registry import Registry, Version

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
