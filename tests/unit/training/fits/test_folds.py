"""Few rows are held in turns, so that there are enough to choose by."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.unit.training.trial_families import Behaving, Constant

from perfcast.datasets import Dataset, Split
from perfcast.training.families import Lesson, Report, Settings, Stop, never
from perfcast.training.fits import FitTask, Here, Inner, inner_validation, predict_held
from perfcast.training.fits._inner import ENOUGH, MOST_FOLDS


class Counting(Behaving):
    """Answers how many rows it learnt from, and says so as its rounds."""

    def fit(self, lesson: Lesson, settings: Settings, *, stop: Stop = never, report: Report | None = None) -> Constant:
        if report is not None:
            report(1, 1.0)
        return Constant({"value": 1.0, "rounds": lesson.inputs[0, 0].item(), "seconds": lesson.seconds})


@pytest.fixture(scope="module")
def few(dataset: Dataset) -> Split:
    return Dataset("few", dataset.workload, dataset.features[:200], dataset.cost[:200]).split()


@pytest.fixture
def inner(few: Split, dataset: Dataset) -> Inner:
    return inner_validation(few, dataset.workload, seed=0, threads=1)


def test_many_rows_have_one_fold(dataset: Dataset) -> None:
    inner = inner_validation(dataset.split(), dataset.workload, seed=0, threads=1)
    assert len(inner.lessons) == 1
    assert len(inner.cost) >= ENOUGH


def test_of_few_rows_several_folds_hold_different_configurations(few: Split, inner: Inner) -> None:
    assert len(inner.lessons) == MOST_FOLDS
    held = {row.tobytes() for row in inner.held_inputs}
    assert len(held) == len(inner.held_inputs) == len(inner.cost) > 0.8 * len(few.train)
    for lesson in inner.lessons:
        assert lesson.validation is not None
        assert not {row.tobytes() for row in lesson.inputs} & {row.tobytes() for row in lesson.validation[0]}
        assert len(lesson.inputs) + len(lesson.validation[0]) == len(few.train)


def test_all_rows_are_learnt_for_good_whichever_the_folds_are(few: Split, inner: Inner) -> None:
    assert len(inner.lesson_of("training").target) == len(few.train)
    assert len(inner.lesson_of("all").target) == len(few.train) + len(few.calibrate)


def test_rows_in_time_have_one_fold_because_what_follows_must_not_be_known(dataset: Dataset) -> None:
    minutes = np.datetime64("2026-01-01", "us") + np.arange(len(dataset)) * np.timedelta64(1, "m")
    split = replace(dataset, measured_at=minutes).split()
    timed = replace(split, kind="time", train=split.train.take(np.arange(200)))
    assert len(inner_validation(timed, dataset.workload, seed=0, threads=1).lessons) == 1


def test_a_trial_is_scored_on_all_folds_together_and_has_their_median_rounds(inner: Inner, tmp_path: Path) -> None:
    executor, family = Here(inner), Counting(tmp_path)
    executor.submit(FitTask(1, family, {"value": 1.0}, seconds=100.0))
    (result,) = executor.wait(0)
    assert result.held is not None
    assert result.held.tolist() == [1.0] * len(inner.cost)
    assert result.score == inner.score(np.ones(len(inner.cost), np.float32))
    rounds = sorted(lesson.inputs[0, 0].item() for lesson in inner.lessons)
    assert result.settings["rounds"] == rounds[len(rounds) // 2]
    assert 19 < result.settings["seconds"] < 100 / 3
    assert result.curve == ((1, 1.0),)
    assert predict_held(inner, family, result.settings, never).tolist() == result.held.tolist()


def test_a_difference_that_may_be_chance_is_not_clearly_better(inner: Inner) -> None:
    truth = inner.target.from_cost(inner.cost)
    random = np.random.default_rng(0)
    close = truth + np.float32(0.1) * random.standard_normal(len(truth)).astype(np.float32)
    far = truth + np.float32(0.3) * random.standard_normal(len(truth)).astype(np.float32)
    alike = close + np.float32(0.02) * random.standard_normal(len(truth)).astype(np.float32)
    assert inner.clearly_better(close, far)
    assert not inner.clearly_better(far, close)
    assert not (inner.clearly_better(close, alike) and inner.clearly_better(alike, close))
    assert not inner.clearly_better(close, close)


def test_measurements_of_one_configuration_count_once(inner: Inner) -> None:
    """Better on the 50 measurements of one, worse on the 1 of another."""
    lesson = inner.lesson
    assert lesson.validation is not None
    twice = lesson.validation[0][[0] * 50 + [1]], np.zeros(51, np.float32)
    repeated = replace(inner, lessons=(replace(lesson, validation=twice),), cost=np.full(51, inner.cost[0]))
    truth = repeated.target.from_cost(repeated.cost)
    apart = np.full(51, 0.5, np.float32)
    other = np.array([0.0] * 50 + [0.5], np.float32)
    assert repeated.score(truth + other) < repeated.score(truth + apart - other)
    assert not repeated.clearly_better(truth + other, truth + apart - other)
    assert repeated.clearly_better(truth, truth + apart)
