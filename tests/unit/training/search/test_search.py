"""A search keeps its budget, repeats itself by its seed, continues after a kill, and never looks at the test part."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from tests.unit.training.searches import search

from perfcast.datasets import Dataset, Part, Split
from perfcast.errors import Refused, Stopped
from perfcast.training import Budget, TrialReport
from perfcast.training.families import Family, Lesson, Report, Settings, Space, Stop, Trial, families, never
from perfcast.training.fits import inner_validation
from perfcast.workloads import Rows


@dataclass(frozen=True)
class Guess:
    """A fitted constant."""

    value: float
    settings: Settings

    def predict(self, inputs: Rows) -> Rows:
        return np.full(len(inputs), self.value, np.float32)

    def graph(self) -> onnx.ModelProto:
        raise NotImplementedError

    def details(self) -> dict[str, Any]:
        return {}

    def thresholds(self) -> dict[int, Rows]:
        return {}


@dataclass(frozen=True)
class Guesser(Family):
    """A real family of the simplest kind: it answers the constant that its settings name."""

    name: str = "guess"
    seconds: float = 0.0
    before: Callable[[], None] = lambda: None

    def keeps_trends(self, settings: Settings) -> bool:
        return True

    def start(self, lesson: Lesson) -> Settings:
        return {"value": float(np.float32(lesson.target.mean())), "round": 1}

    def space(self, trial: Trial, lesson: Lesson) -> Settings:
        space = Space(trial, self.name)
        space.number("value", -5, 10)
        space.whole("round", 1, 3)
        return space.settings

    def fit(self, lesson: Lesson, settings: Settings, *, stop: Stop = never, report: Report | None = None) -> Guess:
        self.before()
        error = float(np.abs(lesson.target - settings["value"]).mean())
        end = time.monotonic() + self.seconds
        while time.monotonic() < end and not stop():
            time.sleep(0.005)
        if report is not None:
            report(1, error)
        return Guess(settings["value"], settings)


@pytest.fixture(scope="module")
def split(dataset: Dataset) -> Split:
    return dataset.split()


def trace(reports: list[TrialReport]) -> list[tuple[str, str, float | None]]:
    return [(report.family, report.state, report.score) for report in reports if report.state != "running"]


def run(dataset: Dataset, split: Split, trials: int, **options: Any) -> list[tuple[str, str, float | None]]:
    reports: list[TrialReport] = []
    known = {name: family for name, family in families().items() if name in ("polynomial", "random_forest")}
    chosen = {"guess": Guesser(), **known}
    chosen |= options.pop("chosen", {})
    search(split, dataset.workload, chosen, Budget(trials), on_trial=reports.append, **options)
    return trace(reports)


def test_it_begins_with_what_is_plain_then_each_familys_start_and_keeps_the_best(
    dataset: Dataset, split: Split
) -> None:
    reports: list[TrialReport] = []
    chosen = {"guess": Guesser(), "polynomial": families()["polynomial"]}
    found = search(split, dataset.workload, chosen, Budget(6), on_trial=reports.append)
    assert [family for family, _, _ in trace(reports)[:4]] == ["polynomial", "polynomial", "guess", "polynomial"]
    assert found.plain is not None
    assert found.plain.settings["degree"] == 1
    assert reports[0].state == "running"
    assert (reports[0].trial, reports[0].of, reports[0].seconds_left) == (1, 6, None)
    assert found.best.family == reports[-1].best_family == "polynomial"
    assert found.best.score == min(score for _, _, score in trace(reports) if score is not None)
    assert found.summary["trials"] == 6
    assert found.summary["metric"] == "mape"


def test_the_same_seed_gives_the_same_trials_and_another_seed_others(dataset: Dataset, split: Split) -> None:
    first = run(dataset, split, 9, seed=3)
    assert first == run(dataset, split, 9, seed=3)
    assert first != run(dataset, split, 9, seed=4)


@pytest.mark.parametrize("kind", ["journal", "sqlite"])
def test_a_killed_search_goes_on_as_if_nothing_had_happened(
    dataset: Dataset, split: Split, tmp_path: Path, kind: str
) -> None:
    whole = run(dataset, split, 10, seed=5)
    storage = f"sqlite:///{tmp_path}/study.db" if kind == "sqlite" else tmp_path / "study.journal"
    fits = 0

    class KilledError(BaseException):
        pass

    def die_at_its_second_fit() -> None:
        nonlocal fits
        fits += 1
        if fits == 2:
            raise KilledError

    fatal = {"guess": Guesser(before=die_at_its_second_fit)}
    with pytest.raises(KilledError):
        run(dataset, split, 10, seed=5, study_storage=storage, study_name="one", chosen=fatal)
    continued = run(dataset, split, 10, seed=5, study_storage=storage, study_name="one")
    assert 0 < len(continued) < 10
    assert continued == whole[-len(continued) :]


def test_a_finished_search_repeats_nothing(dataset: Dataset, split: Split, tmp_path: Path) -> None:
    storage = tmp_path / "study.journal"
    run(dataset, split, 5, study_storage=storage, study_name="one")
    assert run(dataset, split, 5, study_storage=storage, study_name="one") == []


def test_it_keeps_to_its_time(dataset: Dataset, split: Split) -> None:
    begun = time.monotonic()
    with_time = {"guess": Guesser(seconds=0.2), "slow": Guesser("slow", seconds=600)}
    found = search(split, dataset.workload, with_time, Budget(1000, 6.0))
    assert time.monotonic() - begun < 60  # of 600 s
    assert "slow" in found.best_of_each_family


def test_it_stops_within_a_fit(dataset: Dataset, split: Split) -> None:
    begun = time.monotonic()
    slow = {"slow": Guesser("slow", seconds=60)}
    with pytest.raises(Stopped):
        search(split, dataset.workload, slow, Budget(5), stop=lambda: time.monotonic() - begun > 0.2)
    assert time.monotonic() - begun < 50  # of 60 s


def test_a_family_that_fails_does_not_end_the_search(dataset: Dataset, split: Split) -> None:
    def fail() -> None:
        raise ValueError("singular")

    found = search(split, dataset.workload, {"bad": Guesser("bad", before=fail), "guess": Guesser()}, Budget(4))
    assert set(found.best_of_each_family) == {"guess"}
    assert found.summary["failed"] >= 1
    with pytest.raises(Refused, match="singular"):
        search(split, dataset.workload, {"bad": Guesser("bad", before=fail)}, Budget(2))


def test_it_says_which_families_have_nothing_to_show(dataset: Dataset, split: Split) -> None:
    def fail() -> None:
        raise ValueError("singular")

    slow = {"slow": Guesser("slow", seconds=60), "late": Guesser("late")}
    found = search(split, dataset.workload, slow, Budget(1000, 1.0))
    assert found.summary["left_out"] == {"late": "not tried: no time was left for it"}
    short = {"guess": Guesser(), "bad": Guesser("bad", before=fail), "late": Guesser("late")}
    found = search(split, dataset.workload, short, Budget(2))
    told = {"bad": "no trial completed (bad: singular)", "late": "not tried: no trial was left for it"}
    assert found.summary["left_out"] == told


@pytest.mark.parametrize("pruning", [True, False])
def test_hopeless_trials_are_given_up_where_that_is_wanted(dataset: Dataset, split: Split, *, pruning: bool) -> None:
    found = search(split, dataset.workload, {"guess": Guesser()}, Budget(30), seed=1, pruning=pruning)
    assert (found.summary["pruned"] > 0) == pruning
    assert found.summary["complete"] > 5


def test_the_test_and_calibration_parts_change_nothing(dataset: Dataset, split: Split) -> None:
    nothing = Part(split.test.features * np.nan, split.test.cost * np.nan)
    blind = replace(split, test=nothing, calibrate=nothing)
    assert run(dataset, blind, 5) == run(dataset, split, 5)


def test_no_configuration_stands_on_both_sides_of_the_inner_parting(dataset: Dataset, split: Split) -> None:
    doubled = Part(np.repeat(split.train.features, 2, axis=0), np.repeat(split.train.cost, 2))
    twice = replace(split, train=doubled, groups=np.repeat(split.groups, 2))
    inner = inner_validation(twice, dataset.workload, seed=0, threads=1)
    learnt = {row.tobytes() for row in inner.lesson.inputs}
    assert not learnt & {row.tobytes() for row in inner.held_inputs}


def test_with_times_the_newest_rows_are_held(dataset: Dataset) -> None:
    minutes = np.datetime64("2026-01-01", "us") + np.arange(len(dataset)) * np.timedelta64(1, "m")
    timed = replace(dataset, measured_at=minutes)
    split = timed.split()
    assert split.train.measured_at is not None
    inner = inner_validation(split, dataset.workload, seed=0, threads=1)
    newest = split.train.cost[np.argsort(split.train.measured_at)][-len(inner.cost) :]
    np.testing.assert_array_equal(inner.cost, newest)
