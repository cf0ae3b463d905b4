"""The arithmetic of the capacity model, against cases worked out by hand."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.planned import SERVICE, Figures, Plan, mean_wait, plan, simulate
from deploy.dashboards._files import DEPLOY
from hypothesis import given
from hypothesis import strategies as st

from perfcast.settings import Settings

ROOT = Path(__file__).parents[3]
ROUND = Figures(
    requests_per_process=1_000, keyed_share=1, utilisation=0.5, base_megabytes=100, model_megabytes=10,
    record_bytes=100, block_bytes=1_000, block_seconds=1, log_gigabytes=5, pool=5, observer_rows=20_000,
    target_series=10, model_series=50, request_bytes=500, answer_bytes=500, job_seconds=302.4, machine_cores=4,
    machine_gigabytes=10, machine_gigabits=1,
    nginx_requests=10_000, database_connections=100, database_megabytes=2, price_machine=100, price_database=1_000,
    price_gigabyte=1, price_traffic=0.1,
)  # fmt: skip
"""Figures that can be reckoned with in one's head."""


def used(made: Plan, name: str) -> tuple[float, float]:
    (load,) = (load for load in made.loads if load.name == name)
    return load.used, load.bound


def test_a_size_worked_out_by_hand() -> None:
    made = plan(4_000, 10, ROUND)
    assert (made.groups, made.processes) == (1, 8)  # a process bears 1,000 × 0.5
    assert made.machines == 2  # of four cores
    assert made.memory_gigabytes == pytest.approx(8 * 0.2)  # 100 + 10 × 10 MB each
    # 500 requests a process and second leave no model out: 8 processes write 10 blocks a second each.
    assert made.written_megabytes == pytest.approx(80 * 1_000 / 1e6 + 4_000 * 100 / 1e6)
    assert made.day_gigabytes == pytest.approx(0.48 * 86.4)
    assert made.kept_hours == pytest.approx(5_000 / 0.48 / 3600)
    assert made.workers == 1
    assert made.connections == (8 + 1) * 5
    assert (made.scrape_series, made.series) == (10 + 10 * 50, 2 * 510)
    assert made.scrape_megabytes == pytest.approx(510 * 90 / 1e6)
    assert used(made, "one nginx: requests") == (4_000, 5_000)
    assert used(made, "one nginx: network") == pytest.approx((4_000 * 1_000 * 8 / 1e9, 0.5))
    assert used(made, "the observer") == (4_000, 10_000)
    assert used(made, "database writes") == pytest.approx((0.48, 1))
    assert (made.first.name, made.first.share) == ("one nginx: requests", 0.8)
    # Two for the API, one each for nginx, Prometheus, Redis and training; a database; 5 GB; 5.184 TB of answers.
    assert made.month == pytest.approx(6 * 100 + 1_000 + 5 + 518.4)


def test_more_models_than_a_process_holds_are_parted_among_groups() -> None:
    made = plan(100, 500, ROUND)  # a process may have 2,000 MB, so 190 models
    assert (made.groups, made.processes) == (3, 6)
    assert made.memory_gigabytes == pytest.approx(6 * (0.1 + 167 * 0.01))


def test_each_model_trained_weekly_keeps_workers_as_busy_as_is_allowed() -> None:
    assert plan(1, 1_000, ROUND).workers == 1  # 302,400 s of 604,800, half of which may be used
    assert plan(1, 1_001, ROUND).workers == 2


def test_without_records_the_database_has_nothing_to_do_and_limits_in_redis_are_a_command_each() -> None:
    bare = plan(4_000, 10, ROUND, recorded=False, shared_limits=True)
    assert [used(bare, name)[0] for name in ("database writes", "database commits", "the observer")] == [0, 0, 0]
    assert used(bare, "one Redis")[0] == 4_000
    assert bare.month < plan(4_000, 10, ROUND).month


@given(st.floats(1, 1e6), st.integers(1, 10_000), st.floats(1, 3), st.integers(1, 3))
def test_more_requests_and_more_models_never_need_less(rate: float, models: int, more: float, times: int) -> None:
    less = plan(rate, models, Figures())
    for greater in (plan(rate * more, models, Figures()), plan(rate, models * times, Figures())):
        for name in ("processes", "machines", "connections", "workers", "written_megabytes", "scrape_series"):
            # Each group rounds up: n processes in g groups are at most n + g - 1, and at least the greater of n and g.
            assert getattr(greater, name) >= 0.5 * getattr(less, name), name


@given(st.floats(1, 1e6), st.floats(1, 10))
def test_with_as_many_models_more_requests_need_no_less_of_anything(rate: float, more: float) -> None:
    less, greater = plan(rate, 10, Figures()), plan(rate * more, 10, Figures())
    for name in ("processes", "machines", "memory_gigabytes", "connections", "written_megabytes", "month"):
        assert getattr(greater, name) >= getattr(less, name) * (1 - 1e-9), name


def test_a_better_process_needs_fewer() -> None:
    quick = replace(Figures(), requests_per_process=20_000)
    assert plan(1e6, 10, quick).processes < plan(1e6, 10, Figures()).processes


def test_the_queue_waits_as_the_formula_says() -> None:
    assert mean_wait(0.5, {1.0: 1.0}) == pytest.approx(0.5)  # the same time for all: ρ / (2(1 - ρ))
    for busy in (0.3, 0.6, 0.8):
        mean, median, high = simulate(busy)
        service = sum(time * share for time, share in SERVICE.items())
        assert mean == pytest.approx(service + mean_wait(busy), rel=0.05)
        assert median < mean < high


def test_figures_that_are_defaults_are_those_of_the_code() -> None:
    figures, settings = Figures(), Settings()
    assert figures.block_seconds == settings.prediction_log_seconds
    assert figures.pool == settings.database_pool_size
    assert figures.log_gigabytes == settings.prediction_log_bytes / 1e9
    assert f"sample_limit: {figures.sample_limit:.0f}" in (DEPLOY / "prometheus/prometheus.yml").read_text()


def test_the_page_has_what_the_script_prints() -> None:
    words = [sys.executable, "benchmarks/planning.py"]
    printed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    assert printed in (ROOT / "docs/planning.md").read_text()


def test_an_unknown_figure_is_refused_by_name() -> None:
    words = [sys.executable, "benchmarks/planning.py", "--set", "nginx=5"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no figure is called 'nginx'" in done.stderr
