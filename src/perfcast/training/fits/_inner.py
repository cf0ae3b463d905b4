"""The rows that tuning goes by, carved out of the training part; the test part is never touched (rule R4)."""

from dataclasses import dataclass, replace
from math import ceil
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.datasets import Split, configuration_numbers
from perfcast.export import Target
from perfcast.training._base import Base
from perfcast.training._path import Path, learn_path
from perfcast.training.families import Lesson
from perfcast.training.judging import errors, score
from perfcast.workloads import Rows, Workload

Learnt: TypeAlias = Literal["lesson", "training", "all"]
"""Which rows a fit learns from: what validation leaves of the training part, that part, or the calibrating part too."""

SHARE = 0.18
"""Of the training part; about a seventh of all rows."""
ENOUGH, MOST_FOLDS = 100, 5
"""Held configurations that are enough to choose by: where one part has fewer, so many parts take their turns."""
ERRORS = 2
"""What is better by fewer standard errors may be so by chance, the more so as the best of many trials (like the rule of
one, Breiman et al. 1984, "Classification and Regression Trees", section 3.4.3)."""


@dataclass(frozen=True)
class Inner:
    """The lessons that trials learn, and the cost to score them by.

    Attributes:
        path: What is predicted, of which inputs.
        lessons: Each with validation rows of its own: one, or where rows are few several folds of the same rows.
        cost: Measured cost of the validation rows, fold after fold, float32 [rows].
        target: What the lessons' target is of the cost.
        calibrating: Inputs and target of the calibrating part, for fits after intervals have been sized by it.
    """

    path: Path
    lessons: tuple[Lesson, ...]
    cost: Rows
    target: Target
    calibrating: tuple[Rows, Rows]

    @property
    def workload(self) -> Workload:
        """What is predicted."""
        return self.path.workload

    @property
    def lesson(self) -> Lesson:
        """The first, which is like the others."""
        return self.lessons[0]

    @property
    def held_inputs(self) -> Rows:
        """The validation rows' inputs, fold after fold."""
        return np.concatenate([held_inputs(lesson) for lesson in self.lessons])

    def lesson_of(self, learnt: Learnt) -> Lesson:
        """The lesson of such rows: as it is, or with more after its own and none to validate."""
        lesson = self.lesson
        if learnt == "lesson":
            return lesson
        assert lesson.validation is not None
        more = [lesson.validation, *([self.calibrating] if learnt == "all" else [])]
        return replace(
            lesson,
            inputs=np.concatenate([lesson.inputs, *(inputs for inputs, _ in more)]),
            target=np.concatenate([lesson.target, *(target for _, target in more)]),
            validation=None,
        )

    def score(self, target: Rows) -> float:
        """The tuning score of predictions, float32 [validation rows of all folds] in target space; less is better."""
        return score(self.workload, self.cost, self.target.to_cost(self.workload, target))

    def clearly_better(self, one: Rows, other: Rows) -> bool:
        """Whether predictions are better than others by more than `ERRORS` standard errors of the difference.

        Measurements of one configuration count once, because they are wrong together.
        """
        configurations = configuration_numbers(self.held_inputs)
        gains = np.bincount(configurations, self._errors(other) - self._errors(one)) / np.bincount(configurations)
        return bool(gains.mean() > ERRORS * gains.std() / len(gains) ** 0.5)

    def _errors(self, target: Rows) -> npt.NDArray[np.float64]:
        return errors(self.workload, self.cost, self.target.to_cost(self.workload, target))


def held_inputs(lesson: Lesson) -> Rows:
    """Its validation rows' inputs."""
    assert lesson.validation is not None
    return lesson.validation[0]


def inner_validation(
    split: Split, workload: Workload, *, seed: int, threads: int, base: Base | None = None, heeded: bool = True
) -> Inner:
    """Part the training rows again, as the split did: by configuration, or the newest.

    The seed decides which configurations are held, and is handed to the families, as the threads are. The cost of a
    `base` is the last input. Unless trends are `heeded`, no model is held to them.
    """
    folds, cost = _folds(split, seed), split.train.cost
    target = Target.of(workload, cost)
    path = replace(learn_path(workload, split), base=base) if heeded else Path(workload, base=base, heeded=False)
    inputs, wanted = path.inputs(split.train.features), target.from_cost(cost)
    lessons = tuple(
        Lesson(
            inputs[~held],
            wanted[~held],
            path.input_names,
            path.trends,
            workload.cost.relative,
            seed,
            threads,
            (inputs[held], wanted[held]),
            stated=path.stated,
            straight=path.straight,
        )
        for held in folds
    )
    calibrating = path.inputs(split.calibrate.features), target.from_cost(split.calibrate.cost)
    return Inner(path, lessons, np.concatenate([cost[held] for held in folds]), target, calibrating)


def _folds(split: Split, seed: int) -> list[npt.NDArray[np.bool_]]:
    """Which training rows are held, bool [rows] a fold.

    Of rows in time only the newest ever are, because what comes after them must not be known.
    """
    if split.kind == "time" and split.train.measured_at is not None:
        moments = split.train.measured_at
        return [np.asarray(moments >= np.sort(moments)[int(len(moments) * (1 - SHARE))])]
    order = np.random.default_rng(seed).permutation(np.unique(split.groups))
    held = max(1, round(len(order) * SHARE))
    folds = max(1, min(MOST_FOLDS, ceil(ENOUGH / held), len(order) // held))
    return [np.isin(split.groups, order[fold * held : (fold + 1) * held]) for fold in range(folds)]
