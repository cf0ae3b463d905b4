"""`perfcast calibrate`: chosen layers are measured, here or elsewhere, and a version is adapted to them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.drafts import draft, linear_graph

from perfcast.cli import main
from perfcast.devices import load_devices
from perfcast.registry import Registry
from perfcast.storage import Blobs, Database
from perfcast.training import basis_of
from perfcast.workloads import RowReader, builtin_workloads

Run = Callable[..., tuple[int, str, str]]
ACROSS = builtin_workloads()["convolution-across-devices"]


def opened(folder: Path) -> tuple[Database, Registry]:
    database = Database(f"sqlite:///{folder / 'perfcast.db'}")
    database.migrate()
    return database, Registry(database, Blobs(str(folder / "artifacts")))


@pytest.fixture
def run_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line beside a registry with a model that answers each device's roofline, and one of a service."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var").mkdir()
    database, registry = opened(tmp_path / "var")
    basis, load = basis_of(ACROSS), builtin_workloads()["cpu-utilization"]
    assert basis is not None
    registry.add("roofline", draft(ACROSS, basis.graph))
    registry.add("load", draft(load, linear_graph([0.01] * len(load.features))))
    database.close()

    def call(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["perfcast", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        return int(stopped.value.code or 0), shown.out, shown.err

    return call


def measured_elsewhere(layers: Path, device: str) -> None:
    """Times of the chosen layers: four times the roofline, half as much again where the peak is the bound."""
    frame, basis = pl.read_csv(layers), basis_of(ACROSS)
    assert basis is not None
    figures = load_devices()[device].features(ACROSS.feature_names, device)
    reader = RowReader(ACROSS)
    rows = np.array([reader.read({**row, **figures}) for row in frame.to_dicts()], np.float32)
    bound = ACROSS.inputs(rows)[:, ACROSS.input_names.index("balance")] > 1
    times = np.where(bound, 6, 4) * basis.cost(rows)
    frame.with_columns(execution_time_ms=pl.Series(times)).write_csv(layers)


def test_layers_are_chosen_measured_elsewhere_and_adapted_to(run_cli: Run, tmp_path: Path) -> None:
    layers = tmp_path / "layers.csv"
    words = ("calibrate", "--device", "t4", "--from", "roofline:1")
    assert run_cli(*words, "--layers", "25", "--choose", str(layers))[0] == 0
    assert len(pl.read_csv(layers).unique()) == 25
    measured_elsewhere(layers, "t4")
    code, _, told = run_cli(*words, "--file", str(layers))
    assert code == 0, told
    assert "convolution-across-devices-t4:1: MAPE" in told
    database, registry = opened(tmp_path / "var")
    version = registry.resolve("convolution-across-devices-t4")
    metrics = version.manifest.metrics
    database.close()
    assert version.manifest.base == "roofline:1"
    assert metrics is not None
    assert metrics.mape is not None
    assert metrics.mape < 25
    assert "peak_gflops" in version.manifest.ranges


def test_this_machine_is_measured_and_adapted_to(run_cli: Run) -> None:
    figures = ("--peak-gflops", "50", "--bandwidth", "10", "--clock-ghz", "2", "--cache-megabytes", "30")
    assert run_cli("devices", "add", "mine", *figures)[0] == 0
    code, _, told = run_cli(
        "calibrate", "--device", "mine", "--from", "roofline:1", "--layers", "8", "--budget-ms", "1"
    )
    assert code == 0, told
    assert "layers measured" in told
    assert "convolution-across-devices-mine:1: MAPE" in told


def test_what_cant_be_is_one_line(run_cli: Run) -> None:
    code, _, told = run_cli("calibrate", "--device", "t4", "--from", "load:1")
    assert (code, "only convolutions and operators can be measured" in told) == (1, True)
    code, _, told = run_cli("calibrate", "--device", "t5", "--from", "roofline:1")
    assert (code, "unknown device 't5'" in told) == (1, True)
    code, _, told = run_cli("calibrate", "--device", "t4", "--from", "roofline:1")
    assert (code, "'t4' is a gpu, --on is cpu" in told) == (1, True)
    processor = "xeon-platinum-8380"
    code, _, told = run_cli("calibrate", "--device", processor, "--from", "roofline:1", "--runtime", "other")
    assert (code, "runtime is 'other'" in told) == (1, True)


def test_a_device_is_told_by_its_name_in_a_prediction(run_cli: Run) -> None:
    layer = (
        "batch_size=8",
        "input_channels=64",
        "input_height=56",
        "input_width=56",
        "output_channels=64",
        "kernel_size=3",
    )
    times = {}
    for device in ("t4", "a100-sxm4-40gb"):
        code, answered, _ = run_cli("predict", "--model", "roofline:1", "--device", device, *layer)
        assert code == 0
        times[device] = json.loads(answered)["execution_time_ms"]
    work = 2 * 8 * 56 * 56 * 64 * 64 * 9
    assert times["t4"] == pytest.approx(work / 8.1e12 * 1e3, rel=1e-4)
    assert times["t4"] / times["a100-sxm4-40gb"] == pytest.approx(19.5 / 8.1, rel=1e-4)
