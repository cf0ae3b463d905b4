"""Simulations as files: the predecessor's two CSV files, and Parquet."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._simulation import MEASURED_AT, Simulation

RAW_CSV = "cpu_features_raw.csv"
SCALED_CSV = "cpu_features_scaled.csv"
LOADS = ("request_rate", "active_users", "db_connections")


def write_csvs(simulation: Simulation, folder: Path) -> tuple[Path, Path]:
    """Write `cpu_features_raw.csv` and `cpu_features_scaled.csv` into a folder, and give their paths.

    Both hold the eight features, `cpu_utilization` (percent) and `measured_at` (ISO 8601, UTC). In the scaled
    file the three loads are standardised over all rows (mean 0, standard deviation 1; a constant load becomes
    0); the time features already lie within -1 and 1 and stay, and so does the cost. Present files are replaced
    in one step.
    """
    raw, scaled = folder / RAW_CSV, folder / SCALED_CSV
    columns = dict(simulation.columns())
    _write_csv(columns, raw)
    _write_csv({**columns, **{name: _standardised(columns[name]) for name in LOADS}}, scaled)
    return raw, scaled


def write_parquet(simulation: Simulation, path: Path) -> Path:
    """Write the rows as Parquet, the scenario as JSON in its metadata under `perfcast.scenario`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = dict(simulation.columns())
    moments = pa.array(columns.pop(MEASURED_AT), type=pa.timestamp("ms", tz="UTC"))
    table = pa.table({**columns, MEASURED_AT: moments})
    scenario = json.dumps(asdict(simulation.scenario), default=str)
    with _replacing(path) as partial:
        pq.write_table(table.replace_schema_metadata({"perfcast.scenario": scenario}), partial)
    return path


def _write_csv(columns: dict[str, NDArray[Any]], path: Path) -> None:
    import pyarrow as pa
    from pyarrow import csv

    moments = np.datetime_as_string(columns[MEASURED_AT], unit="ms", timezone="UTC")
    table = pa.table({**columns, MEASURED_AT: moments})
    with _replacing(path) as partial:
        csv.write_csv(table, partial, csv.WriteOptions(quoting_style="none", quoting_header="none"))


def _standardised(load: NDArray[Any]) -> NDArray[np.float32]:
    values = load.astype(np.float64)
    spread = values.std() or 1.0
    return np.asarray((values - values.mean()) / spread, dtype=np.float32)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A path to write to that takes the place of `path` when all went well, and vanishes otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
