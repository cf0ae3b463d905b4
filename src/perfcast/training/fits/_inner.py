"""The rows that tuning goes by, carved out of the training part; the test part is never touched (rule R4)."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.datasets import Split
from perfcast.export import Target
from perfcast.training._base import Base
from perfcast.training._path import Path, learn_path
from perfcast.training.families import Lesson
from perfcast.training.judging import score
from perfcast.workloads import Rows, Workload

Learnt: TypeAlias = Literal["lesson", "training", "all"]
"""Which rows a fit learns from: what validation leaves of the training part, that part, or the calibrating part too."""

SHARE = 0.18
"""Of the training part; about a seventh of all rows."""


@dataclass(frozen=True)
class Inner:
    """The lesson that trials learn, and the cost to score them by.

    Attributes:
        path: What is predicted, of which inputs.
        lesson: With its validation rows.
        cost: Measured cost of the validation rows, float32 [rows].
        target: What the lesson's target is of the cost.
        calibrating: Inputs and target of the calibrating part, for fits after intervals have been sized by it.
    """

    path: Path
    lesson: Lesson
    cost: Rows
    target: Target
    calibrating: tuple[Rows, Rows]

    @property
    def workload(self) -> Workload:
        """What is predicted."""
        return self.path.workload

    @property
    def held_inputs(self) -> Rows:
        """The validation rows' inputs."""
        assert self.lesson.validation is not None
        return self.lesson.validation[0]

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
        """The tuning score of predictions, float32 [validation rows] in target space; less is better."""
        return score(self.workload, self.cost, self.target.to_cost(self.workload, target))


def inner_validation(split: Split, workload: Workload, *, seed: int, threads: int, base: Base | None = None) -> Inner:
    """Part the training rows again, as the split did: by configuration, or the newest.

    The seed decides which configurations are held, and is handed to the families, as the threads are. The cost of a
    `base` is the last input.
    """
    held, cost = _held(split, seed), split.train.cost
    target = Target.of(workload, cost)
    path = replace(learn_path(workload, split), base=base)
    inputs, wanted = path.inputs(split.train.features), target.from_cost(cost)
    lesson = Lesson(
        inputs[~held],
        wanted[~held],
        path.input_names,
        path.trends,
        workload.cost.relative,
        seed,
        threads,
        (inputs[held], wanted[held]),
        stated=workload.stated,
        straight=path.straight,
    )
    calibrating = path.inputs(split.calibrate.features), target.from_cost(split.calibrate.cost)
    return Inner(path, lesson, cost[held], target, calibrating)


def _held(split: Split, seed: int) -> npt.NDArray[np.bool_]:
    if split.kind == "time" and split.train.measured_at is not None:
        moments = split.train.measured_at
        return np.asarray(moments >= np.sort(moments)[int(len(moments) * (1 - SHARE))])
    groups = np.unique(split.groups)
    order = np.random.default_rng(seed).permutation(groups)
    chosen = order[: max(1, round(len(groups) * SHARE))]
    return np.isin(split.groups, chosen)
