"""The one call that turns a dataset into versions ready to be registered."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from perfcast.datasets import Dataset, Split
from perfcast.errors import InvalidSetting, Refused, Stopped
from perfcast.manifest import LARGEST_GRAPH, Draft
from perfcast.processors import processors
from perfcast.training._clock import Budget, drafting
from perfcast.training._draft import Trained, draft, proven
from perfcast.training._ensemble import ENSEMBLE, FittedEnsemble, Mixture, mix
from perfcast.training._final import final_fits
from perfcast.training.families import Family, Stop, families, never
from perfcast.training.fits import Executor, Here, inner_validation, make_executor
from perfcast.training.search import Search, Start, TrialReport, search
from perfcast.workloads import Rows

FEW_TRIALS = 8
"""So few trials take turns: starting processes would cost more than it gains."""
OVERTIME = 1.05
"""Share of the time limit by which all must be done: final fits end so much earlier as drafting takes."""


@dataclass(frozen=True)
class Training:
    """What a training run made.

    Attributes:
        drafts: The best version of each family and, where it gains, their mean; best tuning score first, but those
            that keep the trends that the workload declares before those that promise none.
        split: The parts they were made and judged with.
        refused: Families that have no version, with the reason.
        seconds: How long all of it took.
    """

    drafts: tuple[Draft, ...]
    split: Split
    refused: Mapping[str, str]
    seconds: float

    @property
    def best(self) -> Draft:
        """The one that stands for promotion."""
        return self.drafts[0]


def train(
    dataset: Dataset,
    budget: Budget,
    *,
    family_names: Collection[str] = (),
    seed: int = 0,
    split_seed: int = 0,
    threads: int | None = None,
    cluster: str = "",
    warm_start: Sequence[Start] = (),
    pruning: bool = True,
    study_storage: str | Path | None = None,
    study_name: str | None = None,
    on_trial: Callable[[TrialReport], None] | None = None,
    stop: Stop = never,
) -> Training:
    """Split, search, fit each family's best on all training rows, and draft.

    Args:
        dataset: Measured rows.
        budget: Trials and seconds.
        family_names: Which families to try, and `ensemble` for their mean; all by default.
        seed: Of everything random but the split.
        split_seed: Of the split; versions can be compared only where it is the same.
        threads: Most threads to use on this machine; all that this process may use by default.
        cluster: Address of a Dask scheduler, on whose workers the fits then run; empty for this machine.
        warm_start: See `search`; `warm_start` makes it from a version's manifest.
        pruning: See `search`.
        study_storage: See `search`.
        study_name: See `search`.
        on_trial: See `search`.
        stop: Asked often; once true, `Stopped` is raised soon.

    Raises:
        Stopped: It was asked to.
        Refused: No family made a usable version.
        InvalidSetting: There is no family of that name.
    """
    begun = time.monotonic()
    chosen, mixing = _chosen(family_names)
    split, workload, threads = dataset.split(split_seed), dataset.workload, threads or processors()
    inner = inner_validation(split, workload, seed=seed, threads=threads)
    deadline = float("inf") if budget.timeout is None else begun + OVERTIME * budget.timeout
    several = budget.trials > FEW_TRIALS
    with closing(make_executor(inner, threads=threads, several=several, cluster=cluster, stop=stop)) as executor:
        found = search(
            split,
            workload,
            chosen,
            budget,
            seed=seed,
            executor=executor,
            inner=inner,
            warm_start=warm_start,
            pruning=pruning,
            study_storage=study_storage,
            study_name=study_name,
            on_trial=on_trial,
            stop=stop,
        )
        deadline -= drafting(len(found.best_of_each_family), len(inner.lesson.target))
        models = fit_best(split, chosen, found, mixing=mixing, deadline=deadline, executor=executor, stop=stop)
    unfitted = sorted(set(found.best_of_each_family) - {model.family for model in models})
    left_out = found.summary["left_out"] | dict.fromkeys(unfitted, "the time limit left no time for its final fit")
    drafts, refused = _drafts(dataset, split, models, {**found.summary, "left_out": left_out}, stop)
    return Training(drafts, split, left_out | refused, round(time.monotonic() - begun, 2))


def fit_best(
    split: Split,
    chosen: Mapping[str, Family],
    found: Search,
    *,
    mixing: bool = True,
    deadline: float = float("inf"),
    executor: Executor | None = None,
    stop: Stop = never,
) -> list[Trained]:
    """Fit each family's best settings on all training rows, and prove the trends that they promise.

    Args:
        split: Whose training part was searched; its calibration rows are swept for the proof.
        chosen: The families that were searched.
        found: What the search found.
        mixing: Whether to add their weighted mean where it gains.
        deadline: `time.monotonic()` at which a fit ends with what it has, which its notes then say.
        executor: Where to fit; one after another in this process by default.
        stop: Asked often.

    Returns:
        Best tuning score first; without families that the deadline left no time for.

    Raises:
        Stopped: It was asked to.
    """
    with ExitStack() as owned:
        threads = found.inner.lesson.threads
        executor = executor or owned.enter_context(Here(found.inner, threads=threads, stop=stop))
        fitted = final_fits(chosen, found, executor, deadline=deadline, stop=stop)
    rows = split.calibrate.features
    models = {name: proven(model, rows) for name, model in fitted.items()}
    members = _members(models)
    mixture = mix(found.inner, _held_predictions(chosen, found, members, stop)) if mixing else None
    if mixture is not None:
        models[ENSEMBLE] = proven(_mixed(models, mixture), rows)
    return sorted(models.values(), key=_rank)


def _rank(model: Trained) -> tuple[bool, float]:
    return model.keeps_trends is False, float("inf") if model.score is None else model.score


def _members(models: Mapping[str, Trained]) -> list[str]:
    """Those to mix: where trends are declared, only models that keep them, so that the mean keeps them too."""
    keepers = [name for name, model in models.items() if model.keeps_trends]
    return keepers or list(models)


def _chosen(names: Collection[str]) -> tuple[dict[str, Family], bool]:
    known = families()
    wrong = [name for name in names if name not in known and name != ENSEMBLE]
    if wrong:
        raise InvalidSetting(f"no family is called '{wrong[0]}'; there are {', '.join([*known, ENSEMBLE])}")
    chosen = {name: family for name, family in known.items() if name in names or not set(names) - {ENSEMBLE}}
    return chosen, not names or ENSEMBLE in names


def _held_predictions(
    chosen: Mapping[str, Family], found: Search, models: Collection[str], stop: Stop
) -> dict[str, Rows]:
    """Each model's trial's predictions on the inner validation rows; a continued search makes those it lacks again."""
    inner = found.inner
    held = {}
    for name in models:
        candidate = found.best_of_each_family[name]
        known = candidate.held
        if known is None:
            lesson = replace(inner.lesson, validation=None)
            known = chosen[name].fit(lesson, candidate.settings, stop=stop).predict(inner.held_inputs)
        held[name] = known
    return held


def _mixed(models: Mapping[str, Trained], mixture: Mixture) -> Trained:
    members = [models[name] for name in mixture.weights]
    fitted = FittedEnsemble(tuple(member.fitted for member in members), dict(mixture.weights))
    settings: dict[str, Any] = {"weights": dict(mixture.weights)}
    settings |= {member.family: dict(member.settings) for member in members}
    seconds = sum(member.seconds for member in members)
    notes = tuple(dict.fromkeys(note for member in members for note in member.notes))
    return Trained(
        members[0].workload,
        ENSEMBLE,
        fitted,
        members[0].target,
        settings,
        score=mixture.score,
        seconds=seconds,
        keeps_trends=members[0].keeps_trends,
        notes=notes,
    )


def _drafts(
    dataset: Dataset, split: Split, models: list[Trained], summary: Mapping[str, Any], stop: Stop
) -> tuple[tuple[Draft, ...], dict[str, str]]:
    drafts, refused = [], {}
    for model in models:
        if stop():
            raise Stopped("training was stopped")
        try:
            drafts.append(draft(dataset.workload, dataset, split, model, search=summary))
        except Refused as reason:
            refused[model.family] = str(reason)
    if not drafts:
        raise Refused(f"no family made a usable version: {refused} (a graph may have {LARGEST_GRAPH} bytes)")
    return tuple(drafts), refused
