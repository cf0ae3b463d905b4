"""What the registry hands out: plain data that never changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from perfcast.manifest import Manifest

CHAMPION, CHALLENGER, SHADOW = "champion", "challenger", "shadow"
ALIASES = (CHAMPION, CHALLENGER, SHADOW)
"""The pointers a model can have."""

Kind = Literal["point", "step_back", "traffic"]
"""What happened to an alias: it moved to a version that was named, or back to the one before; or its share changed."""


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
        share: Percent of callers that the challenger answers; the champion answers the others.
    """

    name: str
    workload: str
    dataset: str
    created_at: str
    aliases: Mapping[str, int]
    versions: tuple[int, ...]
    share: float = 0.0

    @property
    def traffic(self) -> Mapping[str, float]:
        """Percent of callers by the alias that answers them; together 100."""
        return traffic(self.share)


@dataclass(frozen=True)
class Snapshot:
    """What is to be served, read at one moment.

    Attributes:
        revision: The registry's.
        models: All models, sorted by name.
        defaults: Each workload's default model.
        graphs: For each version that an alias points to, the sha256 of its graph.
    """

    revision: int
    models: tuple[ModelSummary, ...]
    defaults: Mapping[str, str]
    graphs: Mapping[tuple[str, int], str]


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
    """One move of an alias, as the history keeps it, or one change of the challenger's share.

    Attributes:
        before, after: Version numbers; None is nowhere.
        share_before, share_after: Percent of callers that the challenger answered and answers; None where unchanged.
    """

    model: str
    alias: str
    kind: Kind
    before: int | None
    after: int | None
    reason: str
    actor: str
    at: str
    share_before: float | None = None
    share_after: float | None = None


def traffic(share: float) -> Mapping[str, float]:
    """The champion's and the challenger's percent of callers, the latter given."""
    return {CHAMPION: 100 - share, CHALLENGER: share}
