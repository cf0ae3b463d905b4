"""One fit, wherever it runs: what must be sent there, and what comes back."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from perfcast.errors import Stopped
from perfcast.training.families import Family, Fitted, Settings, Stop, never
from perfcast.training.fits._inner import Inner, Learnt
from perfcast.workloads import Rows

State: TypeAlias = Literal["complete", "pruned", "failed"]


@dataclass(frozen=True)
class FitTask:
    """A fit to be made; pickles.

    Attributes:
        key: The caller's name for it, unique among those under way.
        family: Which learns.
        settings: How.
        seconds: After so many it ends with what it has.
        learnt: Which rows it learns from. Of the lesson alone it is a trial, scored on the validation rows; else it
            is final, to be kept.
        limits: For a trial, by progress: the error above which it is given up.
        member: Which of the family's fits that make one final model, from 0; each has a seed of its own.
        losses: How often it was begun by a process that was killed.
    """

    key: int
    family: Family
    settings: Settings
    seconds: float = float("inf")
    learnt: Learnt = "lesson"
    limits: Mapping[int, float] = field(default_factory=dict)
    member: int = 0
    losses: int = 0

    @property
    def final(self) -> bool:
        """Whether its model is to be kept."""
        return self.learnt != "lesson"


@dataclass(frozen=True)
class FitResult:
    """What became of a task; pickles.

    Attributes:
        key: The task's.
        family: Which family was fitted.
        state: How it ended.
        seconds: How long the fit took.
        score: A completed trial's tuning score, less is better.
        settings: For the final fit, with the rounds that were found.
        held: A completed trial's predictions on the validation rows, in target space; not where an earlier run made it.
        curve: What the fit reported: progress and error.
        fitted: A final fit's model.
        late: Whether a final fit ended because its time was up.
        error: Why it failed.
    """

    key: int
    family: str
    state: State
    seconds: float = 0.0
    score: float = float("inf")
    settings: Settings = field(default_factory=dict)
    held: Rows | None = None
    curve: tuple[tuple[int, float], ...] = ()
    fitted: Fitted | None = None
    late: bool = False
    error: str = ""


def failed(task: FitTask, why: str) -> FitResult:
    """What became of a task that has failed."""
    return FitResult(task.key, task.family.name, "failed", error=f"{task.family.name}: {why}")


def fit(inner: Inner, task: FitTask, *, threads: int, stop: Stop = never) -> FitResult:
    """Make one fit here and now; whatever is wrong with it, the search goes on.

    Raises:
        Stopped: `stop` was true, which is asked inside the fit.
    """
    begun = time.monotonic()
    watch = _Watch(task.limits)

    def late() -> bool:
        return time.monotonic() - begun > task.seconds or stop()

    seed = _seed(inner.lesson.seed, task.member)
    lesson = replace(inner.lesson_of(task.learnt), seed=seed, threads=threads, seconds=task.seconds)
    try:
        fitted = task.family.fit(lesson, task.settings, stop=late, report=None if task.final else watch.report)
        result = _result(inner, task, fitted)
    except _HopelessError:
        result = FitResult(task.key, task.family.name, "pruned")
    except (ValueError, ArithmeticError, RuntimeError, MemoryError, Stopped) as error:
        result = failed(task, str(error))
    except Exception as error:  # noqa: BLE001 - a family may raise anything
        result = failed(task, f"{type(error).__name__}: {error}")
    if stop():
        raise Stopped("the fit was stopped")
    seconds = time.monotonic() - begun
    return replace(result, seconds=seconds, curve=tuple(watch.curve), late=task.final and seconds > task.seconds)


def _seed(seed: int, member: int) -> int:
    return int(np.random.SeedSequence([seed, member]).generate_state(1)[0]) if member else seed


def _result(inner: Inner, task: FitTask, fitted: Fitted) -> FitResult:
    done = FitResult(task.key, task.family.name, "complete", settings=dict(fitted.settings))
    held = fitted.predict(inner.held_inputs[:1] if task.final else inner.held_inputs)
    if task.final:
        return replace(done, fitted=fitted)
    score = inner.score(held)
    if not np.isfinite(score):
        raise ArithmeticError("its predictions are not all finite")
    return replace(done, score=score, held=held)


class _HopelessError(Exception):
    """A trial is given up."""


class _Watch:
    """Collects what a fit reports, and gives it up when its best error so far is above the limit at its progress."""

    def __init__(self, limits: Mapping[int, float]) -> None:
        self._limits = limits
        self.curve: list[tuple[int, float]] = []

    def report(self, step: int, error: float) -> None:
        self.curve.append((step, float(error)))
        reached = max((known for known in self._limits if known <= step), default=None)
        if reached is not None and min(error for _, error in self.curve) > self._limits[reached]:
            raise _HopelessError
