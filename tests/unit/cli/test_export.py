"""`perfcast models export` writes a registered version."""

import sys
from pathlib import Path

import pytest
from tests.drafts import draft, weighted

from perfcast.cli import main
from perfcast.registry import Registry
from perfcast.storage import Blobs, Database
from perfcast.workloads import builtin_workloads


@pytest.fixture
def _registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    (tmp_path / "var").mkdir()
    database = Database(f"sqlite:///{tmp_path / 'var' / 'perfcast.db'}")
    database.migrate()
    registry = Registry(database, Blobs(str(tmp_path / "var" / "artifacts")))
    cpu = builtin_workloads()["cpu-utilization"]
    for weight in (0.25, 0.5):
        registry.add("cpu-utilization", draft(cpu, weighted(cpu, request_rate=weight)))
    registry.point("cpu-utilization", "champion", 1)
    database.close()


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["perfcast", "models", "export", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


@pytest.mark.usefixtures("_registered")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("cpu-utilization",), "model.onnx"),
        (("cpu-utilization", "--format", "onnx"), "manifest.json"),
        (("cpu-utilization", "--format", "triton"), "cpu-utilization/1/model.onnx"),
        (("cpu-utilization:2", "--format", "triton"), "cpu-utilization/2/model.onnx"),
        (("cpu-utilization", "--format", "kserve"), "repository/cpu-utilization/1/model.onnx"),
        (("cpu-utilization", "--format", "kserve"), "perfcast.yaml"),
    ],
)
def test_the_version_is_written_in_the_form_asked_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    expected: str,
) -> None:
    assert run(monkeypatch, *words, str(tmp_path / "out")) == 0
    assert (tmp_path / "out" / expected).is_file()
    assert str(tmp_path / "out" / expected) in capsys.readouterr().out.split()


@pytest.mark.usefixtures("_registered")
def test_an_unknown_version_is_told_and_nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "cpu-utilization:9", str(tmp_path / "out")) != 0
    assert "unknown version" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
