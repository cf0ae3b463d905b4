"""What answers to which model reference, as one immutable snapshot."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from perfcast.errors import InvalidInput, NoUsableModel
from perfcast.registry import DEFAULT_WORKLOAD, parse_reference
from perfcast.serving._body import BodyReader
from perfcast.serving._predictor import Predictor
from perfcast.serving._reader import Reader


def _no_readers() -> Sequence[Reader]:
    return ()


@dataclass(frozen=True)
class Routes:
    """A snapshot of what is served; replaced as a whole, never changed (rule R7).

    Attributes:
        revision: The registry's revision that it shows; -1 before the first look.
        predictors: Every loaded version by each reference that means it: `NAME`, `NAME:VERSION`, `NAME@ALIAS`, each in
            one spelling; `predictor` knows the others too.
        defaults: Each workload's default model.
        problems: For each reference that can't be served as the registry says, the reason.
        others: Gives readers of workloads that no default model serves.
    """

    revision: int = -1
    predictors: Mapping[str, Predictor] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    others: Callable[[], Sequence[Reader]] = _no_readers
    bodies: BodyReader = field(init=False)
    loaded: tuple[Predictor, ...] = field(init=False)

    def __post_init__(self) -> None:
        readers = [self.predictors[model].reader for model in self._ordered() if model in self.predictors]
        object.__setattr__(self, "bodies", BodyReader(readers, self._reader, self.others))
        object.__setattr__(self, "loaded", tuple({id(item): item for item in self.predictors.values()}.values()))

    @property
    def champions(self) -> Mapping[str, Predictor]:
        """The version that answers for each model, by the model's name."""
        return {name: item for name, item in self.predictors.items() if name == item.model}

    @property
    def unanswered(self) -> Mapping[str, str]:
        """For each default model that no version answers for, the reason."""
        missing = sorted(set(self.defaults.values()) - self.predictors.keys() - self.problems.keys())
        return {name: _no_champion(name) for name in missing}

    def predictor(self, reference: str) -> Predictor | None:
        """The loaded version that a reference means, however its number is written; None where it isn't loaded."""
        found = self.predictors.get(reference)
        if found is not None:
            return found
        try:
            return self.predictors.get(_plain(reference, self.defaults.get(DEFAULT_WORKLOAD)))
        except InvalidInput:
            return None

    def find(self, reference: str | None, workload: str) -> Predictor:
        """The version that answers.

        Args:
            reference: A model reference; None for the workload's default model.
            workload: The workload of the features.

        Raises:
            NoUsableModel: There is none that can answer; says what to do.
        """
        name = reference if reference is not None else self.defaults.get(workload)
        predictor = self.predictor(name) if name is not None else None
        if predictor is None:
            raise self._nothing_for(name, workload)
        return predictor

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
        predictor = self.predictor(reference)
        return None if predictor is None else predictor.reader

    def _ordered(self) -> list[str]:
        names = sorted(self.defaults, key=lambda workload: (workload != DEFAULT_WORKLOAD, workload))
        return [self.defaults[workload] for workload in names]


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


NO_ROUTES = Routes()
"""Before the first look at the registry."""
