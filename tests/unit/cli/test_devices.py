"""`perfcast devices`: data sheets are listed and shown, and this machine is added to them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from perfcast.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["perfcast", "devices", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        return int(stopped.value.code or 0), shown.out, shown.err

    return call


def test_a_shipped_device_is_listed_and_shown_with_its_source(run: Run) -> None:
    code, shown, _ = run("list")
    assert code == 0
    assert "v100-pcie" in shown
    code, shown, told = run("show", "v100-pcie")
    assert code == 0
    assert "14,000 GFLOP/s" in shown
    assert "source: NVIDIA" in told


def test_an_unknown_device_is_one_line(run: Run) -> None:
    code, _, told = run("show", "v101")
    assert code == 1
    assert told.startswith("perfcast: unknown device 'v101'; did you mean")


def test_this_machine_is_added_with_what_is_given_and_listed(run: Run, tmp_path: Path) -> None:
    figures = ("--peak-gflops", "100", "--bandwidth", "20", "--clock-ghz", "2.5")
    assert run("add", "mine", *figures)[0] == 0
    assert (tmp_path / "var/devices/mine.yaml").is_file()
    found = json.loads(run("list", "--json")[1])["mine"]
    assert (found["peak_gflops"], found["balance"], found["processors"] >= 1) == (100, 5, True)
    assert "measured: nothing" in found["sources"][0]
    assert run("add", "mine", *figures)[0] == 1
    assert run("add", "mine", *figures, "--replace")[0] == 0


def test_a_device_of_another_kind_is_refused(run: Run) -> None:
    code, _, told = run("add", "--device", "tpu")
    assert code == 1
    assert "--device must be cpu or cuda" in told


def test_datasets_of_devices_become_one(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["batch_size,input_channels,input_height,input_width,output_channels,kernel_size,execution_time_ms"]
    (tmp_path / "rows.csv").write_text("\n".join([*lines, *(f"{n},3,32,32,8,3,{0.1 * n}" for n in range(1, 9))]))
    for name in ("one", "two"):
        words = ["data", "import", str(tmp_path / "rows.csv"), "--workload", "cnn-execution-time", "--name", name]
        monkeypatch.setattr(sys, "argv", ["perfcast", *words])
        with pytest.raises(SystemExit):
            main()
    code, _, told = run("join", "both", "one=t4", "two=v100-pcie")
    assert code == 0, told
    assert "'both' of convolution-across-devices (16 rows)" in told
    assert run("join", "both", "one")[0] != 0
    assert "unknown device" in run("join", "both", "one=t5")[2]
