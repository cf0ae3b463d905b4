"""Polynomials down to a plane and a constant."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from perfcast.training.families import Lesson, families
from perfcast.training.judging import best_constant
from perfcast.workloads import workload_from_document

POLYNOMIAL = families()["polynomial"]


def lesson(inputs: np.ndarray, target: np.ndarray, *, relative: bool) -> Lesson:
    names = tuple(f"x{number}" for number in range(inputs.shape[1]))
    return Lesson(inputs.astype(np.float32), target.astype(np.float32), names, (0,) * len(names), relative)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def inputs(random: np.random.Generator) -> np.ndarray:
    return random.uniform(1, 10, (80, 3))


def test_the_first_plain_settings_are_a_plane(inputs: np.ndarray) -> None:
    given = lesson(inputs, 10 + inputs @ np.array([3.0, -2.0, 1.0]), relative=False)
    plane = POLYNOMIAL.fit(given, POLYNOMIAL.plain(given)[0])
    beyond = np.array([[0.5, 5, 10.5]], np.float32)
    assert plane.predict(beyond) == pytest.approx(10 + beyond @ np.array([3, -2, 1]), rel=0.01)


def test_of_relative_costs_the_plane_goes_through_logarithms(inputs: np.ndarray) -> None:
    given = lesson(inputs, np.log(3 * inputs[:, 0] ** 0.7 / inputs[:, 1]), relative=True)
    plane = POLYNOMIAL.fit(given, POLYNOMIAL.plain(given)[0])
    assert plane.predict(given.inputs) == pytest.approx(given.target, abs=0.01)


@pytest.mark.parametrize("relative", [False, True])
def test_the_other_is_the_constant_with_the_least_error(
    inputs: np.ndarray, random: np.random.Generator, *, relative: bool
) -> None:
    cost = 1 + random.pareto(1.5, len(inputs))
    given = lesson(inputs, np.log(cost) if relative else cost, relative=relative)
    constant = POLYNOMIAL.fit(given, POLYNOMIAL.plain(given)[1]).predict(given.inputs)
    workload = workload_from_document(
        {
            "name": "w",
            "cost": {"name": "c", "unit": "s", "minimum": 0, "relative": relative},
            "features": [{"name": "x"}],
        }
    )
    assert np.ptp(constant) == 0
    answer = np.exp(constant[0]) if relative else constant[0]
    assert answer == pytest.approx(best_constant(workload, cost.astype(np.float32)), rel=1e-4)


def test_plain_settings_lie_within_the_space(make_lesson: Callable[..., Lesson]) -> None:
    from perfcast.training.search._proposal import usable

    for given in (make_lesson(), replace(make_lesson(), relative=False)):
        for settings in POLYNOMIAL.plain(given):
            ((_, reached),) = usable({"polynomial": POLYNOMIAL}, given, [("polynomial", settings)])
            assert reached == settings


@pytest.mark.parametrize("penalty", ["ridge", "lasso"])
def test_a_plane_keeps_trends_and_rises_without_end(
    inputs: np.ndarray, random: np.random.Generator, penalty: str
) -> None:
    noise = random.normal(0, 0.1, len(inputs))
    given = lesson(inputs, inputs @ np.array([2.0, -3.0, 1.0]) + noise, relative=False)
    kept = replace(given, trends=(1, 1, 0))
    settings = {**POLYNOMIAL.plain(given)[0], "penalty": penalty, "alpha": 1e-3}
    assert POLYNOMIAL.keeps_trends(settings)
    assert not POLYNOMIAL.keeps_trends(POLYNOMIAL.start(given))
    free, plane = (POLYNOMIAL.fit(one, settings) for one in (given, kept))
    row = np.array([[5, 5, 5]], np.float32)
    rises = [
        float((fitted.predict(row + np.array(step, np.float32)) - fitted.predict(row))[0])
        for fitted in (free, plane)
        for step in ([1, 0, 0], [0, 1, 0])
    ]
    assert rises == pytest.approx([2, -3, rises[2], 0], abs=0.1)
    assert rises[2] > 1
    far = np.array([[1000, 5, 5], [2000, 5, 5]], np.float32)
    assert float(np.diff(plane.predict(far))[0]) == pytest.approx(1000 * rises[2], rel=0.01)
    assert float(np.diff(free.predict(far))[0]) == 0
