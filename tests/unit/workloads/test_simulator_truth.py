"""The truth of the simulated service: monotone, with a knee, and capped."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcast.errors import InvalidInput
from perfcast.workloads.cpu_utilization.simulator import Scenario
from perfcast.workloads.cpu_utilization.simulator._scaling import busy_cores, peak_cores, work_done
from perfcast.workloads.cpu_utilization.simulator._scenario import CronJob, Deploy, RequestClass, Service
from perfcast.workloads.cpu_utilization.simulator._service import expected_utilization

NOON = datetime(2025, 1, 8, 12, 30, tzinfo=UTC)
NIGHT = datetime(2025, 1, 8, 4, 30, tzinfo=UTC)

rates = st.floats(0.0, 2_000.0)
counts = st.floats(0.0, 500.0)
more = st.floats(0.0, 500.0)
moments = st.integers(0, 60 * 24 * 60).map(lambda minute: np.datetime64("2025-01-06") + np.timedelta64(minute, "m"))
services = st.builds(
    Service,
    cores=st.integers(1, 64),
    cap_percent=st.floats(20.0, 100.0),
    contention=st.floats(0.0, 0.4),
    coherency=st.one_of(st.just(0.0), st.floats(1e-6, 0.2)),
    base_cores=st.floats(0.0, 2.0),
)


@given(services, rates, counts, counts, more, more, more, moments)
def test_more_load_of_any_kind_never_lowers_the_utilisation(
    service, rate, users, connections, more_rate, more_users, more_connections, at
):
    scenario = Scenario(service=service)
    less = expected_utilization(scenario, rate, users, connections, at=at)
    for loads in (
        (rate + more_rate, users, connections),
        (rate, users + more_users, connections),
        (rate, users, connections + more_connections),
    ):
        assert expected_utilization(scenario, *loads, at=at) >= less - 1e-6


@given(services, rates, counts, counts, moments)
def test_utilisation_stays_between_zero_and_the_cap(service, rate, users, connections, at):
    seen = expected_utilization(Scenario(service=service), rate, users, connections, at=at)
    assert 0.0 <= seen <= service.cap_percent


@given(st.floats(0.0, 0.4), st.one_of(st.just(0.0), st.floats(1e-6, 0.2)), st.floats(0.0, 0.98))
def test_busy_cores_inverts_the_scalability_law_up_to_its_peak(contention, coherency, share):
    cores = share * min(peak_cores(contention, coherency), 64.0)
    assert busy_cores(work_done(cores, contention, coherency), contention, coherency) == pytest.approx(
        cores, rel=1e-9, abs=1e-12
    )


def test_no_number_of_cores_does_more_than_the_peak_of_the_scalability_law():
    peak = float(work_done(peak_cores(0.03, 0.004), 0.03, 0.004))
    assert np.isfinite(busy_cores(peak * 0.999, 0.03, 0.004))
    assert np.isinf(busy_cores(peak * 1.001, 0.03, 0.004))
    assert np.isinf(busy_cores(1.0 / 0.1, 0.1, 0.0))


def test_without_contention_and_coherency_utilisation_is_proportional_to_the_work():
    kinds = (RequestClass(name="only", cpu_seconds=0.01, share=1.0, business_share=1.0),)
    service = Service(contention=0, coherency=0, base_cores=0, request_classes=kinds, gc_cpu_seconds=0, deploys=())
    seen = expected_utilization(Scenario(service=service), [100.0, 200.0, 400.0], 0, 0, at=NIGHT)
    assert seen == pytest.approx([12.5, 25.0, 50.0])


def test_each_further_request_costs_more_near_saturation_than_on_an_idle_machine():
    scenario = Scenario()
    seen = expected_utilization(scenario, np.arange(400.0), 0, 0, at=NOON)
    costs = np.diff(seen[seen < 95.0])
    assert costs[-1] > 2.0 * costs[5] > 0.0


def test_a_request_costs_more_after_a_deploy_and_most_right_after_it():
    service = replace(Service(), deploys=(Deploy(day=1.0, demand_factor=1.5),))
    at = np.array(["2025-01-06T23:58", "2025-01-07T00:02", "2025-01-07T05:30"], dtype="datetime64[ms]")
    before, cold, warm = expected_utilization(Scenario(service=service), 100.0, 50.0, 20.0, at=at)
    assert before * 1.3 < warm < cold


def test_cron_jobs_add_their_cores_while_they_run():
    job = CronJob(name="backup", cores=2.0, hour=23, minute=50, duration_minutes=20)
    scenario = Scenario(service=replace(Service(), cron_jobs=(job,)))
    at = np.array(["2025-01-06T23:49", "2025-01-06T23:50", "2025-01-07T00:09", "2025-01-07T00:10"], "datetime64[ms]")
    seen = expected_utilization(scenario, 10.0, 0, 0, at=at)
    assert seen[0] == seen[3] < seen[1] == seen[2]


@pytest.mark.parametrize(
    ("given", "field"), [({"days": 0.0}, "days"), ({"days": -1.0}, "days"), ({"seed": -1}, "seed")]
)
def test_an_impossible_scenario_is_refused_by_name(given, field):
    with pytest.raises(InvalidInput, match=field):
        Scenario(**given)
