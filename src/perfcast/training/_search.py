"""One search across families and their settings, within a budget."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from perfcast.datasets import Split
from perfcast.errors import Refused, Stopped
from perfcast.training._clock import Budget, Clock
from perfcast.training._inner import Inner, inner_validation
from perfcast.training._study import FAMILY, ask, finished_trials, open_study, parameters, quiet_optuna
from perfcast.training.families import Family, Fitted, Settings, Stop, never
from perfcast.workloads import Rows, Workload

if TYPE_CHECKING:
    import optuna

LEAST_SECONDS = 1.0
"""With less time left, no further trial begins."""


@dataclass(frozen=True)
class TrialReport:
    """What a search tells of its progress, when a trial begins and when it ends.

    Attributes:
        trial: Its number, from 1.
        of: Most trials there can be.
        family: Which family it tries.
        state: `running` when it begins.
        score: Its tuning score; None unless it completed.
        best_score, best_family: Of all trials so far.
        seconds_left: Until the search ends at the latest; None without a limit.
    """

    trial: int
    of: int
    family: str
    state: Literal["running", "complete", "pruned", "failed"]
    score: float | None
    best_score: float | None
    best_family: str | None
    seconds_left: float | None


@dataclass(frozen=True)
class Candidate:
    """A family's best trial.

    Attributes:
        family: Which family.
        settings: For the final fit, with the rounds that were found.
        score: Tuning score: percent (MAPE) where errors are relative, else in the cost's unit (MAE).
        trial: The trial's number, from 1.
        seconds: How long its fit took.
        held: Its predictions on the inner validation rows, in target space; None where an earlier run made it.
    """

    family: str
    settings: Settings
    score: float
    trial: int
    seconds: float
    held: Rows | None = None


@dataclass(frozen=True)
class Search:
    """What a search found; `summary` is plain data for the manifest."""

    best: Candidate
    best_of_each_family: Mapping[str, Candidate]
    inner: Inner
    summary: Mapping[str, Any]


def search(
    split: Split,
    workload: Workload,
    families: Mapping[str, Family],
    budget: Budget,
    *,
    seed: int = 0,
    threads: int = 1,
    study_storage: str | Path | None = None,
    study_name: str | None = None,
    on_trial: Callable[[TrialReport], None] | None = None,
    stop: Stop = never,
) -> Search:
    """Try the families' starts, then whatever the sampler proposes, until the budget is spent.

    Args:
        split: Only its training part is used.
        workload: What is predicted.
        families: Which to try, by name.
        budget: Trials and seconds; the seconds include the final fits that follow.
        seed: Of everything random; without a timeout, the same seed gives the same trials.
        threads: Most threads to use.
        study_storage: SQLAlchemy address or path of a journal file, to continue after a kill; None for memory.
        study_name: A kept study of this name is continued; its finished trials are not repeated.
        on_trial: Told when a trial begins and ends.
        stop: Asked between trials and inside fits.

    Raises:
        Stopped: It was asked to.
        Refused: No family could be fitted.
    """
    with quiet_optuna():
        inner = inner_validation(split, workload, seed=seed, threads=threads)
        study = open_study(study_storage, study_name)
        run = _Run(study, families, inner, Clock(budget), seed, on_trial, stop)
        run.restore()
        while run.goes_on():
            run.next_trial()
        return run.result()


@dataclass
class _Run:
    """A search on its way."""

    study: "optuna.Study"
    families: Mapping[str, Family]
    inner: Inner
    clock: Clock
    seed: int
    on_trial: Callable[[TrialReport], None] | None
    stop: Stop
    best: dict[str, Candidate] = field(default_factory=dict)
    states: list[str] = field(default_factory=list)
    last_error: str = ""

    def restore(self) -> None:
        """Take in what earlier runs of this study finished."""
        for trial in finished_trials(self.study):
            self.states.append({"FAIL": "failed"}.get(trial.state.name, trial.state.name.lower()))
            kept = trial.user_attrs.get("settings")
            if trial.value is not None and kept is not None and trial.params[FAMILY] in self.families:
                family, seconds = trial.params[FAMILY], float(trial.user_attrs["seconds"])
                self._keep(Candidate(family, kept, trial.value, len(self.states), seconds))

    def goes_on(self) -> bool:
        """Whether a further trial may begin."""
        if self.stop():
            raise Stopped("the search was stopped")
        if len(self.states) >= self.clock.budget.trials:
            return False
        starts_wait = len(self.states) < len(self.families) and self.clock.early()
        return not self.best or starts_wait or self.clock.left() > LEAST_SECONDS

    def next_trial(self) -> None:
        """Ask, fit, score, tell."""
        import optuna

        names, index = list(self.families), len(self.states)
        start = None
        if index < len(names):
            start = parameters(names[index], self.families[names[index]].start(self.inner.lesson))
        trial = ask(self.study, self.seed, index, start)
        family = str(trial.suggest_categorical(FAMILY, names))
        settings = self.families[family].space(trial)
        self._tell(family, "running", None)
        deadline = self.clock.trial_deadline(family, starts_left=max(0, len(names) - 1 - index))
        begun = time.monotonic()
        try:
            fitted = self._fit(trial, family, settings, deadline)
            score = self._score(trial, family, fitted, time.monotonic() - begun)
        except optuna.TrialPruned:
            self._end(trial, optuna.trial.TrialState.PRUNED, family, "pruned")
        except (ValueError, ArithmeticError, RuntimeError, Stopped) as error:
            if self.stop():
                raise Stopped("the search was stopped") from None
            self.last_error = f"{family}: {error}"
            self._end(trial, optuna.trial.TrialState.FAIL, family, "failed")
        else:
            self.study.tell(trial, score)
            self.states.append("complete")
            self._tell(family, "complete", score)

    def result(self) -> Search:
        """The best of each family.

        Raises:
            Refused: There is none.
        """
        if not self.best:
            raise Refused(
                f"no family could be fitted; the last error was {self.last_error or 'none: no trial was run'}"
            )
        ordered = dict(sorted(self.best.items(), key=lambda item: item[1].score))
        return Search(next(iter(ordered.values())), ordered, self.inner, self._summary())

    def _fit(self, trial: "optuna.Trial", family: str, settings: Settings, deadline: float) -> Fitted:
        import optuna

        def report(step: int, error: float) -> None:
            trial.report(error, step)
            if trial.should_prune():
                raise optuna.TrialPruned

        def late() -> bool:
            return time.monotonic() > deadline or self.stop()

        fitted = self.families[family].fit(self.inner.lesson, settings, stop=late, report=report)
        if self.stop():
            raise Stopped("the search was stopped")
        return fitted

    def _score(self, trial: "optuna.Trial", family: str, fitted: Fitted, seconds: float) -> float:
        held = fitted.predict(self.inner.held_inputs)
        score = self.inner.score(held)
        if not np.isfinite(score):
            raise ArithmeticError("its predictions are not all finite")
        trial.set_user_attr("settings", dict(fitted.final_settings()))
        trial.set_user_attr("seconds", seconds)
        self._keep(Candidate(family, fitted.final_settings(), score, len(self.states) + 1, seconds, held))
        return score

    def _keep(self, candidate: Candidate) -> None:
        present = self.best.get(candidate.family)
        if present is None or candidate.score < present.score:
            self.best[candidate.family] = candidate
            self.clock.took[candidate.family] = candidate.seconds

    def _end(self, trial: "optuna.Trial", state: Any, family: str, name: Literal["pruned", "failed"]) -> None:
        self.study.tell(trial, state=state)
        self.states.append(name)
        self._tell(family, name, None)

    def _tell(
        self, family: str, state: Literal["running", "complete", "pruned", "failed"], score: float | None
    ) -> None:
        if self.on_trial is None:
            return
        best = min(self.best.values(), key=lambda candidate: candidate.score, default=None)
        number = len(self.states) + (state == "running")
        left = None if self.clock.budget.timeout is None else max(0.0, self.clock.left())
        self.on_trial(
            TrialReport(
                trial=number,
                of=self.clock.budget.trials,
                family=family,
                state=state,
                score=score,
                best_score=best.score if best else None,
                best_family=best.family if best else None,
                seconds_left=left,
            )
        )

    def _summary(self) -> dict[str, Any]:
        return {
            "trials": len(self.states),
            **{state: self.states.count(state) for state in ("complete", "pruned", "failed")},
            "seconds": round(self.clock.seconds, 2),
            "seed": self.seed,
            "metric": "mape" if self.inner.workload.cost.relative else "mae",
            "scores": {name: candidate.score for name, candidate in sorted(self.best.items())},
        }
