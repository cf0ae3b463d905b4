"""The fits that are kept: each family's best settings, learnt from all training rows, by each of its members."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from perfcast.errors import Stopped
from perfcast.training._clock import FINAL_FIT
from perfcast.training._draft import Trained
from perfcast.training.families import Family, Stop
from perfcast.training.fits import Executor, FitResult, FitTask
from perfcast.training.search import Search

CUT_SHORT = "the time limit cut its final fit short; a longer one makes a better version"
_LOOK_SECONDS = 0.2


def final_fits(
    chosen: Mapping[str, Family], found: Search, executor: Executor, *, deadline: float, stop: Stop
) -> dict[str, Trained]:
    """Each family's, of as many members as there is time for.

    The best family's first member gets the time it needs, whatever the deadline, because there must be one.
    """
    waiting = _planned(chosen, found, several=executor.slots > 1)
    running: dict[int, _Planned] = {}
    made: dict[str, dict[int, FitResult]] = {}
    while waiting or running:
        if stop():
            raise Stopped("training was stopped")
        while waiting and len(running) < executor.slots:
            plan = waiting.pop(0)
            trial = plan.trial
            needed = trial is found.best and not plan.member
            seconds = float("inf") if needed else deadline - time.monotonic()
            if seconds > (FINAL_FIT * trial.seconds if plan.member else 0):
                running[plan.key] = plan
                executor.submit(plan.task(chosen[trial.family], seconds))
        for result in executor.wait(_LOOK_SECONDS) if running else ():
            plan = running.pop(result.key)
            if result.fitted is not None:
                made.setdefault(plan.trial.family, {})[plan.member] = result
    return {
        name: _trained(chosen[name], found, [results[at] for at in sorted(results)]) for name, results in made.items()
    }


@dataclass(frozen=True)
class _Planned:
    """A final fit to be made: its number, the trial whose settings it has, which member it will be."""

    key: int
    trial: FitResult
    member: int

    def task(self, family: Family, seconds: float) -> FitTask:
        return FitTask(self.key, family, self.trial.settings, seconds, final=True, member=self.member)


def _planned(chosen: Mapping[str, Family], found: Search, *, several: bool) -> list[_Planned]:
    """Every family's first member, then the others, the best family's first.

    Where fits take turns the quick ones come first, so that none is left out; side by side, the longest do.
    """
    best = list(found.best_of_each_family.values())
    first = [(trial, 0) for trial in sorted(best, key=lambda trial: trial.seconds, reverse=several)]
    others = [(trial, member) for trial in best for member in range(1, chosen[trial.family].members)]
    return [_Planned(key, trial, member) for key, (trial, member) in enumerate([*first, *others])]


def _trained(family: Family, found: Search, results: Sequence[FitResult]) -> Trained:
    trial = found.best_of_each_family[family.name]
    fewer = f"{len(results)} of its {family.members} members were fitted; a longer time limit makes a better version"
    noted = {CUT_SHORT: any(result.late for result in results), fewer: len(results) < family.members}
    return Trained(
        found.inner.path,
        family.name,
        family.join([result.fitted for result in results if result.fitted is not None]),
        found.inner.target,
        trial.settings,
        score=trial.score,
        seconds=sum(result.seconds for result in results),
        keeps_trends=family.keeps_trends(trial.settings) if any(found.inner.lesson.trends) else None,
        notes=tuple(note for note, true in noted.items() if true),
    )
