"""What the registry hands out: plain data that never changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from perfcast.manifest import Manifest

CHAMPION = "champion"
ALIASES = (CHAMPION, "challenger", "shadow")
"""The pointers a model can have."""

Kind = Literal["point", "step_back"]
"""How an alias moved: to a version that was named, or back to the one before."""


class AnyVersion(Enum):
    """The type of `ANY`."""

    ANY = "any"


ANY = AnyVersion.ANY
"""Stands for: whatever the alias points to now, move it."""


@dataclass(frozen=True)
class Version:
    """One immutable trained artifact of a model; only its note may change.

    Attributes:
        number: 1, 2, 3 … within the model, never given twice.
        label: The name an imported version came with, such as `v1.2.0`.
        created_at: When it was registered: ISO 8601, UTC.
    """

    model: str
    number: int
    label: str | None
    manifest: Manifest
    note: str
    created_at: str

    @property
    def type(self) -> str:
        """The family, such as `xgboost`."""
        return self.manifest.type

    @property
    def workload_name(self) -> str:
        """The workload it answers for."""
        return str(self.manifest.workload["name"])

    @property
    def reference(self) -> str:
        """The model reference that names exactly this version."""
        return f"{self.model}:{self.number}"


@dataclass(frozen=True)
class ModelSummary:
    """A named line of versions.

    Attributes:
        dataset: Name of the dataset line it learns from; empty where there is none.
        aliases: Version number of each alias that is set.
        versions: All numbers, rising.
    """

    name: str
    workload: str
    dataset: str
    created_at: str
    aliases: Mapping[str, int]
    versions: tuple[int, ...]


@dataclass(frozen=True)
class AliasChange:
    """Where an alias pointed and where it points now; None is nowhere. Both are equal where nothing changed."""

    model: str
    alias: str
    before: int | None
    after: int | None

    @property
    def changed(self) -> bool:
        """Whether it moved at all."""
        return self.before != self.after


@dataclass(frozen=True)
class AliasEvent:
    """One move of an alias, as the history keeps it."""

    model: str
    alias: str
    kind: Kind
    before: int | None
    after: int | None
    reason: str
    actor: str
    at: str
