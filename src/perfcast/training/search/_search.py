"""One search across families and their settings, within a budget."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, Unpack

from perfcast.errors import Refused, Stopped
from perfcast.training._clock import Budget, Clock
from perfcast.training.families import Family, Stop, never
from perfcast.training.fits import Executor, FitResult, FitTask, Inner
from perfcast.training.search._history import history, importances, state_of
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

if TYPE_CHECKING:
    import optuna

LEAST_SECONDS = 1.0
"""With less time left, no further trial begins."""
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
class Search:
    """What a search found.

    Attributes:
        best_of_each_family: Each family's best trial, best first.
        inner: What they learnt, and were scored by.
        summary: Plain data for the manifest.
        plain: The best trial of plain settings, if there was one.
    """

    best_of_each_family: Mapping[str, FitResult]
    inner: Inner
    summary: Mapping[str, Any]
    plain: FitResult | None = None

    @property
    def best(self) -> FitResult:
        """The best of all."""
        return next(iter(self.best_of_each_family.values()))


class SearchOptions(TypedDict, total=False):
    """What a search may be told beside its budget.

    Attributes:
        warm_start: Settings known from earlier, tried first; they take the place of their families' starts, except
            those of which the family's space reaches none. `warm_start` makes them from a version's manifest.
        pruning: Whether trials that lag behind their family's are given up (docs/tuning.md says what it was measured
            to bring); they are by default.
        study_storage: SQLAlchemy address or path of a journal file, to continue after a kill; memory by default.
        study_name: A kept study of this name is continued; its finished trials are not repeated.
        on_trial: Told when a trial begins and ends.
    """

    warm_start: Sequence[Start]
    pruning: bool
    study_storage: str | Path | None
    study_name: str | None
    on_trial: Callable[[TrialReport], None] | None


def search(
    inner: Inner,
    families: Mapping[str, Family],
    budget: Budget,
    executor: Executor,
    *,
    stop: Stop = never,
    **options: Unpack[SearchOptions],
) -> Search:
    """Try the families' starts, then whatever the sampler proposes, until the budget is spent.

    Args:
        inner: What the trials learn; without a timeout, the same seed in it on as many slots gives the same trials.
        families: Which to try, by name.
        budget: Trials and seconds; the seconds include the final fits that follow.
        executor: Where trials run.
        stop: Asked between trials.
        options: See `SearchOptions`.

    Raises:
        Stopped: It was asked to.
        Refused: No family could be fitted.
        Unavailable: Where the trials run can't be reached any more.
    """
    members = {name: family.members for name, family in families.items()}
    rows, folds = len(inner.lesson.target), len(inner.lessons)
    clock = Clock(budget, members=members, slots=max(1, executor.slots), rows=rows, folds=folds)
    with quiet_optuna():
        run = _Run(inner, families, executor, clock, stop, **options)
        run.go()
        return run.result()


@dataclass
class _Run:
    """A search on its way."""

    inner: Inner
    families: Mapping[str, Family]
    executor: Executor
    clock: Clock
    stop: Stop
    warm_start: Sequence[Start] = ()
    pruning: bool = True
    study_storage: str | Path | None = None
    study_name: str | None = None
    on_trial: Callable[[TrialReport], None] | None = None
    best: dict[str, FitResult] = field(default_factory=dict)
    plain: FitResult | None = None
    running: "dict[int, optuna.Trial]" = field(default_factory=dict)
    last_error: str = ""

    def __post_init__(self) -> None:
        """Take in what earlier runs of this study finished."""
        self.known = usable(self.families, self.inner.lesson, self.warm_start)
        self.starts = starts(self.families, self.inner.lesson, self.known, most=self.clock.budget.trials)
        self.study = open_study(self.study_storage, self.study_name)
        self.finished = finished_trials(self.study)
        for index, trial in self.finished.items():
            kept, family = trial.user_attrs.get("settings"), str(trial.params.get(FAMILY))
            if completed(trial) and trial.value is not None and kept is not None and family in self.families:
                seconds = float(trial.user_attrs["seconds"])
                self._keep(FitResult(index, family, "complete", seconds, trial.value, kept))

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
        return Search(ordered, self.inner, self._summary(), self.plain)

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
        return next(index for index in count() if index not in self.finished and index not in self.running)

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
        index, lesson = self._next(), self.inner.lesson
        known = self._known(index) or []
        start = self.starts[index] if index < len(self.starts) else None
        proposal = propose(known, self.families, lesson, seed=lesson.seed, index=index, start=start)
        task = self._task(index, proposal, known)
        self.running[index] = begin(self.study, index, proposal)
        self._tell(index, proposal.family, "running")
        self.executor.submit(task)

    def _task(self, index: int, proposal: Proposal, known: "Sequence[optuna.trial.FrozenTrial]") -> FitTask:
        seconds = self.clock.trial_seconds(proposal.family, starts_left=max(0, len(self.starts) - 1 - index))
        hopeless = limits(known, proposal.family) if self.pruning else {}
        return FitTask(index, self.families[proposal.family], proposal.settings, seconds, limits=hopeless)

    def _end(self, result: FitResult) -> None:
        """Note what became of a trial."""
        self.finished[result.key] = end(self.study, self.running.pop(result.key), result)
        self.last_error = result.error or self.last_error
        if result.state == "complete":
            self._keep(result)
        self._tell(result.key, result.family, state_of(self.finished[result.key]), result)

    def _keep(self, result: FitResult) -> None:
        plain = self.families[result.family].plain(self.inner.lesson)
        if result.settings in plain and (self.plain is None or result.score < self.plain.score):
            self.plain = result
        present = self.best.get(result.family)
        if present is None or (result.score, result.key) < (present.score, present.key):
            self.best[result.family] = result
            self.clock.took[result.family] = result.seconds

    def _tell(self, index: int, family: str, state: TrialState, result: FitResult | None = None) -> None:
        if self.on_trial is None:
            return
        best = min(self.best.values(), key=lambda candidate: candidate.score, default=None)
        report = TrialReport(
            trial=index + 1,
            of=self.clock.budget.trials,
            family=family,
            state=state,
            score=result.score if result and result.state == "complete" else None,
            best_score=best.score if best else None,
            best_family=best.family if best else None,
            seconds_left=None if self.clock.budget.timeout is None else max(0.0, self.clock.left()),
            seconds=round(result.seconds, 3) if result else None,
            finished=len(self.finished),
        )
        self.on_trial(report)

    def _summary(self) -> dict[str, Any]:
        ended = list(self.finished.values())
        states = [state_of(trial) for trial in ended]
        return {
            "trials": len(states),
            **{state: states.count(state) for state in ("complete", "pruned", "failed")},
            "seconds": round(self.clock.seconds, 2),
            "slots": self.clock.slots,
            "seed": self.inner.lesson.seed,
            "metric": "mape" if self.inner.workload.cost.relative else "mae",
            "scores": {name: result.score for name, result in sorted(self.best.items())},
            "warm_starts": len(self.known),
            "left_out": self._left_out(),
            "history": history(self.finished),
            "importance": importances(ended),
        }

    def _left_out(self) -> dict[str, str]:
        """Families that have no candidate, and why."""
        errors = {str(t.params.get(FAMILY)): t.user_attrs.get("error", "given up") for t in self.finished.values()}
        lacked = "trial was left for it" if len(self.finished) >= self.clock.budget.trials else "time was left for it"
        return {
            name: f"no trial completed ({errors[name]})" if name in errors else f"not tried: no {lacked}"
            for name in self.families
            if name not in self.best
        }
