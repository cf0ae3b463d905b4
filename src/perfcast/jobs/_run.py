"""One training run: dataset in, registered and judged versions out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from perfcast.datasets import Dataset
from perfcast.errors import UnknownModel
from perfcast.registry import ANY, CHAMPION, Registry, Version
from perfcast.workloads import workload_from_document

if TYPE_CHECKING:
    from perfcast.training import Training, TrialReport, Verdict

STARTERS: Mapping[str, str] = {"simulated": "cpu-utilization"}
"""Datasets whose model has a name of its own."""


@dataclass(frozen=True)
class TrainingRequest:
    """What to train, and how long.

    Attributes:
        model: The model that gets the versions.
        families: Which to try; all when empty.
        trials: Most trials.
        timeout: Most seconds, final fits included; None for no limit.
        seed: Of the search.
        promote: `auto` lets the gate decide, `never` leaves the champion alone.
        study: Address or journal file where the search is kept, and its name, so that it continues after a kill.
    """

    model: str
    families: tuple[str, ...] = ()
    trials: int = 20
    timeout: float | None = None
    seed: int = 0
    promote: Literal["auto", "never"] = "auto"
    study: tuple[str | Path, str] | None = None


@dataclass(frozen=True)
class Outcome:
    """What a run left in the registry.

    Attributes:
        versions: The registered ones, best first.
        promoted: Whether the best became champion.
        reason: Why, or why not.
        refused: Families whose model could not become a version, with the reason.
        seconds: How long the training took.
    """

    versions: tuple[Version, ...]
    promoted: bool
    reason: str
    refused: Mapping[str, str]
    seconds: float

    @property
    def best(self) -> Version:
        """The one that stood for promotion."""
        return self.versions[0]


def default_model(dataset: str, workload: str) -> str:
    """The name of the model that learns from a dataset when none is given."""
    if dataset in STARTERS:
        return STARTERS[dataset]
    return workload if f"{workload}-".startswith(f"{dataset}-") else f"{workload}-{dataset}"


def run_training(
    registry: Registry,
    dataset: Dataset,
    request: TrainingRequest,
    *,
    on_trial: "Callable[[TrialReport], None] | None" = None,
    stop: Callable[[], bool] | None = None,
    threads: int | None = None,
) -> Outcome:
    """Train, register, judge.

    Args:
        registry: Where the versions go.
        dataset: Measured rows.
        request: What to train.
        on_trial: Told when a trial begins and ends.
        stop: Asked often; once true the run ends with `Stopped`, and nothing is registered.
        threads: Most threads to use.

    Raises:
        Stopped: It was asked to.
        Refused: No family made a usable version.
        InvalidData: There are too few rows.
    """
    from perfcast.training import Budget, train

    storage, name = request.study or (None, None)
    training = train(
        dataset,
        Budget(request.trials, request.timeout),
        family_names=request.families,
        seed=request.seed,
        threads=threads,
        study_storage=storage,
        study_name=name,
        on_trial=on_trial,
        stop=stop or (lambda: False),
    )
    return publish(registry, dataset, training, request)


def publish(registry: Registry, dataset: Dataset, training: "Training", request: TrainingRequest) -> Outcome:
    """Register a training's versions, best last so that it has the highest number, and let the gate decide."""
    champion = _champion(registry, request.model)
    added = [registry.add(request.model, draft, dataset=dataset.name) for draft in reversed(training.drafts)]
    best = added[-1]
    if request.promote == "never":
        promoted, reason = False, "stays a candidate: promotion was not asked for"
    else:
        verdict = _verdict(registry, best, champion, training, dataset)
        promoted, reason = verdict.promote, verdict.reason
    if promoted:
        expect = ANY if champion is None else champion.number
        registry.point(request.model, CHAMPION, best.number, expect=expect, reason=reason, actor="gate")
    registry.annotate(best, reason)
    for version in added[:-1]:
        registry.annotate(version, f"the best {version.type} of the run that made version {best.number}")
    return Outcome(tuple(reversed(added)), promoted, reason, training.refused, training.seconds)


def _champion(registry: Registry, model: str) -> Version | None:
    try:
        number = registry.model(model).aliases.get(CHAMPION)
    except UnknownModel:
        return None
    return None if number is None else registry.version(model, number)


def _verdict(
    registry: Registry, best: Version, champion: Version | None, training: "Training", dataset: Dataset
) -> "Verdict":
    from perfcast.training import Verdict, judge

    candidate = registry.graph(best)
    if champion is None:
        return judge(candidate, None, training.split.test, dataset.workload)
    theirs = workload_from_document(champion.manifest.workload)
    if theirs.feature_names != dataset.workload.feature_names:
        reason = "stays a candidate: the champion reads other features, so they can't be compared; activate it yourself"
        return Verdict(promote=False, reason=reason, candidate_error=training.best.manifest.metrics.mae)  # type: ignore[union-attr]
    return judge(candidate, registry.graph(champion), training.split.test, dataset.workload)
