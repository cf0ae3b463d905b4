"""`perfcast models accuracy` against the database and against a server."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.contract.conftest import start
from tests.drafts import draft, weighted
from tests.workers import stop

from perfcast.cli import main
from perfcast.monitoring import Judged, LiveAccuracy, Record, versions_of
from perfcast.registry import Registry
from perfcast.settings import load_settings
from perfcast.storage import Blobs, Database, time_text
from perfcast.workloads import builtin_workloads

Run = Callable[..., tuple[int, str, str]]
MODEL = "cpu-utilization"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A champion that is 2 wrong and a shadow that is 1 wrong, for 30 hours."""
    settings = load_settings(data_dir=tmp_path)
    database = Database(settings.database_address)
    database.migrate()
    registry = Registry(database, Blobs(settings.artifacts_address))
    workload = builtin_workloads()[MODEL]
    for number, alias in ((1, "champion"), (2, "shadow")):
        registry.add(MODEL, draft(workload, weighted(workload, request_rate=0.25 * number)))
        registry.point(MODEL, alias, number)
    times = [time_text(datetime.now(UTC) - timedelta(hours=hours)) for hours in range(1, 31)]
    records = [
        Record(f"{place:026x}", MODEL, number, [100.0, 50, 20, 0, 0, 0, 0, 1], cost, cost - 3, cost + 3, at, arm)
        for place, at in enumerate(times)
        for number, arm, cost in ((1, "champion", 48.0 + 0.1 * (place % 2)), (2, "shadow", 51.0))
    ]
    watcher = LiveAccuracy(versions_of(registry))
    with database.begin() as connection:
        watcher.predicted(connection, records)
        watcher.judged(connection, [Judged(record, 50.0, record.at) for record in records])
    database.close()
    return tmp_path


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("DATA_DIR", str(folder))

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["perfcast", "models", "accuracy", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        code = stopped.value.code
        return (code if isinstance(code, int) else 0), shown.out, shown.err

    return call


def test_it_shows_each_arm_and_who_is_better(run: Run) -> None:
    status, out, err = run(MODEL)
    assert status == 0, err
    assert "shadow against champion: MAE -0.95" in out
    assert "shadow is better" in out
    line = next(line.split() for line in out.splitlines() if line.startswith("shadow") and " all " in line)
    assert line == ["shadow", "2", "all", "30", "30", "1", "2", "1", "1", "100", "6", "0"]


def test_a_server_tells_the_same(run: Run, folder: Path) -> None:
    _, here, _ = run(MODEL, "--json")
    server, url = start(folder)
    try:
        status, there, err = run(MODEL, "--json", "--url", url)
    finally:
        stop(server)  # type: ignore[arg-type]
    assert status == 0, err
    told = json.loads(there)
    for alias, arm in json.loads(here).items():
        assert {name: told[alias][name] for name in arm} == arm


def test_an_unknown_model_is_told_with_the_closest(run: Run) -> None:
    status, _, err = run("cpu-utilisation")
    assert (status, "did you mean 'cpu-utilization'" in err) == (1, True)
