"""The fits that are kept: each family's best settings, by each of its members, learnt twice.

First from the training rows, so that the calibrating rows show how wide intervals must be; then, where there is time,
from both. That model answers; its errors are less, so intervals sized by the first hold at least what they promise.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from perfcast.errors import Stopped
from perfcast.training._clock import FINAL_FIT, SECOND_FIT
from perfcast.training._draft import Trained
from perfcast.training.families import Family, Fitted, Stop
from perfcast.training.fits import Executor, FitResult, FitTask, Learnt
from perfcast.training.search import Search

CUT_SHORT = "the time limit cut its final fit short; a longer one makes a better version"
QUICK_MEMBERS = 2
"""So many members, at most, has what is to be quick."""
_LOOK_SECONDS = 0.2


def final_fits(
    chosen: Mapping[str, Family], found: Search, executor: Executor, *, deadline: float, stop: Stop, quick: bool = False
) -> dict[str, Trained]:
    """Each family's, of as many members as there is time for, learnt from the training rows.

    The best family's first member gets the time it needs, whatever the deadline, because there must be one.
    """
    most = QUICK_MEMBERS if quick else max(family.members for family in chosen.values())
    plans = _planned(chosen, found, most, several=executor.slots > 1)
    made = _made(plans, chosen, executor, found.best, deadline, stop)
    return {name: _trained(chosen[name], found, results) for name, results in made.items()}


def second_fits(
    models: Collection[Trained],
    chosen: Mapping[str, Family],
    found: Search,
    executor: Executor,
    *,
    deadline: float,
    stop: Stop,
) -> dict[str, Trained]:
    """Those of the models that there is time to fit again, from the calibrating rows too; the best ones first."""
    left, plans = deadline - time.monotonic(), list[_Planned]()
    for model in sorted(models, key=lambda model: float("inf") if model.score is None else model.score):
        trial, members = found.best_of_each_family[model.family], chosen[model.family].members
        seconds = SECOND_FIT * trial.seconds * max(1, members / executor.slots)
        if seconds < left:
            left -= seconds
            plans += [_Planned(len(plans) + member, trial, member, "all") for member in range(members)]
    made = _made(plans, chosen, executor, None, deadline, stop)
    whole = {
        name: _joined(chosen[name], results)
        for name, results in made.items()
        if len(results) == chosen[name].members and not any(result.late for result in results)
    }
    return {
        model.family: replace(
            model,
            fitted=whole[model.family],
            first=model.fitted,
            seconds=model.seconds + sum(result.seconds for result in made[model.family]),
        )
        for model in models
        if model.family in whole
    }


@dataclass(frozen=True)
class _Planned:
    """A final fit to be made: its number, the trial whose settings it has, which member it will be, of which rows."""

    key: int
    trial: FitResult
    member: int
    learnt: Learnt = "training"

    def task(self, family: Family, seconds: float) -> FitTask:
        return FitTask(self.key, family, self.trial.settings, seconds, self.learnt, member=self.member)


def _planned(chosen: Mapping[str, Family], found: Search, most: int, *, several: bool) -> list[_Planned]:
    """Every family's first member, then the others up to so many, the best family's first.

    Where fits take turns the quick ones come first, so that none is left out; side by side, the longest do.
    """
    best = list(found.best_of_each_family.values())
    first = [(trial, 0) for trial in sorted(best, key=lambda trial: trial.seconds, reverse=several)]
    others = [(trial, member) for trial in best for member in range(1, min(most, chosen[trial.family].members))]
    return [_Planned(key, trial, member) for key, (trial, member) in enumerate([*first, *others])]


def _made(
    waiting: list[_Planned],
    chosen: Mapping[str, Family],
    executor: Executor,
    needed: FitResult | None,
    deadline: float,
    stop: Stop,
) -> dict[str, list[FitResult]]:
    """Each family's results, its members in order; the `needed` trial's first member is made in any case."""
    running: dict[int, _Planned] = {}
    made: dict[str, dict[int, FitResult]] = {}
    while waiting or running:
        if stop():
            raise Stopped("training was stopped")
        while waiting and len(running) < executor.slots:
            plan = waiting.pop(0)
            trial = plan.trial
            seconds = float("inf") if trial is needed and not plan.member else deadline - time.monotonic()
            if seconds > (FINAL_FIT * trial.seconds if plan.member else 0):
                running[plan.key] = plan
                executor.submit(plan.task(chosen[trial.family], seconds))
        for result in executor.wait(_LOOK_SECONDS) if running else ():
            plan = running.pop(result.key)
            if result.fitted is not None:
                made.setdefault(plan.trial.family, {})[plan.member] = result
    return {name: [results[at] for at in sorted(results)] for name, results in made.items()}


def _joined(family: Family, results: Sequence[FitResult]) -> Fitted:
    return family.join([result.fitted for result in results if result.fitted is not None])


def _trained(family: Family, found: Search, results: Sequence[FitResult]) -> Trained:
    trial = found.best_of_each_family[family.name]
    fewer = f"{len(results)} of its {family.members} members were fitted; a longer search makes a better version"
    noted = {CUT_SHORT: any(result.late for result in results), fewer: len(results) < family.members}
    return Trained(
        found.inner.path,
        family.name,
        _joined(family, results),
        found.inner.target,
        trial.settings,
        score=trial.score,
        seconds=sum(result.seconds for result in results),
        keeps_trends=family.keeps_trends(trial.settings) if any(found.inner.lesson.trends) else None,
        notes=tuple(note for note, true in noted.items() if true),
    )
