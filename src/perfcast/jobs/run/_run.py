"""One training run: dataset in, registered and judged versions out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perfcast.datasets import Dataset
from perfcast.errors import Refused, UnknownModel
from perfcast.jobs.queue import Effort
from perfcast.jobs.run._base import find_base
from perfcast.jobs.run._lesson import make_lesson
from perfcast.jobs.run._publication import promote, register
from perfcast.manifest import Manifest
from perfcast.monitoring.drift import Anomaly
from perfcast.registry import CHAMPION, Registry, Version, check_name

if TYPE_CHECKING:
    from perfcast.training import Training


@dataclass(frozen=True)
class Outcome:
    """What a run left in the registry.

    Attributes:
        versions: The registered ones, best first.
        reason: Whether the best became champion, and why.
        refused: Families that have no version, with the reason.
        seconds: How long the training took.
    """

    versions: tuple[Version, ...]
    reason: str
    refused: Mapping[str, str]
    seconds: float


def run_training(
    registry: Registry, dataset: Dataset, model: str, effort: Effort, *, anomalies: Sequence[Anomaly] = (), **how: Any
) -> Outcome:
    """Train, register and judge in this process, without the rows of anomalies; all else is as for `learn`."""
    lesson = make_lesson(dataset, effort.newest_rows, anomalies)
    training = learn(registry, lesson.dataset, model, effort, **how)
    champion = champions_manifest(registry, model)
    drafts = [lesson.signed(draft, champion) for draft in training.drafts]
    versions = register(registry, drafts, model=model, dataset=dataset.name, run="a run")[::-1]
    reason = promote(registry, versions[0], lesson.dataset, wanted=effort.promote, actor="gate")
    return Outcome(tuple(versions), reason, training.refused, training.seconds)


def learn(registry: Registry, dataset: Dataset, model: str, effort: Effort, **how: Any) -> "Training":
    """Train versions of a model, beginning with what its champion was fitted with, and from the effort's base.

    What is not in `effort` goes to `perfcast.training.train`, whose errors are raised too.

    Raises:
        Refused: The model, or the base, answers for another workload.
        InvalidInput: The model's name can't be used.
        NotFound: There is no such base.
    """
    from perfcast.training import Budget, train

    budget = Budget(effort.n_trials, effort.timeout_seconds)
    start = _champions_settings(registry, dataset, model)
    base = find_base(registry, effort.base)
    return train(
        dataset,
        budget,
        family_names=effort.families,
        seed=effort.seed,
        trends=effort.trends,
        warm_start=start,
        base=base,
        **how,
    )


def champions_manifest(registry: Registry, model: str) -> Manifest | None:
    """What a model's champion says about itself; None where there is none."""
    try:
        number = registry.model(model).aliases.get(CHAMPION)
    except UnknownModel:
        return None
    return None if number is None else registry.version(model, number).manifest


def _champions_settings(
    registry: Registry, dataset: Dataset, model: str
) -> "tuple[tuple[str, Mapping[str, Any]], ...]":
    """What a model's champion was fitted with; finds out before an hour of training that it is of another workload."""
    from perfcast.training import warm_start

    check_name(model)
    try:
        known = registry.model(model)
    except UnknownModel:
        return ()
    if known.workload != dataset.workload.name:
        raise Refused(
            f"model '{model}' answers for '{known.workload}', but dataset '{dataset.name}' is of "
            f"'{dataset.workload.name}'; name another with --model"
        )
    number = known.aliases.get(CHAMPION)
    return () if number is None else tuple(warm_start(registry.version(model, number).manifest))
