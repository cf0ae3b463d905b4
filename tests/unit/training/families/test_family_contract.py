"""What every family must do, whatever it is made of."""

import contextlib
import multiprocessing
import pickle
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import onnxruntime as ort
import pytest

from perfcast.errors import Stopped
from perfcast.manifest import LARGEST_GRAPH
from perfcast.training.families import Family, Fitted, Lesson, families
from perfcast.workloads import Rows

MakeLesson = Callable[..., Lesson]
FitStart = Callable[[], Fitted]


@pytest.fixture(params=sorted(families()))
def family(request: pytest.FixtureRequest) -> Family:
    return families()[request.param]


@pytest.fixture(scope="module")
def fits() -> dict[str, Fitted]:
    """One fit of each family, shared by the tests that only look at it."""
    return {}


@pytest.fixture
def fitted(family: Family, make_lesson: MakeLesson, fits: dict[str, Fitted]) -> Fitted:
    if family.name not in fits:
        lesson = make_lesson()
        fits[family.name] = family.fit(lesson, family.start(lesson))
    return fits[family.name]


def held(lesson: Lesson) -> tuple[Rows, Rows]:
    assert lesson.validation is not None
    return lesson.validation


def error(fitted: Fitted, inputs: Rows, target: Rows) -> float:
    answer = fitted.predict(inputs)
    assert answer.shape == target.shape
    assert answer.dtype == np.float32
    assert np.isfinite(answer).all()
    return float(np.abs(answer - target).mean())


def graph_answer(fitted: Fitted, inputs: Rows) -> Rows:
    session = ort.InferenceSession(fitted.graph().SerializeToString(), providers=["CPUExecutionProvider"])
    (answer,) = session.run(None, {session.get_inputs()[0].name: inputs})
    return np.asarray(answer).reshape(-1)


def rows_beside_thresholds(fitted: Fitted, inputs: Rows) -> Rows:
    rows = [inputs]
    for position, values in fitted.thresholds().items():
        for side in (values, np.nextafter(values, np.float32(-np.inf)), np.nextafter(values, np.float32(np.inf))):
            moved = inputs[np.arange(len(side)) % len(inputs)].copy()
            moved[:, position] = side
            rows.append(moved)
    return np.concatenate(rows)


def test_it_is_known_by_its_own_name() -> None:
    assert all(name == family.name for name, family in families().items())
    assert {"xgboost", "random_forest", "polynomial", "neural_network"} <= set(families())


def test_a_fit_predicts_far_better_than_the_median(fitted: Fitted, make_lesson: MakeLesson) -> None:
    inputs, target = held(make_lesson())
    assert error(fitted, inputs, target) < 0.25 * float(np.abs(target - np.median(target)).mean())


def test_the_same_seed_gives_the_same_model(family: Family, fitted: Fitted, make_lesson: MakeLesson) -> None:
    lesson = make_lesson()
    again = family.fit(lesson, family.start(lesson))
    np.testing.assert_array_equal(fitted.predict(held(lesson)[0]), again.predict(held(lesson)[0]))


def test_the_graph_answers_as_the_native_model_even_beside_thresholds(fitted: Fitted, make_lesson: MakeLesson) -> None:
    rows = rows_beside_thresholds(fitted, held(make_lesson())[0])
    native, served = np.exp(fitted.predict(rows)), np.exp(graph_answer(fitted, rows))
    np.testing.assert_allclose(served, native, rtol=1e-4)


def test_the_graph_answers_far_outside_the_training_range(fitted: Fitted, make_lesson: MakeLesson) -> None:
    rows = np.concatenate([held(make_lesson())[0][:50] * scale for scale in (0, -1e6, 1e6)]).astype(np.float32)
    native = fitted.predict(rows)
    assert np.isfinite(native).all()
    np.testing.assert_allclose(np.exp(graph_answer(fitted, rows)), np.exp(native), rtol=1e-4)


def test_the_graph_stays_small_and_quick_to_make_on_much_data(family: Family, make_lesson: MakeLesson) -> None:
    random = np.random.default_rng(0)
    lesson = make_lesson(12_000, held=0)
    noisy = replace(lesson, target=random.standard_normal(len(lesson.target)).astype(np.float32))
    settings = {**family.start(lesson), "rounds": 120, "epochs": 1}
    fitted = family.fit(noisy, settings)
    begun = time.perf_counter()
    size = len(fitted.graph().SerializeToString())
    assert size < 0.9 * LARGEST_GRAPH
    assert time.perf_counter() - begun < 30  # 1 s on a quiet machine


def test_a_fit_that_is_asked_to_stop_ends_soon(family: Family, make_lesson: MakeLesson) -> None:
    lesson = make_lesson(20_000)
    asked: list[float] = []
    times_asked = 0

    def stop() -> bool:
        nonlocal times_asked
        times_asked += 1
        if times_asked > 1:
            asked.append(time.perf_counter())
        return bool(asked)

    settings = {**family.start(lesson), "trees": 96, "epochs": 200, "learning_rate": 0.01}
    with contextlib.suppress(Stopped):
        error(family.fit(lesson, settings, stop=stop), *held(lesson))
    assert asked, "it never asked a second time"
    assert time.perf_counter() - asked[0] < 30  # soon; benchmarks/jobs.py measures the 5 s of a cancelled job


def test_a_fit_that_is_stopped_at_once_is_stopped_or_usable(family: Family, make_lesson: MakeLesson) -> None:
    lesson = make_lesson()
    fitted: Fitted | None = None
    with contextlib.suppress(Stopped):
        fitted = family.fit(lesson, family.start(lesson), stop=lambda: True)
    assert fitted is None or error(fitted, *held(lesson)) < 10


def test_what_report_raises_ends_the_fit(family: Family, make_lesson: MakeLesson) -> None:
    steps: list[int] = []

    class EnoughError(Exception):
        pass

    def report(step: int, score: float) -> None:
        assert np.isfinite(score)
        steps.append(step)
        if len(steps) == 2:
            raise EnoughError

    lesson = make_lesson()
    reports = {"xgboost", "neural_network"}  # the others are too quick to be given up on the way
    with pytest.raises(EnoughError) if family.name in reports else contextlib.nullcontext():
        family.fit(lesson, family.start(lesson), report=report)
    assert steps == sorted(set(steps))


def test_a_final_fit_without_validation_is_as_good(family: Family, fitted: Fitted, make_lesson: MakeLesson) -> None:
    lesson = make_lesson()
    final = family.fit(replace(lesson, validation=None), fitted.settings)
    assert error(final, *held(lesson)) < 1.2 * error(fitted, *held(lesson)) + 0.01


def test_trends_are_kept_where_promised(family: Family, make_lesson: MakeLesson) -> None:
    lesson = make_lesson()
    random = np.random.default_rng(0)
    noisy = replace(lesson, target=lesson.target + random.standard_normal(len(lesson.target)).astype(np.float32))
    fitted = family.fit(noisy, family.start(noisy))
    grid = np.exp(np.linspace(-3, 7, 300)).astype(np.float32)
    broken = 0
    for position, trend in enumerate(lesson.trends):
        for row in held(lesson)[0][:10] if trend else []:
            rows = np.repeat(row[None], len(grid), axis=0)
            rows[:, position] = grid
            broken += int((trend * np.diff(fitted.predict(rows)) < -1e-5).sum())
    assert any(lesson.trends)
    promised = {"xgboost": True, "random_forest": True, "polynomial": False, "neural_network": False}
    assert family.keeps_trends(family.start(noisy)) is promised[family.name]
    assert broken == 0 or not promised[family.name]


@pytest.mark.parametrize("columns", [(0,), (3, 0), (0, 0, 1), (3,)], ids=["one", "constant", "twice", "only-constant"])
def test_odd_inputs_are_no_obstacle(family: Family, make_lesson: MakeLesson, columns: tuple[int, ...]) -> None:
    lesson = make_lesson(120, held=40, columns=columns)
    fitted = family.fit(lesson, {**family.start(lesson), "epochs": 8})
    error(fitted, *held(lesson))
    np.testing.assert_allclose(
        graph_answer(fitted, held(lesson)[0]), fitted.predict(held(lesson)[0]), rtol=1e-4, atol=1e-5
    )


def test_fifty_rows_are_enough_to_begin(family: Family, make_lesson: MakeLesson) -> None:
    lesson = make_lesson(40, held=10)
    inputs, target = held(make_lesson())
    fitted = family.fit(lesson, family.start(lesson))
    assert error(fitted, inputs, target) < float(np.abs(target - np.median(target)).mean())


def test_a_constant_target_is_learnt(family: Family, make_lesson: MakeLesson) -> None:
    lesson = make_lesson(100, held=20)
    flat = replace(lesson, target=np.full(100, 7, np.float32), validation=(held(lesson)[0], np.full(20, 7, np.float32)))
    fitted = family.fit(flat, {**family.start(flat), "epochs": 8})
    np.testing.assert_allclose(fitted.predict(held(flat)[0]), 7, atol=0.05)


def test_a_fit_survives_pickling(fitted: Fitted, make_lesson: MakeLesson) -> None:
    inputs, _ = held(make_lesson())
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(inputs), fitted.predict(inputs))


def test_it_fits_in_a_spawned_process(make_lesson: MakeLesson) -> None:
    lesson = make_lesson(80, held=20)
    tasks = [(name, {**family.start(lesson), "epochs": 4}) for name, family in families().items()]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        answers = [pool.apply_async(_fit_elsewhere, (name, lesson, settings)) for name, settings in tasks]
        assert all(np.isfinite(answer.get(timeout=60)).all() for answer in answers)


def _fit_elsewhere(name: str, lesson: Lesson, settings: dict[str, object]) -> Rows:
    assert lesson.validation is not None
    return families()[name].fit(lesson, settings).predict(lesson.validation[0])
