"""Simulations as files, and the predecessor's script."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest

from perfcast.workloads.cpu_utilization.simulator import Scenario, simulate, write_csvs, write_parquet
from perfcast.workloads.cpu_utilization.simulator._simulation import COST, FEATURES, MEASURED_AT

ROOT = Path(__file__).resolve().parents[3]
SIMULATION = Scenario(days=1, seed=3)


@pytest.fixture
def simulation():
    return simulate(SIMULATION)


def test_the_raw_csv_reads_back_bit_for_bit(simulation, tmp_path):
    raw, _ = write_csvs(simulation, tmp_path / "made" / "data")
    table = pyarrow.csv.read_csv(raw)
    assert table.column_names == [*FEATURES, COST, MEASURED_AT]
    for name, values in simulation.columns().items():
        if name == MEASURED_AT:
            assert (table[name].to_numpy().astype("datetime64[ms]") == values).all()
        else:
            assert np.array_equal(table[name].to_numpy().astype(np.float32), values)
    lines = raw.read_text().splitlines()
    assert lines[0].startswith("request_rate,active_users,")
    assert lines[1].endswith("Z")


def test_the_scaled_csv_standardises_the_loads_and_nothing_else(simulation, tmp_path):
    _, scaled = write_csvs(simulation, tmp_path)
    table = pyarrow.csv.read_csv(scaled)
    for name in FEATURES[:3]:
        values = table[name].to_numpy()
        assert values.mean() == pytest.approx(0.0, abs=1e-5)
        assert values.std() == pytest.approx(1.0, abs=1e-5)
    for name in (*FEATURES[3:], COST):
        assert np.array_equal(table[name].to_numpy().astype(np.float32), simulation.columns()[name])


def test_parquet_keeps_types_and_the_scenario(simulation, tmp_path):
    table = pyarrow.parquet.read_table(write_parquet(simulation, tmp_path / "cpu.parquet"))
    assert np.array_equal(table[COST].to_numpy(), simulation.cpu_utilization)
    assert str(table.schema.field("request_rate").type) == "float"
    assert str(table.schema.field(MEASURED_AT).type) == "timestamp[ms, tz=UTC]"
    scenario = json.loads(table.schema.metadata[b"perfcast.scenario"])
    assert scenario["seed"] == 3
    assert scenario["service"]["cores"] == 8


def test_files_are_replaced_and_no_partial_file_is_left(simulation, tmp_path):
    write_csvs(simulation, tmp_path)
    write_csvs(simulate(Scenario(days=0.5)), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cpu_features_raw.csv", "cpu_features_scaled.csv"]
    assert len((tmp_path / "cpu_features_raw.csv").read_text().splitlines()) < 800


def test_the_predecessors_command_writes_both_files_from_a_bare_checkout(tmp_path):
    script = ROOT / "src" / "models" / "generated_cpu_data.py"
    done = subprocess.run(
        [sys.executable, str(script), "--days", "0.5", "--seed", "1"],
        cwd=tmp_path,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "cpu_features_raw.csv" in done.stdout
    assert len(list((tmp_path / "data").glob("cpu_features_*.csv"))) == 2
