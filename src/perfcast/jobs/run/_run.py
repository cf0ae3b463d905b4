"""One training run: dataset in, registered and judged versions out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from perfcast.datasets import Dataset
from perfcast.errors import Refused, UnknownModel
from perfcast.jobs.run._gate import promote_if_better
from perfcast.registry import CHAMPION, Registry, Version, check_name

if TYPE_CHECKING:
    from perfcast.training import TrialReport


@dataclass(frozen=True)
class Outcome:
    """What a run left in the registry.

    Attributes:
        versions: The registered ones, best first.
        promoted: Whether the best became champion.
        reason: Why, or why not.
        refused: Families that have no version, with the reason.
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


def run_training(
    registry: Registry,
    dataset: Dataset,
    model: str,
    *,
    families: tuple[str, ...] = (),
    trials: int = 20,
    timeout: float | None = None,
    seed: int = 0,
    promote: Literal["auto", "never"] = "auto",
    pruning: bool = True,
    cluster: str = "",
    study: tuple[str | Path, str] = ("", ""),
    on_trial: "Callable[[TrialReport], None] | None" = None,
    threads: int | None = None,
) -> Outcome:
    """Train, register, the best last so that it has the highest number, and judge.

    Args:
        registry: Where the versions go.
        dataset: Measured rows.
        model: The model that gets the versions.
        families: Which to try; all when empty.
        trials: Most trials.
        timeout: Most seconds, final fits included; None for no limit.
        seed: Of the search.
        promote: `auto` lets the gate decide, `never` leaves the champion alone.
        pruning: Whether trials that lag behind are given up early.
        cluster: Address of a Dask scheduler whose workers run the trials; empty for this machine.
        study: Address or journal file where the search is kept, and its name, so that it continues after a kill.
        on_trial: Told when a trial begins and ends.
        threads: Most threads to use.

    Raises:
        Refused: No family made a usable version, or the model answers for another workload.
        InvalidInput: The model's name can't be used.
        InvalidData: There are too few rows.
    """
    from perfcast.training import Budget, train

    check_request(registry, dataset, model)
    training = train(
        dataset,
        Budget(trials, timeout),
        family_names=families,
        seed=seed,
        threads=threads,
        cluster=cluster,
        warm_start=champions_settings(registry, model),
        pruning=pruning,
        study_storage=study[0] or None,
        study_name=study[1] or None,
        on_trial=on_trial,
    )
    ordered = training.drafts[::-1]
    best = ordered[-1].manifest.type
    notes = [f"the best {draft.manifest.type} of a run whose best was {best}" for draft in ordered]
    added = registry.add_all(model, ordered, dataset=dataset.name, notes=notes)
    if promote == "never":
        promoted, reason = False, "stays a candidate: promotion was not asked for"
        registry.annotate(added[-1], reason)
    else:
        promoted, reason = promote_if_better(registry, added[-1], dataset, actor="gate")
    return Outcome(tuple(reversed(added)), promoted, reason, training.refused, training.seconds)


def champions_settings(registry: Registry, model: str) -> "tuple[tuple[str, Mapping[str, Any]], ...]":
    """What the present champion was fitted with, for a search to begin with; nothing where there is none."""
    from perfcast.training import warm_start

    try:
        number = registry.model(model).aliases.get(CHAMPION)
    except UnknownModel:
        return ()
    return () if number is None else tuple(warm_start(registry.version(model, number).manifest))


def check_request(registry: Registry, dataset: Dataset, model: str) -> None:
    """Find out before an hour of training, not after it, that its versions could not be registered.

    Raises:
        InvalidInput: The model's name can't be used.
        Refused: A model of that name answers for another workload.
    """
    check_name(model)
    try:
        answers_for = registry.model(model).workload
    except UnknownModel:
        return
    if answers_for != dataset.workload.name:
        raise Refused(
            f"model '{model}' answers for '{answers_for}', but dataset '{dataset.name}' is of "
            f"'{dataset.workload.name}'; name another with --model"
        )
