"""The rows that a simulation yields: shapes of week and day, queues, pool, gaps, seeds."""

from dataclasses import replace

import numpy as np
import pytest

from perfcast.workloads.cpu_utilization.simulator import Scenario, Simulation, simulate
from perfcast.workloads.cpu_utilization.simulator._scenario import Deploy, Observation, Service, Traffic
from perfcast.workloads.cpu_utilization.simulator._series import first_order, slow_release
from perfcast.workloads.cpu_utilization.simulator._simulation import COST, FEATURES, MEASURED_AT

CALM = Traffic(noise=0.0, bursts_per_day=0.0, flash_crowds_per_week=0.0, growth_per_week=0.0)
PERFECT = Observation(jitter_seconds=0.0, missing_share=0.0, reading_error=0.0)


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return simulate(Scenario())


def column(simulation: Simulation, name: str) -> np.ndarray:
    return simulation.columns()[name]


def mean_rate_on(simulation: Simulation, date: str) -> float:
    return float(
        column(simulation, "request_rate")[simulation.measured_at.astype("datetime64[D]") == np.datetime64(date)].mean()
    )


def test_columns_come_in_their_order_as_float32_with_increasing_moments(simulation):
    columns = simulation.columns()
    assert list(columns) == [*FEATURES, COST, MEASURED_AT]
    assert simulation.features.dtype == simulation.cpu_utilization.dtype == np.float32
    assert simulation.features.shape == (len(simulation), len(FEATURES))
    assert (np.diff(simulation.measured_at) > np.timedelta64(0, "ms")).all()


def test_every_value_is_within_the_bounds_of_its_feature(simulation):
    assert np.isfinite(simulation.features).all()
    assert (simulation.features[:, :3] >= 0).all()
    assert (np.abs(simulation.features[:, 3:7]) <= 1).all()
    assert set(np.unique(simulation.features[:, 7])) == {0.0, 1.0}
    assert simulation.cpu_utilization.min() >= 0
    assert simulation.cpu_utilization.max() <= 100


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones():
    first, again, other = (simulate(Scenario(days=2, seed=seed)) for seed in (7, 7, 8))
    assert first.features.tobytes() == again.features.tobytes()
    assert first.cpu_utilization.tobytes() == again.cpu_utilization.tobytes()
    assert not np.array_equal(first.cpu_utilization[:100], other.cpu_utilization[:100])


def test_a_deploy_leaves_the_load_as_it_was_and_steps_the_utilisation_after_it():
    plain = Scenario(days=4, service=replace(Service(), deploys=()))
    stepped = replace(plain, service=replace(plain.service, deploys=(Deploy(day=2.0, demand_factor=1.3),)))
    before, after = simulate(plain), simulate(stepped)
    assert np.array_equal(before.features[:, 0], after.features[:, 0])
    early = before.measured_at <= np.datetime64("2025-01-08")
    assert np.array_equal(before.cpu_utilization[early], after.cpu_utilization[early])
    assert after.cpu_utilization[~early].mean() > 1.1 * before.cpu_utilization[~early].mean()
    late = before.measured_at > np.datetime64("2025-01-08T06:00")
    assert after.truth["demand"][late] == pytest.approx(1.3 * before.truth["demand"][late])


def test_workdays_are_busier_than_weekends_and_a_holiday_looks_like_a_sunday(simulation):
    monday, sunday, holiday = (mean_rate_on(simulation, f"2025-01-{day}") for day in (13, 19, 20))
    assert monday > 1.4 * sunday
    assert holiday == pytest.approx(sunday, rel=0.2)


def test_a_workday_peaks_in_business_hours_and_rests_at_night():
    calm = simulate(Scenario(days=1, traffic=CALM, observation=PERFECT))
    rate = column(calm, "request_rate").reshape(24, 60).mean(axis=1)
    assert 9 <= rate.argmax() <= 16
    assert rate[2:5].max() < 0.25 * rate.max()


def test_load_grows_by_its_share_each_week():
    traffic = replace(CALM, growth_per_week=0.1, holidays=())
    grown = simulate(Scenario(days=15, traffic=traffic))
    assert mean_rate_on(grown, "2025-01-14") == pytest.approx(1.1 * mean_rate_on(grown, "2025-01-07"), rel=0.01)


def test_flash_crowds_come_in_the_number_asked_for():
    traffic = replace(CALM, flash_crowds_per_week=2.0, flash_crowd_size=10.0)
    crowded = simulate(Scenario(days=7, traffic=traffic, observation=PERFECT))
    crowds = column(crowded, "request_rate") > 5 * traffic.peak_rate
    assert np.count_nonzero(np.diff(crowds.astype(int)) == 1) == 2


def test_active_users_follow_littles_law_on_average():
    traffic = Traffic(session_seconds=240.0, sessions_per_request=1 / 400)
    seen = simulate(Scenario(days=14, traffic=traffic, observation=PERFECT))
    expected = column(seen, "request_rate").astype(float).mean() / 400 * 240.0
    assert column(seen, "active_users").astype(float).mean() == pytest.approx(expected, rel=0.02)


def test_connections_stay_within_the_pool_and_reach_its_limit_under_pressure():
    service = replace(Service(), pool_minimum=4, pool_limit=20)
    connections = column(simulate(Scenario(days=3, service=service)), "db_connections")
    assert connections.min() == 4
    assert connections.max() == 20
    assert (connections == np.round(connections)).all()


def test_the_service_is_throttled_at_its_cap():
    service = replace(Service(), cap_percent=60.0)
    seen = simulate(Scenario(days=2, service=service))
    assert seen.truth["actual"].max() == 60.0
    assert seen.cpu_utilization.max() == np.float32(60.0)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3])
def test_about_the_asked_share_of_scrapes_is_missing(share):
    scenario = Scenario(days=30, observation=Observation(missing_share=share))
    assert 1 - len(simulate(scenario)) / scenario.steps == pytest.approx(share, rel=0.15)


def test_without_noise_the_rows_are_the_truth():
    service = replace(Service(), demand_noise=0.0, neighbour_cores=0.0, gc_cpu_seconds=0.0)
    seen = simulate(Scenario(days=3, service=service, observation=PERFECT))
    assert seen.truth["actual"] == pytest.approx(seen.truth["expected"], abs=1e-9)
    assert seen.cpu_utilization == pytest.approx(seen.truth["expected"], abs=1e-4)


def test_the_noise_that_no_model_can_learn_is_one_to_two_points(simulation):
    error = np.abs(simulation.cpu_utilization - simulation.truth["expected"])
    assert 1.0 < error.mean() < 2.0


def test_scrapes_are_late_but_never_early_and_counters_lose_no_request():
    jittered = simulate(Scenario(days=1, observation=Observation(jitter_seconds=5.0, missing_share=0.0)))
    exact = simulate(Scenario(days=1, observation=replace(PERFECT)))
    late = jittered.measured_at - exact.measured_at
    assert late.min() >= np.timedelta64(0, "ms")
    assert late.max() > np.timedelta64(5, "s")
    total = column(exact, "request_rate").astype(float).mean()
    assert column(jittered, "request_rate").astype(float).mean() == pytest.approx(total, rel=0.01)


def test_recurrences_equal_their_loops():
    drive = np.random.default_rng(0).random(300) + 0.1
    smooth, release = np.zeros(300), np.zeros(300)
    for step in range(300):
        smooth[step] = drive[step] + 0.9 * (smooth[step - 1] if step else 0.0)
        release[step] = max(drive[step], np.exp(-0.2) * (release[step - 1] if step else 0.0))
    assert first_order(drive, 0.9) == pytest.approx(smooth)
    assert slow_release(drive, steps_of_memory=5.0) == pytest.approx(release)
