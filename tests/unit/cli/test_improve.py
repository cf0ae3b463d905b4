"""`perfcast profile --improve` asks a registered model which convolutions to measure."""

import sys
from pathlib import Path

import pytest
from tests.drafts import draft, linear_graph

from perfcast.cli import main
from perfcast.registry import Registry
from perfcast.storage import Blobs, Database
from perfcast.workloads import builtin_workloads
from perfcast.workloads.cnn_execution_time.profiler import WORKLOAD
from perfcast.workloads.cnn_execution_time.profiler._journal import read_journal
from perfcast.workloads.cnn_execution_time.profiler._sampler import sample_configurations


@pytest.fixture
def _registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`times:1` disagrees with itself where there are many images, `times:2` can't; `load` is of another workload."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    (tmp_path / "var").mkdir()
    database = Database(f"sqlite:///{tmp_path / 'var' / 'perfcast.db'}")
    database.migrate()
    registry = Registry(database, Blobs(str(tmp_path / "var" / "artifacts")))
    times, load = builtin_workloads()[WORKLOAD], builtin_workloads()["cpu-utilization"]
    weights, apart = [0.01] * len(times.features), [1.0, *[0.0] * (len(times.features) - 1)]
    registry.add("times", draft(times, linear_graph(weights, spread=apart)))
    registry.add("times", draft(times, linear_graph(weights)))
    registry.add("load", draft(load, linear_graph([0.01] * len(load.features))))
    database.close()


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, reference: str) -> int:
    words = ["profile", "--configurations", "50", "--rounds", "2", "--budget-ms", "1", "--no-keep"]
    monkeypatch.setattr(sys, "argv", ["perfcast", *words, "--output", str(folder), "--improve", reference])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


@pytest.mark.usefixtures("_registered")
def test_those_are_measured_on_which_its_members_disagree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, tmp_path, "times:1") == 0
    measured = read_journal(tmp_path / "cpu-torch.journal.jsonl").configurations
    usual = sample_configurations(50, seed=0)
    assert min(config.batch_size for config in measured) > sorted(config.batch_size for config in usual)[25]
    assert "chosen by times:1" in (tmp_path / "cpu-torch.md").read_text()


@pytest.mark.usefixtures("_registered")
@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("times:2", "times:2 (xgboost) has one member"),
        ("load:1", "load:1 doesn't read the features of cnn-execution-time"),
        ("times:9", "unknown version 'times:9'"),
        ("nobody", "nobody"),
    ],
)
def test_a_model_that_can_not_choose_is_refused_before_anything_is_measured(
    reference: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path / "out", reference) > 0
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()
