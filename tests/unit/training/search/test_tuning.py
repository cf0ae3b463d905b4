"""What a search does with what is known: warm starts, trials side by side, its history, which settings mattered."""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from tests.drafts import draft, weighted
from tests.unit.training.searches import search
from tests.unit.training.trial_families import Behaving

from perfcast.datasets import Dataset, Split
from perfcast.manifest import Manifest
from perfcast.training import Budget, TrialReport, warm_start
from perfcast.training.families import families
from perfcast.training.fits import FitResult, FitTask, Here, inner_validation
from perfcast.training.fits._processes import InProcesses
from perfcast.training.search import Search
from perfcast.training.search._history import MOST_TRIALS, history
from perfcast.training.search._proposal import Start, limits, propose, reach_back
from perfcast.training.search._study import quiet_optuna


@pytest.fixture(scope="module")
def split(dataset: Dataset) -> Split:
    return dataset.split()


class Shuffling:
    """Several slots, whose fits end in an order of its own: the latest begun first."""

    def __init__(self, inner: Any, slots: int) -> None:
        self.slots = slots
        self._here, self._waiting = Here(inner), list[FitTask]()
        self.most = 0

    def submit(self, task: FitTask) -> None:
        self._waiting.append(task)
        self.most = max(self.most, len(self._waiting))

    def wait(self, seconds: float) -> list[FitResult]:
        if not self._waiting:
            return []
        self._here.submit(self._waiting.pop())
        return self._here.wait(seconds)

    def close(self) -> None:
        self._waiting.clear()


def tried(found: Search) -> list[tuple[int, dict[str, Any]]]:
    return [(row["trial"], row["settings"]) for row in found.summary["history"]]


def run(dataset: Dataset, split: Split, trials: int, folder: Path, **options: Any) -> Search:
    family = Behaving(folder)
    return search(split, dataset.workload, {family.name: family}, Budget(trials), **options)


@pytest.fixture
def polynomial() -> dict[str, Any]:
    return {"polynomial": families()["polynomial"]}


def test_known_settings_are_tried_first_in_place_of_their_familys_start(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    found = run(dataset, split, 4, tmp_path, warm_start=[("behaving", {"value": 2.5, "rounds": 7}), ("gone", {})])
    assert tried(found)[0] == (1, {"value": 2.5})
    assert found.summary["warm_starts"] == 1
    assert 1.0 not in [settings["value"] for _, settings in tried(found)]


@pytest.mark.parametrize("known", [{"value": 99.0}, {"value": "many"}, {"value": None}, {"file": "best_model.joblib"}])
def test_settings_of_which_the_space_reaches_none_do_not_displace_the_familys_start(
    dataset: Dataset, split: Split, tmp_path: Path, known: dict[str, Any]
) -> None:
    found = run(dataset, split, 2, tmp_path, warm_start=[("behaving", known)])
    assert tried(found)[0] == (1, {"value": 1.0})
    assert found.summary["warm_starts"] == 0


def test_a_known_setting_is_completed_by_the_familys_start(dataset: Dataset, split: Split, polynomial: Any) -> None:
    partly = {"degree": 2, "terms": 10**9, "file": "best_model.joblib"}
    found = search(split, dataset.workload, polynomial, Budget(1), warm_start=[("polynomial", partly)])
    start = polynomial["polynomial"].start(inner_validation(split, dataset.workload, seed=0, threads=1).lesson)
    assert tried(found) == [(1, {**start, "degree": 2})]
    assert found.summary["warm_starts"] == 1


def test_a_version_gives_the_settings_to_begin_with(dataset: Dataset) -> None:
    manifest: Manifest = draft(dataset.workload, weighted(dataset.workload, megabytes=1)).manifest

    def made(kind: str, settings: dict[str, Any]) -> Sequence[Start]:
        import msgspec

        return warm_start(msgspec.structs.replace(manifest, type=kind, settings=settings))

    assert made("xgboost", {"max_leaves": 31}) == (("xgboost", {"max_leaves": 31}),)
    mixed = {"weights": {"xgboost": 0.6, "polynomial": 0.4}, "xgboost": {"max_leaves": 8}, "polynomial": {"degree": 2}}
    assert made("ensemble", mixed) == (("xgboost", {"max_leaves": 8}), ("polynomial", {"degree": 2}))


def test_side_by_side_the_same_seed_gives_the_same_trials_in_whatever_order_they_end(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    inner = inner_validation(split, dataset.workload, seed=0, threads=1)
    shuffled = Shuffling(inner, 3)
    first = run(dataset, split, 20, tmp_path, executor=shuffled, inner=inner)

    class InOrder(Shuffling):
        def wait(self, seconds: float) -> list[FitResult]:
            self._waiting.reverse()
            ended = super().wait(seconds)
            self._waiting.reverse()
            return ended

    assert shuffled.most == 3
    assert tried(first) == tried(run(dataset, split, 20, tmp_path, executor=InOrder(inner, 3), inner=inner))
    assert tried(first) != tried(run(dataset, split, 20, tmp_path))


def test_a_search_side_by_side_goes_on_after_a_kill_as_if_nothing_had_happened(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    inner = inner_validation(split, dataset.workload, seed=0, threads=1)
    whole = run(dataset, split, 14, tmp_path, executor=Shuffling(inner, 3), inner=inner)

    class KilledError(BaseException):
        pass

    def die(report: TrialReport) -> None:
        if report.finished == 6:
            raise KilledError

    kept: dict[str, Any] = {"study_storage": tmp_path / "study.journal", "study_name": "one", "inner": inner}
    with pytest.raises(KilledError):
        run(dataset, split, 14, tmp_path, executor=Shuffling(inner, 3), on_trial=die, **kept)
    seen: list[int] = []
    kept["on_trial"] = lambda told: seen.append(told.trial)
    again = run(dataset, split, 14, tmp_path, executor=Shuffling(inner, 3), **kept)
    assert len(set(seen)) == 14 - 6
    assert tried(again) == tried(whole)


def test_a_proposal_looks_back_one_trial_where_trials_take_turns() -> None:
    assert [reach_back(slots) for slots in (1, 2, 4)] == [1, 4, 10]


def test_processes_keep_to_the_seconds(dataset: Dataset, split: Split, tmp_path: Path) -> None:
    inner = inner_validation(split, dataset.workload, seed=0, threads=1)
    family = Sleepy(tmp_path)
    with closing(InProcesses(inner, processes=2)) as executor:
        search(split, dataset.workload, {family.name: family}, Budget(2), executor=executor, inner=inner)
        begun = time.monotonic()
        search(split, dataset.workload, {family.name: family}, Budget(1000, 5.0), executor=executor, inner=inner)
        assert 1 < time.monotonic() - begun < 60  # of 1000 trials of half a second


class Sleepy(Behaving):
    """Takes half a second."""

    def fit(self, lesson, settings, **options):  # type: ignore[no-untyped-def]
        return super().fit(lesson, {**settings, "seconds": 0.5}, **options)


def test_the_history_tells_of_every_trial_and_stays_small(dataset: Dataset, split: Split, tmp_path: Path) -> None:
    found = run(dataset, split, 130, tmp_path)
    rows = found.summary["history"]
    assert len(rows) == MOST_TRIALS
    assert [row["trial"] for row in rows] == sorted(row["trial"] for row in rows)
    assert rows[-1]["trial"] == 130
    assert min(row["score"] for row in rows) == pytest.approx(found.best.score, rel=1e-4)
    assert set(rows[0]) == {"trial", "family", "state", "score", "seconds", "settings"}


def test_a_failed_trial_is_kept_with_its_reason() -> None:
    told = {"error": "singular", "seconds": 1.0}
    trial = optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL, user_attrs=told)
    assert history({0: trial})[0] == {
        "trial": 1, "family": "", "state": "failed", "score": None, "seconds": 1.0, "settings": {}, "error": "singular",
    }  # fmt: skip


def test_which_settings_mattered_is_told_for_each_family(dataset: Dataset, split: Split, polynomial: Any) -> None:
    found = search(split, dataset.workload, polynomial, Budget(12))
    shares = found.summary["importance"]["polynomial"]
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert search(split, dataset.workload, polynomial, Budget(3)).summary["importance"] == {}


def ended(family: str, curve: dict[int, float], state: str = "COMPLETE") -> optuna.trial.FrozenTrial:
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState[state],
        params={"family": family},
        distributions={"family": optuna.distributions.CategoricalDistribution(["one", "two"])},
        value=1.0,
        intermediate_values=curve,
    )


@pytest.fixture
def curves() -> list[optuna.trial.FrozenTrial]:
    first = [(9.0, 5.0), (7.0, 8.0), (8.0, 6.0), (5.0, 4.0), (6.0, 6.5)]
    return [ended("one", {5: early, 10: late}) for early, late in first] + [ended("two", {5: 0.1, 10: 0.1})] * 4


def test_a_limit_is_the_median_of_the_familys_best_errors_so_far(curves: list[optuna.trial.FrozenTrial]) -> None:
    assert limits(curves, "one") == {5: 7.0, 10: 6.0}


def test_nothing_is_given_up_before_enough_trials_of_its_family_have_ended(
    curves: list[optuna.trial.FrozenTrial],
) -> None:
    assert limits(curves, "two") == {}
    assert limits(curves[1:], "one") == {}


def test_nothing_is_given_up_before_half_of_its_familys_usual_progress() -> None:
    slow_start = [{1: 9.0, 4: 8.0, end // 2: 5.0, end: 1.0} for end in (10, 12, 20, 30, 40)]
    assert min(limits([ended("one", curve) for curve in slow_start], "one")) == 10


def test_the_error_that_a_given_up_trial_had_reached_is_no_score(curves: list[optuna.trial.FrozenTrial]) -> None:
    hopeless = ended("one", {5: 0.01}, "PRUNED")
    assert limits([*curves, hopeless], "one") == limits(curves, "one")
    assert history({0: hopeless})[0]["score"] is None


def test_a_proposal_is_decided_by_seed_index_and_known_trials_alone(
    polynomial: Any, dataset: Dataset, split: Split
) -> None:
    lesson = inner_validation(split, dataset.workload, seed=0, threads=1).lesson

    def proposed(seed: int, index: int) -> Any:
        with quiet_optuna():
            return propose([], polynomial, lesson, seed=seed, index=index, start=None).params

    assert proposed(1, 5) == proposed(1, 5)
    assert proposed(1, 5) != proposed(1, 6)
    assert proposed(1, 5) != proposed(2, 5)


def test_all_rows_are_those_of_learning_and_of_validation(dataset: Dataset, split: Split) -> None:
    inner = inner_validation(split, dataset.workload, seed=0, threads=1)
    whole = inner.lesson_of("training")
    assert whole.validation is None
    assert sorted(whole.target.tolist()) == sorted(replace(inner).lesson.target.tolist() + _held(inner))


def _held(inner: Any) -> list[float]:
    return inner.lesson.validation[1].tolist()
