"""A schedule from new rows and a signal to a promoted and a refused version, by a real worker; and its commands."""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.contract.conftest import start
from tests.drafts import draft, weighted
from tests.patience import until
from tests.workers import Shop, stop, working

from perfcast.cli import main
from perfcast.jobs import Plan, Schedules, Submissions
from perfcast.jobs.schedules import Retrain
from perfcast.workloads import builtin_workloads

MODEL = "cpu-utilization"
QUICKLY = Retrain(n_trials=2, families=("polynomial",))
Run = Callable[..., tuple[int, str, str]]


def with_model(shop: Shop) -> Schedules:
    """The shop, with a champion that is rather wrong."""
    cpu = builtin_workloads()[MODEL]
    shop.registry.add(MODEL, draft(cpu, weighted(cpu, request_rate=0.01)), dataset="simulated")
    shop.registry.point(MODEL, "champion", 1)
    submissions = Submissions(shop.datasets, shop.registry, builtin_workloads())
    return Schedules(shop.database, submissions, ZoneInfo("UTC"))


def done(schedules: Schedules, runs: int) -> list[dict[str, Any]]:
    """The runs, oldest first, once so many have succeeded."""

    def look() -> list[dict[str, Any]] | None:
        fired = [event for event in reversed(schedules.history(MODEL)) if event["kind"] == "fired"]
        assert "failed" not in [event["job_status"] for event in fired], fired
        return fired if [event["job_status"] for event in fired] == ["succeeded"] * runs else None

    return until(look, 90)


def test_a_schedule_fires_retrains_is_gated_and_leaves_its_history(either_shop: Shop) -> None:
    schedules = with_model(either_shop)
    schedules.put(MODEL, Plan(new_rows=500, drift=True, minimum_interval_seconds=1, request=QUICKLY))
    with working(either_shop.settings):
        (first,) = done(schedules, 1)
        assert first["trigger"] == "new_rows"
        assert (first["outcome"] or "").startswith("promoted")
        assert either_shop.registry.model(MODEL).aliases["champion"] == first["model_version"] == 2
        assert schedules.signal(MODEL, "drift", "request_rate has moved")
        _, second = done(schedules, 2)
    assert (second["trigger"], second["reason"]) == ("drift", "drift signal: request_rate has moved")
    assert (second["outcome"] or "").startswith("stays a candidate")
    assert (second["model_version"], either_shop.registry.model(MODEL).aliases["champion"]) == (3, 2)
    events = [event for event in schedules.history(MODEL) if event["kind"] != "held_back"]
    assert [event["kind"] for event in events] == ["fired", "signal", "fired"]
    assert either_shop.jobs.page()[1] == 2


def test_of_two_workers_one_fires(shop: Shop) -> None:
    schedules = with_model(shop)
    with working(shop.settings), working(shop.settings):
        schedules.put(MODEL, Plan(drift=True, minimum_interval_seconds=1, request=QUICKLY))
        for runs in (1, 2):
            assert schedules.signal(MODEL, "accuracy", "MAE 4.1, 2.0 when it was promoted")
            done(schedules, runs)
    assert shop.jobs.page()[1] == 2


@pytest.fixture(params=["the database", "a server"])
def run(
    request: pytest.FixtureRequest, shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Call the command line in this process; gives exit status, standard output and standard error."""
    for name, value in shop.settings.environment.items():
        monkeypatch.setenv(name, value)
    server, url = start(shop.settings.data_dir) if request.param == "a server" else (None, "")

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["perfcast", "schedules", *words, *(["--url", url] if url else [])])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        code = stopped.value.code
        return (code if isinstance(code, int) else 0), shown.out, shown.err

    yield call
    if server is not None:
        stop(server)  # type: ignore[arg-type]


def test_a_schedule_is_set_listed_shown_and_removed_by_commands(run: Run, shop: Shop) -> None:
    schedules = with_model(shop)
    status, out, err = run("set", MODEL, "--cron", "0 3 * * *", "--drift", "--trials", "7", "--families", "polynomial")
    assert (status, json.loads(out)["request"]["n_trials"]) == (0, 7), err
    status, out, err = run("show", MODEL)
    assert (json.loads(out)["cron"], json.loads(out)["drift"]) == ("0 3 * * *", True)
    status, out, err = run("list")
    assert MODEL in out
    assert "0 3 * * *" in out
    status, out, err = run("list", "--json")
    assert [entry["model_name"] for entry in json.loads(out)] == [MODEL]
    schedules.signal(MODEL, "drift", "PSI 0.4")
    status, out, err = run("history", MODEL)
    assert "drift" in out
    assert "PSI 0.4" in out
    status, out, err = run("history", MODEL, "--json")
    assert [event["kind"] for event in json.loads(out)] == ["signal"]
    status, out, err = run("set", MODEL, "--cron", "61 * * * *")
    assert (status, "cron: can't read the field minute" in err) == (1, True)
    status, out, err = run("remove", MODEL)
    assert (status, "no schedule any more" in err) == (0, True)
    status, out, err = run("show", MODEL)
    assert (status, "unknown schedule" in err) == (1, True)
