"""Intervals hold what they promise, and no more is promised than the rows allow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfcast.manifest import COVERAGES
from perfcast.training.judging import calibrate, evaluate
from perfcast.training.judging._bands import conformal_quantile
from perfcast.workloads import Rows, Workload, builtin_workloads

CPU = builtin_workloads()["cpu-utilization"]
CNN = builtin_workloads()["cnn-execution-time"]


def rows_of(workload: Workload, rows: int, seed: int) -> tuple[Rows, Rows]:
    """Actual and predicted cost; the error grows with the cost."""
    random = np.random.default_rng(seed)
    if workload.cost.relative:
        predicted = np.exp(random.uniform(-3, 5, rows))
        actual = predicted * np.exp(0.02 * (4 + np.log(predicted)) * random.standard_t(4, rows))
    else:
        predicted = random.uniform(5, 95, rows)
        actual = np.clip(predicted + 0.05 * predicted * random.standard_normal(rows), 0, 100)
    return actual.astype(np.float32), predicted.astype(np.float32)


@given(st.integers(1, 400), st.sampled_from(COVERAGES), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_the_quantile_is_the_smallest_that_covers_enough_of_one_row_more(rows: int, coverage: float, seed: int) -> None:
    residuals = np.random.default_rng(seed).exponential(size=rows)
    quantile = conformal_quantile(residuals, coverage)
    if quantile is None:
        assert rows < coverage * (rows + 1)
    else:
        assert (residuals <= quantile).sum() >= coverage * (rows + 1) - 1e-9
        assert (residuals < quantile).sum() < coverage * (rows + 1)


@pytest.mark.parametrize("coverage", COVERAGES)
def test_the_quantile_is_that_of_mapie(coverage: float) -> None:
    from mapie.regression import SplitConformalRegressor
    from sklearn.dummy import DummyRegressor

    random = np.random.default_rng(3)
    inputs, target = random.standard_normal((337, 1)), random.standard_t(3, 337)
    constant = DummyRegressor(strategy="constant", constant=0.25).fit(inputs, target)
    peer = SplitConformalRegressor(constant, confidence_level=coverage, prefit=True).conformalize(inputs, target)
    _, bounds = peer.predict_interval(inputs[:1])
    quantile = conformal_quantile(np.abs(target - 0.25), coverage)
    assert quantile == pytest.approx(float(bounds[0, 1, 0]) - 0.25)


@pytest.mark.parametrize("workload", [CPU, CNN], ids=lambda workload: workload.name)
def test_fresh_rows_lie_inside_as_often_as_promised_in_every_band(workload: Workload) -> None:
    inside = {coverage: np.zeros(4) for coverage in COVERAGES}
    for seed in range(12):
        calibration = calibrate(workload, *rows_of(workload, 1500, seed))
        actual, predicted = rows_of(workload, 4000, 1000 + seed)
        order = np.argsort(predicted)
        for coverage, share in inside.items():
            bounds = calibration.intervals(predicted, coverage)
            assert bounds is not None
            hit = (bounds[0] <= actual) & (actual <= bounds[1])
            share += [hit[part].mean() / 12 for part in np.array_split(order, 4)]
    for coverage, share in inside.items():
        assert share.mean() == pytest.approx(coverage, abs=0.015)
        assert share.min() > coverage - 0.03


def test_intervals_are_wider_where_errors_are_larger() -> None:
    calibration = calibrate(CPU, *rows_of(CPU, 3000, 0))
    widths = calibration.widths["0.9"]
    assert len(widths) == len(calibration.edges) + 1 == 10
    assert widths[-1] > 2 * widths[0]


def test_few_rows_promise_less() -> None:
    assert set(calibrate(CNN, *rows_of(CNN, 60, 0)).widths) == {"0.5", "0.8", "0.9", "0.95"}
    assert set(calibrate(CNN, *rows_of(CNN, 8, 0)).widths) == {"0.5", "0.8"}


def test_many_equal_predictions_make_no_empty_band() -> None:
    actual, predicted = rows_of(CPU, 2000, 0)
    predicted[:1500] = 40
    calibration = calibrate(CPU, actual, predicted)
    assert len(calibration.widths["0.9"]) == len(calibration.edges) + 1
    bands = np.searchsorted(calibration.edges, predicted, side="right")
    assert (np.bincount(bands, minlength=len(calibration.edges) + 1) > 0).all()


def test_metrics_are_those_of_the_textbook() -> None:
    actual, predicted = np.array([1, 2, 4, 8], np.float32), np.array([1.15, 2, 3, 8.6], np.float32)
    metrics = evaluate(actual, predicted)
    assert metrics.rows == 4
    assert metrics.mae == pytest.approx(0.4375)
    assert metrics.rmse == pytest.approx(((0.0225 + 1 + 0.36) / 4) ** 0.5)
    assert metrics.r2 == pytest.approx(1 - 1.3825 / 28.75)
    assert metrics.mape == pytest.approx(11.875)
    assert metrics.median_ape == pytest.approx(11.25)
    assert (metrics.within_5, metrics.within_10, metrics.within_20) == (25, 50, 75)


def test_percentages_are_left_out_where_a_cost_is_zero() -> None:
    metrics = evaluate(np.array([0, 2], np.float32), np.array([0.5, 2], np.float32))
    assert metrics.mape is None
    assert metrics.within_10 is None
    assert metrics.mae == 0.25


def test_metrics_judge_the_intervals_too() -> None:
    calibration = calibrate(CNN, *rows_of(CNN, 1500, 0))
    metrics = evaluate(*rows_of(CNN, 1500, 1), calibration)
    assert set(metrics.coverage) == {str(coverage) for coverage in COVERAGES}
    assert metrics.coverage["0.9"] == pytest.approx(90, abs=3)
    assert metrics.width["0.5"] < metrics.width["0.9"]
    assert metrics.relative_width["0.5"] < metrics.relative_width["0.9"]


def spread_rows(workload: Workload, rows: int, seed: int, *, told: float) -> tuple[Rows, Rows, Rows]:
    """Actual and predicted cost and spread: the spread is what errors are drawn from, but for a share of noise."""
    random = np.random.default_rng(seed)
    predicted = np.exp(random.uniform(0, 4, rows)) if workload.cost.relative else random.uniform(20, 80, rows)
    size = np.exp(random.uniform(-4, -1, rows)) * (1 if workload.cost.relative else 20)
    error = size * random.standard_normal(rows)
    actual = predicted * np.exp(error) if workload.cost.relative else predicted + error
    known = size**told * np.exp(random.uniform(-4, -1, rows)) ** (1 - told)
    return actual.astype(np.float32), predicted.astype(np.float32), known.astype(np.float32)


@pytest.mark.parametrize("workload", [CPU, CNN], ids=lambda workload: workload.name)
def test_where_members_disagree_as_they_err_intervals_go_by_it_and_are_narrower(workload: Workload) -> None:
    known = spread_rows(workload, 2000, 0, told=1)
    calibration, by_cost = calibrate(workload, *known), calibrate(workload, *known[:2])
    actual, predicted, spread = spread_rows(workload, 8000, 1, told=1)
    assert calibration.spreads
    held, plain = evaluate(actual, predicted, calibration, spread), evaluate(actual, predicted, by_cost)
    assert held.coverage["0.9"] == pytest.approx(90, abs=2)
    assert held.worst_fifth["0.9"] > 87
    assert held.relative_width["0.9"] < 0.75 * plain.relative_width["0.9"]
    for part in np.array_split(np.argsort(spread), 4):
        assert evaluate(actual[part], predicted[part], calibration, spread[part]).coverage["0.9"] > 85


@pytest.mark.parametrize("seed", range(4))
def test_where_disagreement_says_nothing_bands_are_those_of_cost(seed: int) -> None:
    actual, predicted = rows_of(CPU, 1500, seed)
    spread = np.random.default_rng(seed).exponential(size=1500).astype(np.float32)
    assert calibrate(CPU, actual, predicted, spread) == calibrate(CPU, actual, predicted)


def test_noise_of_small_costs_that_members_agree_on_does_not_leave_them_uncovered() -> None:
    actual, predicted, spread = spread_rows(CNN, 3000, 0, told=1)
    small = predicted < np.quantile(predicted, 0.2)
    noise = np.random.default_rng(1).standard_normal(3000).astype(np.float32)
    actual = np.where(small, predicted * np.exp(0.5 * noise), actual).astype(np.float32)
    calibration = calibrate(CNN, actual[:1500], predicted[:1500], spread[:1500])
    metrics = evaluate(actual[1500:], predicted[1500:], calibration, spread[1500:])
    assert metrics.worst_fifth["0.9"] > 82
    assert metrics.worst_fifth["0.9"] <= metrics.coverage["0.9"]


@pytest.mark.parametrize("spread", [np.full(1000, 0.5), np.full(1000, np.nan), np.full(1000, np.inf)])
def test_a_spread_that_tells_nothing_apart_makes_bands_of_cost(spread: Rows) -> None:
    rows = rows_of(CNN, 1000, 0)
    assert calibrate(CNN, *rows, spread.astype(np.float32)) == calibrate(CNN, *rows)
