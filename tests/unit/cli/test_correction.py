"""The command line answers with corrected intervals as a server does, and shows how they are corrected."""

import json
import sys
from pathlib import Path

import pytest
from tests.corrections import take_in, truths
from tests.drafts import draft, weighted

from perfcast.cli import main
from perfcast.registry import Registry
from perfcast.storage import Blobs, Database, now
from perfcast.workloads import builtin_workloads


def test_predict_and_show_know_of_corrections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["perfcast", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit):
            main()
        return capsys.readouterr().out

    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    cpu = builtin_workloads()["cpu-utilization"]
    database = Database(f"sqlite:///{tmp_path / 'perfcast.db'}")
    database.migrate()
    registry = Registry(database, Blobs(str(tmp_path / "artifacts")))
    registry.add("m", draft(cpu, weighted(cpu, request_rate=0.25)))
    registry.point("m", "champion", 1)
    ask = (
        "predict",
        "--model",
        "m",
        "request_rate=100",
        "active_users=1",
        "db_connections=1",
        "timestamp=2026-03-02T14:05:00Z",
    )
    assert json.loads(run(*ask))["upper"] == 27
    assert "corrected" not in run("models", "show", "m:1")
    about = {"model_name": "m", "model_version": 1, "prediction_timestamp": now(), "prediction_id": "a"}
    take_in(database, registry, truths(about | {"cpu_utilization": 25.0}, 10))
    assert json.loads(run(*ask))["upper"] == pytest.approx(35)
    assert "corrected by 60 actuals: lower +12, upper +8" in run("models", "show", "m:1")
    database.close()
