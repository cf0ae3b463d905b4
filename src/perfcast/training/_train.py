"""The one call that turns a dataset into versions ready to be registered."""

import os
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from perfcast.datasets import Dataset, Split
from perfcast.errors import InvalidSetting, Refused, Stopped
from perfcast.manifest import LARGEST_GRAPH, Draft
from perfcast.training._clock import Budget
from perfcast.training._draft import Trained, draft
from perfcast.training._ensemble import ENSEMBLE, FittedEnsemble, Mixture, mix
from perfcast.training._inner import full_lesson
from perfcast.training._search import Candidate, Search, TrialReport, search
from perfcast.training.families import Family, Lesson, Stop, families, never
from perfcast.workloads import Rows

OVERTIME = 1.05
"""Share of the time limit at which final fits end with what they have; drafting follows."""
CUT_SHORT = "the time limit cut its final fit short; a longer one makes a better version"


@dataclass(frozen=True)
class Training:
    """What a training run made.

    Attributes:
        drafts: The best version of each family and, where it gains, their mean; best tuning score first, but those
            that keep the trends that the workload declares before those that promise none.
        split: The parts they were made and judged with.
        refused: Families whose best model could not become a version, with the reason.
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
        threads: Most threads to use; all that this process may use by default.
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
    split = dataset.split(split_seed)
    found = search(
        split,
        dataset.workload,
        chosen,
        budget,
        seed=seed,
        threads=threads or available_threads(),
        study_storage=study_storage,
        study_name=study_name,
        on_trial=on_trial,
        stop=stop,
    )
    deadline = float("inf") if budget.timeout is None else begun + OVERTIME * budget.timeout
    models = fit_best(split, chosen, found, mixing=mixing, deadline=deadline, stop=stop)
    drafts, refused = _drafts(dataset, split, models, found.summary, stop)
    left_out = set(found.best_of_each_family) - {model.family for model in models}
    refused |= dict.fromkeys(sorted(left_out), "the time limit left no time for its final fit")
    return Training(drafts, split, refused, round(time.monotonic() - begun, 2))


def fit_best(
    split: Split,
    chosen: Mapping[str, Family],
    found: Search,
    *,
    mixing: bool = True,
    deadline: float = float("inf"),
    stop: Stop = never,
) -> list[Trained]:
    """Fit each family's best settings on all training rows.

    Args:
        split: Its training part is used.
        chosen: The families that were searched.
        found: What the search found.
        mixing: Whether to add their weighted mean where it gains.
        deadline: `time.monotonic()` at which a fit ends with what it has, which its notes then say.
        stop: Asked often.

    Returns:
        Best tuning score first; without families that the deadline left no time for.

    Raises:
        Stopped: It was asked to.
    """
    inner = found.inner.lesson
    lesson = full_lesson(split, found.inner.workload, seed=inner.seed, threads=inner.threads)
    models: dict[str, Trained] = {}
    # The quick ones first, so that none of them is left out; the best gets the time it needs: there must be one.
    for name, candidate in sorted(found.best_of_each_family.items(), key=lambda item: item[1].seconds):
        limit = float("inf") if candidate is found.best else deadline
        if time.monotonic() < limit:
            model = _fit(chosen[name], lesson, candidate, found, deadline=limit, stop=stop)
            models |= {name: model} if model else {}
    members = _members(models)
    mixture = mix(found.inner, _held_predictions(chosen, found, members, stop)) if mixing else None
    if mixture is not None:
        models[ENSEMBLE] = _mixed(models, mixture)
    return sorted(models.values(), key=_rank)


def _rank(model: Trained) -> tuple[bool, float]:
    return model.keeps_trends is False, float("inf") if model.score is None else model.score


def _members(models: Mapping[str, Trained]) -> list[str]:
    """Those to mix: where trends are declared, only models that keep them, so that the mean keeps them too."""
    keepers = [name for name, model in models.items() if model.keeps_trends]
    return keepers or list(models)


def _fit(
    family: Family, lesson: Lesson, candidate: Candidate, found: Search, *, deadline: float, stop: Stop
) -> Trained | None:
    def late() -> bool:
        return stop() or time.monotonic() > deadline

    begun = time.monotonic()
    try:
        fitted = family.fit(lesson, candidate.settings, stop=late)
    except Stopped:
        if stop():
            raise
        return None
    if stop():
        raise Stopped("training was stopped")
    ended = time.monotonic()
    notes = (CUT_SHORT,) if ended > deadline else ()
    return Trained(
        found.inner.workload,
        family.name,
        fitted,
        candidate.settings,
        score=candidate.score,
        seconds=ended - begun,
        keeps_trends=family.keeps_trends(candidate.settings) if any(lesson.trends) else None,
        notes=notes,
    )


def available_threads() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
