"""One search across families and their settings, within a budget."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from perfcast.datasets import Split
from perfcast.errors import Refused, Stopped
from perfcast.training._clock import Budget, Clock
from perfcast.training.families import Family, Settings, Stop, never
from perfcast.training.fits import Executor, FitResult, FitTask, Here, Inner, inner_validation
from perfcast.training.search._history import history, importances
from perfcast.training.search._proposal import (
    FAMILY,
    Proposal,
    Start,
    completed,
    limits,
    propose,
    reach_back,
    starts,
    usable,
)
from perfcast.training.search._study import begin, end, finished_trials, open_study, quiet_optuna
from perfcast.workloads import Rows, Workload

if TYPE_CHECKING:
    import optuna

LEAST_SECONDS = 1.0
"""With less time left, no further trial begins."""
MOST_LOSSES = 3
"""How often a trial whose process is killed is begun before it has failed."""
_LOOK_SECONDS = 0.2
TrialState: TypeAlias = Literal["running", "complete", "pruned", "failed"]


@dataclass(frozen=True)
class TrialReport:
    """What a search tells of its progress, when a trial begins and when it ends.

    Attributes:
        trial: Its number, from 1.
        of: Most trials there can be.
        family: Which family it tries.
        state: `running` when it begins.
        score: Its tuning score; None unless it completed.
        seconds: How long its fit took; None when it begins.
        finished: How many trials have ended.
        best_score, best_family: Of all trials so far.
        seconds_left: Until the search ends at the latest; None without a limit.
    """

    trial: int
    of: int
    family: str
    state: TrialState
    score: float | None
    best_score: float | None
    best_family: str | None
    seconds_left: float | None
    seconds: float | None = None
    finished: int = 0


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
    executor: Executor | None = None,
    inner: Inner | None = None,
    warm_start: Sequence[Start] = (),
    pruning: bool = True,
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
        seed: Of everything random; without a timeout, the same seed on as many slots gives the same trials.
        threads: Most threads to use, where no executor is given.
        executor: Where trials run; one after another in this process by default.
        inner: What the executor's fits learn; made from the split by default.
        warm_start: Settings known from earlier, tried first; they take the place of their families' starts, except
            those of which the family's space reaches none.
        pruning: Whether trials that lag behind their family's are given up (docs/tuning.md says what it was measured
            to bring).
        study_storage: SQLAlchemy address or path of a journal file, to continue after a kill; None for memory.
        study_name: A kept study of this name is continued; its finished trials are not repeated.
        on_trial: Told when a trial begins and ends.
        stop: Asked between trials and inside fits.

    Raises:
        Stopped: It was asked to.
        Refused: No family could be fitted.
        Unavailable: Where the trials run can't be reached any more.
    """
    inner = inner or inner_validation(split, workload, seed=seed, threads=threads)
    with quiet_optuna(), ExitStack() as owned:
        if executor is None:
            executor = owned.enter_context(Here(inner, threads=threads, stop=stop))
        study = open_study(study_storage, study_name)
        clock = Clock(budget, slots=max(1, executor.slots), rows=len(inner.lesson.target))
        known = usable(families, inner.lesson, warm_start)
        first = starts(families, inner.lesson, known)
        run = _Run(study, families, first, len(known), inner, executor, clock, seed, pruning, on_trial, stop)
        run.restore()
        run.go()
        return run.result()


@dataclass
class _Running:
    """A trial under way."""

    trial: "optuna.Trial"
    task: FitTask
    losses: int = 0


@dataclass
class _Run:
    """A search on its way."""

    study: "optuna.Study"
    families: Mapping[str, Family]
    starts: Sequence[Start]
    warm: int
    inner: Inner
    executor: Executor
    clock: Clock
    seed: int
    pruning: bool
    on_trial: Callable[[TrialReport], None] | None
    stop: Stop
    best: dict[str, Candidate] = field(default_factory=dict)
    finished: "dict[int, optuna.trial.FrozenTrial]" = field(default_factory=dict)
    running: dict[int, _Running] = field(default_factory=dict)
    last_error: str = ""

    def restore(self) -> None:
        """Take in what earlier runs of this study finished."""
        self.finished = finished_trials(self.study)
        for index, trial in self.finished.items():
            kept, family = trial.user_attrs.get("settings"), str(trial.params.get(FAMILY))
            if completed(trial) and trial.value is not None and kept is not None and family in self.families:
                seconds = float(trial.user_attrs["seconds"])
                self._keep(Candidate(family, kept, trial.value, index + 1, seconds))

    def go(self) -> None:
        """Keep all slots busy until the budget is spent.

        Raises:
            Stopped: It was asked to.
        """
        while True:
            while self._may_begin():
                self._begin()
            if not self.running:
                return
            for result in self.executor.wait(_LOOK_SECONDS):
                self._end(result)

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

    def _may_begin(self) -> bool:
        if self.stop():
            raise Stopped("the search was stopped")
        begun = len(self.finished) + len(self.running)
        if begun >= self.clock.budget.trials or len(self.running) >= self.executor.slots:
            return False
        if self.clock.budget.timeout is None:
            return self._known(self._next()) is not None
        starts_wait = begun < len(self.starts) and self.clock.early()
        nothing_yet = not self.best and not self.running
        return nothing_yet or starts_wait or self.clock.left() > LEAST_SECONDS

    def _next(self) -> int:
        """The least number that no trial has."""
        index = 0
        while index in self.finished or index in self.running:
            index += 1
        return index

    def _known(self, index: int) -> "list[optuna.trial.FrozenTrial] | None":
        """Trials that this one may be decided by; None where a repeatable search must wait for one of them.

        Against the clock all that have ended count, because how many there are depends on the machine anyway.
        """
        if self.clock.budget.timeout is not None:
            return list(self.finished.values())
        visible = range(index - reach_back(self.clock.slots) + 1)
        return None if any(at not in self.finished for at in visible) else [self.finished[at] for at in visible]

    def _begin(self) -> None:
        """Propose, note, and have it fitted."""
        index = self._next()
        known = self._known(index) or []
        start = self.starts[index] if index < len(self.starts) else None
        proposal = propose(known, self.families, self.inner.lesson, seed=self.seed, index=index, start=start)
        trial, task = begin(self.study, index, proposal), self._task(index, proposal, known)
        self.running[index] = _Running(trial, task)
        self._tell(index, proposal.family, "running", None)
        self.executor.submit(task)

    def _task(self, index: int, proposal: Proposal, known: "Sequence[optuna.trial.FrozenTrial]") -> FitTask:
        seconds = self.clock.trial_seconds(proposal.family, starts_left=max(0, len(self.starts) - 1 - index))
        hopeless = limits(known, proposal.family) if self.pruning else {}
        return FitTask(index, self.families[proposal.family], proposal.settings, seconds, limits=hopeless)

    def _end(self, result: FitResult) -> None:
        """Note what became of a trial; one whose process was killed is begun again."""
        run = self.running[result.key]
        if result.state == "lost" and run.losses + 1 < MOST_LOSSES:
            run.losses += 1
            self.executor.submit(run.task)
            return
        if result.state == "lost":
            result = replace(result, state="failed", error=f"{result.error}, {MOST_LOSSES} times")
        del self.running[result.key]
        family = run.task.family.name
        self.finished[result.key] = end(self.study, run.trial, result)
        self.last_error = result.error or self.last_error
        if result.score is not None:
            candidate = Candidate(family, result.settings, result.score, result.key + 1, result.seconds, result.held)
            self._keep(candidate)
        self._tell(result.key, family, _state(self.finished[result.key]), result)

    def _keep(self, candidate: Candidate) -> None:
        present = self.best.get(candidate.family)
        better = present is None or (candidate.score, candidate.trial) < (present.score, present.trial)
        if better:
            self.best[candidate.family] = candidate
            self.clock.took[candidate.family] = candidate.seconds

    def _tell(self, index: int, family: str, state: TrialState, result: FitResult | None) -> None:
        if self.on_trial is None:
            return
        best = min(self.best.values(), key=lambda candidate: candidate.score, default=None)
        left = None if self.clock.budget.timeout is None else max(0.0, self.clock.left())
        report = TrialReport(
            trial=index + 1,
            of=self.clock.budget.trials,
            family=family,
            state=state,
            score=result.score if result else None,
            best_score=best.score if best else None,
            best_family=best.family if best else None,
            seconds_left=left,
            seconds=round(result.seconds, 3) if result else None,
            finished=len(self.finished),
        )
        self.on_trial(report)

    def _summary(self) -> dict[str, Any]:
        ended = list(self.finished.values())
        states = [_state(trial) for trial in ended]
        return {
            "trials": len(states),
            **{state: states.count(state) for state in ("complete", "pruned", "failed")},
            "seconds": round(self.clock.seconds, 2),
            "slots": self.clock.slots,
            "seed": self.seed,
            "metric": "mape" if self.inner.workload.cost.relative else "mae",
            "scores": {name: candidate.score for name, candidate in sorted(self.best.items())},
            "warm_starts": self.warm,
            "left_out": self._left_out(),
            "history": history(self.finished),
            "importance": importances(ended),
        }

    def _left_out(self) -> dict[str, str]:
        """Families that have no candidate, and why."""
        errors = {str(t.params.get(FAMILY)): t.user_attrs.get("error", "given up") for t in self.finished.values()}
        lacked = "trial was left for it" if len(self.finished) >= self.clock.budget.trials else "time was left for it"
        missing = [name for name in self.families if name not in self.best]
        return {
            name: f"no trial completed ({errors[name]})" if name in errors else f"not tried: no {lacked}"
            for name in missing
        }


def _state(trial: "optuna.trial.FrozenTrial") -> TrialState:
    states: dict[str, TrialState] = {"COMPLETE": "complete", "PRUNED": "pruned"}
    return states.get(trial.state.name, "failed")
