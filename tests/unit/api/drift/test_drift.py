"""Drift over HTTP, and on the command line: what the worker has found, and why where it found nothing."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from starlette.testclient import TestClient
from tests.drafts import draft, weighted

from perfcast.api.drift._answers import DriftReport
from perfcast.cli import main
from perfcast.manifest import BUDGETS, Chart, InputReference, Reference
from perfcast.monitoring import Record
from perfcast.monitoring._judged import Judged
from perfcast.monitoring.drift import Drift
from perfcast.registry import Registry
from perfcast.settings import Settings
from perfcast.storage import Database
from perfcast.workloads import builtin_workloads

CPU = builtin_workloads()["cpu-utilization"]
MODEL = "cpu-utilization"


@pytest.fixture
def watched(settings: Settings, registry: Registry) -> Iterator[Registry]:
    """Errors five times what is usual, for a day."""
    chart = Chart(1.0, 0.5, 4.0, {str(budget): 8.0 for budget in BUDGETS})
    item = InputReference((0.0, 100.0), (0.0, 1.0, 0.0), {str(budget): 0.3 for budget in BUDGETS})
    reference = Reference({"request_rate": item}, chart, chart, burst=50.0, rows=5000, days=5, method="5 held-out days")
    made = draft(CPU, weighted(CPU, request_rate=0.3))
    made = type(made)(made.graph, msgspec.structs.replace(made.manifest, reference=reference))
    version = registry.add(MODEL, made)
    registry.point(MODEL, "champion", version.number)
    database = Database(settings.database_address)
    watcher = Drift(registry.version, lambda *_: None, clock=lambda: datetime(2026, 4, 1, tzinfo=UTC))
    moments = np.datetime64("2026-03-02T00:00:00.000000") + np.arange(0, 1440, 5).astype("timedelta64[m]")
    records = [
        Record(f"{at:08x}", MODEL, version.number, [50.0] * 8, 15.0, 10.0, 20.0, f"{moment}Z")
        for at, moment in enumerate(moments)
    ]
    with database.begin() as connection:
        watcher.predicted(connection, records)
        watcher.judged(connection, [Judged(record, 20.0, record.at) for record in records])
    yield registry
    database.close()


def test_what_was_found_is_shown_with_score_and_words(client: TestClient, watched: Registry) -> None:
    answer = client.get(f"/models/{MODEL}@champion/drift")
    assert answer.status_code == 200
    found = answer.json()
    DriftReport.model_validate(found, strict=True)
    assert set(found) == set(DriftReport.model_fields)
    first = found["findings"][0]
    assert (first["kind"], first["alarm"], first["pages"], first["feature"]) == ("error", True, True, None)
    assert first["score"] >= 1
    assert first["words"] == "mean error 5 in the last 6 hours, 5.0 times what is usual (1)"
    assert found["version"] == 3
    assert found["state"]["error"]
    assert found["alarms"]["error"] == 1
    assert found["note"] is None


def test_another_versions_drift_is_not_taken_for_the_champions(client: TestClient, watched: Registry) -> None:
    other = client.get(f"/models/{MODEL}:1/drift").json()
    DriftReport.model_validate(other, strict=True)
    assert other["findings"] == []
    assert other["note"].startswith("version 1 is not watched")
    assert client.get(f"/models/{MODEL}:3/drift").json()["findings"]
    assert client.get(f"/models/{MODEL}:99/drift").status_code == 404


def test_a_model_that_is_not_watched_says_why_and_one_that_is_not_there_is_404(client: TestClient) -> None:
    found = client.get(f"/models/{MODEL}/drift").json()
    DriftReport.model_validate(found, strict=True)
    assert found["findings"] == []
    assert not any(found["state"].values())
    assert "no reference" in found["note"]
    missing = client.get("/models/cpu-utilisation/drift")
    assert missing.status_code == 404
    assert "cpu-utilization" in missing.json()["detail"]


def test_the_command_line_shows_the_same_as_a_table_or_as_json(
    watched: Registry, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(settings.data_dir))

    def call(*words: str) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["perfcast", "drift", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit):
            main()
        shown = capsys.readouterr()
        return shown.out, shown.err

    table, heading = call(MODEL)
    assert "5.0 times what is usual" in table
    assert "pages" in table
    assert "cpu-utilization:3, watched since 2026-03-02" in heading
    assert json.loads(call(MODEL, "--json")[0])["findings"][0]["kind"] == "error"
    assert "cpu-utilization" in call("cpu-utilisation")[1]
