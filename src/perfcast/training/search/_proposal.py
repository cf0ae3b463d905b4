"""What a trial shall try: a start, or what Optuna's sampler makes of the trials known so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from perfcast.training.families import Family, Lesson, Settings

if TYPE_CHECKING:
    import optuna

FAMILY = "family"
RANDOM_TRIALS = 4
"""Finished trials before the sampler models the space: the families' starts, which are known to be good."""
LAG = 3
"""For each further trial at a time: by how many trials a proposal of a repeatable search looks further back."""
TRIALS_TO_COMPARE = 5
"""Finished trials of a family before one of its trials can be given up."""
WARM_UP = 0.5
"""Share of the progress at which a family's trials usually end, before which none is given up: early errors tell which
settings learn quickly, not which learn well."""
GIVEN_UP_ABOVE = 0.5
"""A trial is given up when its best error so far is above this quantile of its family's, at the same progress."""
Start: TypeAlias = tuple[str, Settings]


@dataclass(frozen=True)
class Proposal:
    """What to try: a family, its settings, and both as parameters of an Optuna trial."""

    family: str
    settings: Settings
    params: Mapping[str, Any]
    distributions: "Mapping[str, optuna.distributions.BaseDistribution]"


def usable(families: Mapping[str, Family], lesson: Lesson, warm: Sequence[Start]) -> list[Start]:
    """Of settings known from earlier those that the families' spaces reach; an imported model's have other names."""
    reached = [(name, _reached(families[name], lesson, settings)) for name, settings in warm if name in families]
    return [(name, settings) for name, settings in reached if settings]


def starts(families: Mapping[str, Family], lesson: Lesson, known: Sequence[Start], *, most: int) -> list[Start]:
    """What to try first: known settings, completed by their family's start, then each other family's start.

    Plain settings come before all of them, unless there would be more than `most`.
    """
    first: list[Start] = [(name, {**families[name].start(lesson), **settings}) for name, settings in known]
    named = {name for name, _ in known}
    first += [(name, family.start(lesson)) for name, family in families.items() if name not in named]
    plain = [(name, settings) for name, family in families.items() for settings in family.plain(lesson)]
    return plain + first if len(plain) + len(first) <= most else first


def reach_back(slots: int) -> int:
    """How many trials before it a trial of a repeatable search doesn't know of, itself included.

    Trials that run at the same time end in any order. A proposal made from exactly those so far back doesn't depend on
    it, and a process need not wait unless one trial takes longer than several others.
    """
    return 1 + LAG * (slots - 1)


def propose(
    known: "Sequence[optuna.trial.FrozenTrial]",
    families: Mapping[str, Family],
    lesson: Lesson,
    *,
    seed: int,
    index: int,
    start: Start | None,
) -> Proposal:
    """Decide by seed, index and known trials alone, so that a continued search goes on as if nothing had happened.

    `known` are the finished trials that the sampler may learn from, `index` is the trial's number, from 0. Settings
    that are not in `start` are left to the sampler.
    """
    import optuna

    drawn = int(np.random.SeedSequence([seed, index]).generate_state(1)[0])
    sampler = optuna.samplers.TPESampler(seed=drawn, multivariate=True, group=True, n_startup_trials=RANDOM_TRIALS)
    sketch = optuna.create_study(direction="minimize", sampler=sampler)
    sketch.add_trials(known)
    if start is not None:
        name, settings = start
        reached = _reached(families[name], lesson, settings)
        sketch.enqueue_trial({FAMILY: name} | {f"{name}.{setting}": value for setting, value in reached.items()})
    trial = sketch.ask()
    family = str(trial.suggest_categorical(FAMILY, list(families)))
    settings = families[family].space(trial, lesson)
    return Proposal(family, settings, dict(trial.params), dict(trial.distributions))


def limits(known: "Sequence[optuna.trial.FrozenTrial]", family: str) -> dict[int, float]:
    """By progress, after the warm-up: the median of the family's completed trials' best errors until then."""
    curves = [t.intermediate_values for t in known if t.params.get(FAMILY) == family and completed(t)]
    curves = [curve for curve in curves if curve]
    if len(curves) < TRIALS_TO_COMPARE:
        return {}
    warm = WARM_UP * float(np.median([max(curve) for curve in curves]))
    found = {}
    for step in sorted({step for curve in curves for step in curve if step >= warm}):
        reached = [min(values) for curve in curves if (values := [error for at, error in curve.items() if at <= step])]
        if len(reached) >= TRIALS_TO_COMPARE:
            found[step] = float(np.quantile(reached, GIVEN_UP_ABOVE))
    return found


def completed(trial: "optuna.trial.FrozenTrial") -> bool:
    """Whether its value is a score; a pruned trial's is the error it had reached."""
    return trial.state.name == "COMPLETE"


def _reached(family: Family, lesson: Lesson, settings: Settings) -> Settings:
    """Those settings that the family's space has and reaches."""
    import optuna

    probe = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    family.space(probe, lesson)
    names = {name.removeprefix(f"{family.name}."): distribution for name, distribution in probe.distributions.items()}
    return {name: settings[name] for name, kind in names.items() if _contains(kind, settings.get(name))}


def _contains(distribution: "optuna.distributions.BaseDistribution", value: Any) -> bool:
    try:
        return value is not None and bool(distribution._contains(distribution.to_internal_repr(value)))  # noqa: SLF001
    except ValueError:
        return False
