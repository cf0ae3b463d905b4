"""What answers to which model reference, as one immutable snapshot."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from perfcast.errors import InvalidInput, NoUsableModel
from perfcast.registry import DEFAULT_WORKLOAD, parse_reference
from perfcast.serving._arms import Arm, Key
from perfcast.serving._body import BodyReader
from perfcast.serving._cache import Slot
from perfcast.serving._reader import Reader


@dataclass(frozen=True)
class Routes:
    """A snapshot of what is served; replaced as a whole, never changed (rule R7).

    Which version answers stays as it is for the life of a snapshot; only whether its graph is in memory may change.

    Attributes:
        revision: The registry's revision that it shows; -1 before the first look.
        arms: Who answers to each reference: `NAME`, `NAME:VERSION`, `NAME@ALIAS`, each in one spelling; `arm` knows the
            others too.
        defaults: Each workload's default model.
        problems: For each reference that can't be served as the registry says, the reason.
        notes: For each alias whose version isn't asked beside the champion, the reason; every caller is answered.
        pointed: The slot that answers for each model's alias.
        others: Gives readers of workloads that no default model serves.
        bounded: Whether graphs may leave memory, so that it matters when each was used.
    """

    revision: int = -1
    arms: Mapping[str, Arm] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    others: Callable[[], Sequence[Reader]] = tuple
    bounded: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)
    pointed: Mapping[tuple[str, str], Slot] = field(default_factory=dict)
    bodies: BodyReader = field(init=False)
    slots: frozenset[Slot] = field(init=False)
    champions: Mapping[str, Slot] = field(init=False)

    def __post_init__(self) -> None:
        workloads = sorted(self.defaults, key=lambda workload: (workload != DEFAULT_WORKLOAD, workload))
        models = [self.defaults[workload] for workload in workloads]
        readers = [self.arms[model].slot.reader for model in models if model in self.arms]
        object.__setattr__(self, "bodies", BodyReader(readers, self._reader, self.others))
        object.__setattr__(self, "slots", frozenset(arm.slot for arm in self.arms.values()))
        champions = {name: arm.slot for name, arm in self.arms.items() if name == arm.slot.model}
        object.__setattr__(self, "champions", champions)

    @property
    def unanswered(self) -> Mapping[str, str]:
        """For each default model that no version answers for, the reason."""
        missing = sorted(set(self.defaults.values()) - self.arms.keys() - self.problems.keys())
        return {name: _no_champion(name) for name in missing}

    def arm(self, reference: str) -> Arm | None:
        """Who answers to a reference, however its number is written; None where nobody does."""
        found = self.arms.get(reference)
        if found is not None:
            return found
        try:
            return self.arms.get(_plain(reference, self.defaults.get(DEFAULT_WORKLOAD)))
        except InvalidInput:
            return None

    def pick(self, reference: str | None, workload: str, key: Key = str) -> Arm:
        """Who answers one caller; `arm.slot.predictor` is None where its graph has to be loaded first.

        Args:
            reference: A model reference; None for the workload's default model.
            workload: The workload of the features.
            key: Gives what the caller is known by; asked only where callers are split. Callers that are known by
                nothing all get the same arm.

        Raises:
            NoUsableModel: There is nobody that can answer; says what to do.
        """
        name = reference if reference is not None else self.defaults.get(workload)
        arm = self.arm(name) if name is not None else None
        if arm is None:
            raise self._nothing_for(name, workload)
        if arm.challenger is not None:
            arm = arm.pick(key)
        if self.bounded:
            arm.slot.used = time.perf_counter()
        return arm

    def _nothing_for(self, name: str | None, workload: str) -> NoUsableModel:
        if name is None:
            return NoUsableModel(
                f"no model of workload '{workload}' is registered; train one with "
                f"`perfcast train --workload {workload}`, or run `perfcast up`, which makes the starter models"
            )
        if name in self.problems:
            return NoUsableModel(f"model '{name}' can't answer: {self.problems[name]}")
        return NoUsableModel(f"model '{name}' {_no_champion(name)}")

    def _reader(self, reference: str) -> Reader | None:
        arm = self.arm(reference)
        return None if arm is None else arm.slot.reader


def _no_champion(model: str) -> str:
    return f"has no champion; choose one of its versions with `perfcast models activate {model}:VERSION`"


@lru_cache(maxsize=1024)  # of short texts only: longer ones are no references, and what is raised isn't kept
def _plain(reference: str, default: str | None) -> str:
    """The reference as `Routes` writes it: `m:1` for `m:01` and `m:v1`, `default:1` for a bare `1`.

    Raises:
        InvalidInput: It is no reference.
    """
    asked = parse_reference(reference)
    return str(replace(asked, model=asked.model or default))
