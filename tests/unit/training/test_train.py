"""The whole way from rows to versions."""

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from tests.unit.training.searches import search

from perfcast.datasets import Dataset
from perfcast.errors import BrokenVersion, InvalidSetting, Refused, Stopped
from perfcast.export import run
from perfcast.manifest import Draft, Manifest
from perfcast.training import Budget, Trained, Training, draft, judge, train
from perfcast.training._draft import parity_rows
from perfcast.training._ensemble import FittedEnsemble, mix
from perfcast.training._final import CUT_SHORT
from perfcast.training._path import Path
from perfcast.training._train import _by_trends, _mixed, fit_best
from perfcast.training.families import Lesson, families
from perfcast.training.families._network import FittedNetwork
from perfcast.training.fits import Here, inner_validation
from perfcast.workloads import Workload, workload_from_document


@pytest.fixture(scope="module")
def training(dataset: Dataset) -> Training:
    return train(dataset, Budget(4), threads=1)


def test_every_family_becomes_a_version_best_first(training: Training) -> None:
    types = [version.manifest.type for version in training.drafts]
    assert {"xgboost", "random_forest", "polynomial", "neural_network"} <= set(types)
    ranks = [(not version.manifest.keeps_trends, version.manifest.search["score"]) for version in training.drafts]
    assert ranks == sorted(ranks)
    told = [sum("doesn't keep trends" in note for note in version.manifest.notes) for version in training.drafts]
    assert max(told) <= 1
    assert training.refused == {}


def test_a_version_tells_all_about_itself(training: Training, dataset: Dataset) -> None:
    for version in training.drafts:
        manifest = version.manifest
        assert Manifest.from_json(manifest.to_json()) == manifest
        assert workload_from_document(manifest.workload) == dataset.workload
        assert manifest.data is not None
        assert manifest.data.digest == dataset.digest
        assert sum(manifest.data.parts.values()) == manifest.data.rows == len(dataset)
        assert manifest.metrics is not None
        assert manifest.metrics.mape is not None
        assert manifest.metrics.mape < 40
        assert manifest.metrics.coverage["0.9"] == pytest.approx(90, abs=7)
        assert manifest.parity is not None
        assert manifest.parity.worst <= 1e-4
        assert manifest.graph.bytes == len(version.graph)
        assert manifest.ranges["page"] == (4096, 4096)
        assert manifest.libraries["onnx"]


def test_a_versions_graph_gives_the_metrics_it_states(training: Training) -> None:
    part = training.split.test
    for version in training.drafts:
        error = np.abs(run(version.graph, part.features) - part.cost)
        assert version.manifest.metrics is not None
        assert version.manifest.metrics.mae == pytest.approx(float(error.mean()), rel=1e-3)


def test_chosen_families_alone_are_tried(dataset: Dataset) -> None:
    training = train(dataset, Budget(2), family_names=["polynomial"], threads=1)
    assert [version.manifest.type for version in training.drafts] == ["polynomial"]


def test_a_version_says_which_families_were_left_out(dataset: Dataset) -> None:
    training = train(dataset, Budget(1), family_names=["random_forest", "polynomial"], threads=1)
    (left_out,) = training.refused.items()
    assert left_out == ("random_forest", "not tried: no trial was left for it")
    assert training.drafts[0].manifest.search["left_out"] == training.refused
    assert training.drafts[0].manifest.notes[-1] == "random_forest: not tried: no trial was left for it"


def test_an_unknown_family_is_named(dataset: Dataset) -> None:
    with pytest.raises(InvalidSetting, match=r"'forest'.*random_forest"):
        train(dataset, Budget(2), family_names=["forest"])


def test_without_time_left_the_best_family_is_still_fitted(dataset: Dataset) -> None:
    split, chosen = dataset.split(), {name: families()[name] for name in ("polynomial", "random_forest")}
    found = search(split, dataset.workload, chosen, Budget(2))
    models = fit_best(split, chosen, found, Here(found.inner), deadline=0.0)
    assert [model.family for model in models] == [found.best.family]
    assert CUT_SHORT not in models[0].notes


def test_a_network_of_several_members_is_their_mean(dataset: Dataset) -> None:
    models = [_network(dataset, deadline) for deadline in (float("inf"), time.monotonic() + 600)]
    assert [model.fitted.details()["members"] for model in models] == [4, 4]
    assert models[0].notes == ()
    rows = dataset.split().test.features
    np.testing.assert_array_equal(models[0].predict(rows), models[1].predict(rows))
    fitted = models[0].fitted
    assert isinstance(fitted, FittedNetwork)
    apart = [replace(fitted, members=(member,)).predict(dataset.workload.inputs(rows)) for member in fitted.members]
    assert len({answers.tobytes() for answers in apart}) == 4
    np.testing.assert_allclose(fitted.predict(dataset.workload.inputs(rows)), np.mean(apart, axis=0), atol=1e-5)


def test_without_time_for_more_a_network_has_one_member_and_says_so(dataset: Dataset) -> None:
    model = _network(dataset, deadline=0.0)
    assert model.fitted.details()["members"] == 1
    assert model.notes[-1].startswith("1 of its 4 members")


def test_what_is_to_be_quick_has_two_members_and_learns_once(dataset: Dataset) -> None:
    model = _network(dataset, quick=True)
    assert model.fitted.details()["members"] == 2
    assert model.first is None
    assert model.notes == ("2 of its 4 members were fitted; a longer search makes a better version",)


def test_all_learn_from_the_calibrating_rows_too_after_these_have_sized_their_intervals(dataset: Dataset) -> None:
    split, chosen = dataset.split(), {name: families()[name] for name in ("polynomial", "random_forest")}
    found = search(split, dataset.workload, chosen, Budget(2))
    lesson = found.inner.lesson_of("all")
    assert len(lesson.target) == len(split.train) + len(split.calibrate)
    for model in fit_best(split, chosen, found, Here(found.inner), mixing=False):
        assert model.first is not None
        first = replace(model, fitted=model.first, first=None)
        settings = found.best_of_each_family[model.family].settings
        again = chosen[model.family].fit(lesson, settings).predict(lesson.inputs)
        np.testing.assert_array_equal(model.fitted.predict(lesson.inputs), again)
        assert not np.array_equal(first.fitted.predict(lesson.inputs), again)
        made, before = (draft(dataset.workload, dataset, split, each).manifest for each in (model, first))
        assert (made.learnt_all, before.learnt_all) == (True, False)
        assert made.calibration == before.calibration
        assert made.metrics != before.metrics


def test_a_mean_sizes_its_intervals_by_the_mean_of_first_fits(dataset: Dataset) -> None:
    split = dataset.split()
    chosen = {name: families()[name] for name in ("random_forest", "polynomial")}
    found = search(split, dataset.workload, chosen, Budget(2))
    models = {model.family: model for model in fit_best(split, chosen, found, Here(found.inner), mixing=False)}
    mean = _mixed(models, {"polynomial": 0.25, "random_forest": 0.75}, 0.1)
    assert isinstance(mean.first, FittedEnsemble)
    assert isinstance(mean.fitted, FittedEnsemble)
    assert mean.fitted.members == (models["polynomial"].fitted, models["random_forest"].fitted)
    assert mean.first.members == (models["polynomial"].first, models["random_forest"].first)
    alone = _mixed({name: replace(model, first=None) for name, model in models.items()}, {"polynomial": 1.0}, 0.1)
    assert alone.first is None


def test_a_second_fit_that_there_is_no_time_for_is_left_out(dataset: Dataset) -> None:
    split, chosen = dataset.split(), {"polynomial": families()["polynomial"]}
    found = search(split, dataset.workload, chosen, Budget(1))
    (model,) = fit_best(split, chosen, found, Here(found.inner), deadline=time.monotonic())
    assert model.first is None
    assert not draft(dataset.workload, dataset, split, model).manifest.learnt_all


def _network(dataset: Dataset, deadline: float = float("inf"), *, quick: bool = False) -> Trained:
    split, chosen = dataset.split(), {"neural_network": families()["neural_network"]}
    warm = [("neural_network", {"epochs": 32})]
    found = search(split, dataset.workload, chosen, Budget(1), warm_start=warm)
    (model,) = fit_best(split, chosen, found, Here(found.inner), mixing=False, quick=quick, deadline=deadline)
    return model


def test_a_stop_ends_it(dataset: Dataset) -> None:
    with pytest.raises(Stopped):
        train(dataset, Budget(4), stop=lambda: True)


def test_parity_is_checked_on_and_beside_thresholds(dataset: Dataset) -> None:
    split, workload = dataset.split(), dataset.workload
    inner = inner_validation(split, workload, seed=0, threads=1).lesson
    family = families()["xgboost"]
    fitted = family.fit(inner, {**family.start(inner), "rounds": 20})
    rows = parity_rows(Path(workload), fitted, split.test)
    thresholds = fitted.thresholds()[0]
    assert np.isin(thresholds, rows[:, 0]).mean() > 0.9
    assert np.isin(np.nextafter(thresholds, np.float32(-np.inf)), rows[:, 0]).mean() > 0.9


def test_a_model_that_its_graph_does_not_match_is_refused(dataset: Dataset) -> None:
    split = dataset.split()
    inner = inner_validation(split, dataset.workload, seed=0, threads=1)
    family = families()["polynomial"]
    fitted = family.fit(inner.lesson, family.start(inner.lesson))

    class Shifted:
        def __getattr__(self, name: str) -> object:
            return getattr(fitted, name)

        def predict(self, inputs: np.ndarray) -> np.ndarray:
            return fitted.predict(inputs) + np.float32(0.01)

    with pytest.raises(Refused, match="parity"):
        draft(dataset.workload, dataset, split, Trained(Path(dataset.workload), "polynomial", Shifted(), inner.target))  # type: ignore[arg-type]


def test_a_mean_is_made_only_where_it_gains(dataset: Dataset) -> None:
    inner = inner_validation(dataset.split(), dataset.workload, seed=0, threads=1)
    truth = inner.target.from_cost(inner.cost)
    noise = np.random.default_rng(0).normal(size=(2, len(truth)))
    good, other = (truth + 0.1 * part for part in noise)
    mixed = mix(inner, {"one": good.astype(np.float32), "two": other.astype(np.float32)})
    assert mixed is not None
    weights, score = mixed
    assert sum(weights.values()) == pytest.approx(1)
    assert score < 0.8 * inner.score(good.astype(np.float32))
    assert mix(inner, {"one": good.astype(np.float32), "two": (truth + 5).astype(np.float32)}) is None
    assert mix(inner, {"one": good.astype(np.float32)}) is None


def test_beside_several_members_a_mean_must_gain_more(dataset: Dataset) -> None:
    inner = inner_validation(dataset.split(), dataset.workload, seed=0, threads=1)
    truth = inner.target.from_cost(inner.cost)
    own, other = np.random.default_rng(0).normal(size=(2, len(truth)))
    one, two = truth + 0.1 * own, truth + 0.07 * own + 0.12 * other
    known = {"one": one.astype(np.float32), "two": two.astype(np.float32)}
    mixed = mix(inner, known)
    assert mixed is not None
    assert mixed[1] > 0.96 * inner.score(known["one"])
    assert mix(inner, known, several=["one"]) is None
    assert mix(inner, known, several=["two"]) == mixed


def by_type(training: Training, name: str) -> Draft:
    return next(version for version in training.drafts if version.manifest.type == name)


def test_the_first_version_is_promoted(training: Training, workload: Workload) -> None:
    verdict = judge(training.drafts[0].graph, None, training.split, workload)
    assert verdict.promote
    assert "no champion" in verdict.reason
    assert training.drafts[0].manifest.metrics is not None
    told = float(verdict.reason.partition("MAPE ")[2].partition("%")[0])
    assert told == pytest.approx(training.drafts[0].manifest.metrics.mape, rel=2e-3)


def test_a_clearly_better_version_is_promoted_and_a_worse_or_equal_one_is_not(
    training: Training, workload: Workload
) -> None:
    split = training.split
    order = sorted(training.drafts, key=lambda version: version.manifest.metrics.mape)  # type: ignore[union-attr]
    best, worst = order[0].graph, order[-1].graph
    assert judge(best, worst, split, workload).promote
    for candidate in (best, worst):
        refused = judge(candidate, best, split, workload)
        assert not refused.promote
        assert "1% better" in refused.reason
        assert "against the champion's" in refused.reason


def test_a_broken_champion_is_replaced_and_a_broken_candidate_is_not_promoted(
    training: Training, workload: Workload
) -> None:
    assert judge(training.drafts[0].graph, b"broken", training.split, workload).promote
    with pytest.raises(BrokenVersion):
        judge(b"broken", training.drafts[0].graph, training.split, workload)


def test_importing_training_imports_no_learning_library() -> None:
    code = (
        "import sys, perfcast.training, perfcast.training.families as f; f.families();"
        "print(sorted({'torch', 'xgboost', 'sklearn', 'optuna', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_lesson_without_validation_needs_no_more_than_its_rows(dataset: Dataset) -> None:
    lesson = Lesson(dataset.features, np.log(dataset.cost), dataset.workload.feature_names, (0, 0, 0, 0))
    assert (lesson.seed, lesson.threads, lesson.validation, lesson.relative) == (0, 1, None, False)


def test_versions_that_keep_trends_can_be_required_or_trends_ignored(dataset: Dataset) -> None:
    given = {"family_names": ["xgboost", "neural_network"], "seed": 1}
    kept = train(dataset, Budget(2), trends="require", **given)
    assert [version.manifest.keeps_trends for version in kept.drafts] == [True]
    assert "keep the trends that are required" in kept.refused["neural_network"]
    free = train(dataset, Budget(2), trends="ignore", **given)
    assert {version.manifest.keeps_trends for version in free.drafts} == {False}
    assert all("were ignored" in "; ".join(version.manifest.notes) for version in free.drafts)
    with pytest.raises(Refused, match="no version keeps the trends"):
        train(dataset, Budget(1), trends="require", family_names=["neural_network"])


def test_a_note_says_what_trends_cost(dataset: Dataset) -> None:
    split = dataset.split()
    found = search(split, dataset.workload, {"polynomial": families()["polynomial"]}, Budget(1))
    (model,) = fit_best(split, {"polynomial": families()["polynomial"]}, found, Here(found.inner), mixing=False)
    kept, free = (
        replace(model, family=name, keeps_trends=keeps, score=score, notes=())
        for name, keeps, score in (("xgboost", True, 1.62), ("neural_network", False, 1.23))
    )
    (dear, _), against = _by_trends([kept, free], "prefer", declared=True)
    assert dear.notes[0].startswith("keeping the declared trends costs 32 % of accuracy in tuning: neural_network")
    assert against == {}
    ((cheap, _), _) = _by_trends([replace(kept, score=1.25), free], "prefer", declared=True)
    assert cheap.notes == ()
    assert _by_trends([kept, free], "prefer", declared=False)[0] == [kept, free]
