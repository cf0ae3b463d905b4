"""The final fits: each family's best settings on all training rows, and what a later search may begin with."""

import time
from collections.abc import Mapping

from perfcast.errors import Stopped
from perfcast.manifest import Manifest
from perfcast.training._draft import Trained
from perfcast.training._ensemble import ENSEMBLE
from perfcast.training.families import Family, Fitted, Stop
from perfcast.training.fits import Executor, FitResult, FitTask
from perfcast.training.search import Search, Start

CUT_SHORT = "the time limit cut its final fit short; a longer one makes a better version"
_LOOK_SECONDS = 0.2


def final_fits(
    chosen: Mapping[str, Family], found: Search, executor: Executor, *, deadline: float, stop: Stop
) -> dict[str, Trained]:
    """Fit each family's best settings on all training rows.

    At the deadline (`time.monotonic()`) a fit ends with what it has, which its notes then say, and families that have
    no time left are missing; the best family's gets the time it needs, because there must be one.

    Raises:
        Stopped: It was asked to.
        Unavailable: Where they run can't be reached any more.
    """
    # Where fits take turns the quick ones come first, so that none is left out; side by side, the longest do.
    waiting = sorted(found.best_of_each_family.values(), key=lambda trial: trial.seconds, reverse=executor.slots > 1)
    running: dict[int, FitResult] = {}
    models: dict[str, Trained] = {}
    while waiting or running:
        if stop():
            raise Stopped("training was stopped")
        while waiting and len(running) < executor.slots:
            trial = waiting.pop(0)
            seconds = float("inf") if trial is found.best else deadline - time.monotonic()
            if seconds > 0:
                running[trial.key] = trial
                executor.submit(FitTask(trial.key, chosen[trial.family], trial.settings, seconds, final=True))
        for result in executor.wait(_LOOK_SECONDS) if running else ():
            trial = running.pop(result.key)
            if result.fitted is not None:
                models[trial.family] = _trained(chosen[trial.family], trial, found, result, result.fitted)
    return models


def _trained(family: Family, trial: FitResult, found: Search, result: FitResult, fitted: Fitted) -> Trained:
    return Trained(
        found.inner.workload,
        family.name,
        fitted,
        found.inner.target,
        trial.settings,
        score=trial.score,
        seconds=result.seconds,
        keeps_trends=family.keeps_trends(trial.settings) if any(found.inner.lesson.trends) else None,
        notes=(CUT_SHORT,) if result.late else (),
    )


def warm_start(manifest: Manifest) -> tuple[Start, ...]:
    """The settings of a version, each family's of a mean, for a later search to begin with."""
    if manifest.type != ENSEMBLE:
        return ((manifest.type, manifest.settings),)
    members = manifest.settings.get("weights", {})
    return tuple((name, manifest.settings[name]) for name in members if name in manifest.settings)
