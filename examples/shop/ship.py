"""Makes a dataset of a recording: what `perfcast collect` would collect, as Parquet, with a data card's figures.

python examples/shop/ship.py recording rows.parquet --until deploy
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from recording import Recording, open_recording

from perfcast.collect import CAPACITY, Prometheus, Span, read_collection
from perfcast.workloads import builtin_workloads, clock_columns

Column = npt.NDArray[np.float64]


def main() -> None:
    """Write the rows, print the figures."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("recording", type=Path)
    told.add_argument("output", type=Path)
    told.add_argument("--until", choices=("deploy", "end"), default="end", help="rows after the deploy are left out")
    chosen = told.parse_args()
    with open_recording(chosen.recording) as recording:
        table = rows(recording)
    if chosen.until == "deploy":
        table = table.filter(pc.field("demand") == 1)
    pq.write_table(table, chosen.output, compression="zstd", compression_level=19)
    json.dump(figures(table), sys.stdout, indent=1)


def rows(recording: Recording) -> pa.Table:
    """Features, cost and time of each row, with the demand, the machine's load and the real time beside them."""
    with tempfile.TemporaryDirectory() as folder:
        collection = read_collection(recording.collection(Path(folder) / "shop.yaml"), builtin_workloads())
    first = recording.stretch.begins + 2 * collection.window
    span = Span.within(first, recording.ends - collection.step, collection.step)
    server = Prometheus(collection.document.server)
    columns = {name: _column(server, query, span) for name, query in collection.queries.items()}
    columns[collection.workload.cost.name] *= 100 / columns.pop(CAPACITY)
    columns |= clock_columns(span.instants.astype("datetime64[s]"), collection.clock_features, UTC)
    extra = {"demand": "shop_demand", "load_average": "host_load1"}
    columns |= {name: _column(server, f"max({query})", span) for name, query in extra.items()}
    usable = np.all([np.isfinite(column) for column in columns.values()], axis=0)
    usable &= ~_straddles(recording, span, collection.window)
    named = [*collection.workload.feature_names, collection.workload.cost.name, *extra]
    arrays = {name: pa.array(columns[name][usable], pa.float32()) for name in named}
    instants = span.instants[usable].tolist()
    times = {"measured_at": instants, "recorded_at": [recording.stretch.real(at) for at in instants]}
    return pa.table(arrays | {name: _times(seconds) for name, seconds in times.items()})


def figures(table: pa.Table) -> dict[str, object]:
    """What a data card tells of the rows."""
    quantiles = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)
    columns = ("request_rate", "active_users", "db_connections", "cpu_utilization", "load_average")
    values = {name: table[name].to_numpy() for name in columns}
    cpu = values["cpu_utilization"]
    recorded = table["recorded_at"].to_pylist()
    return {
        "rows": len(table),
        "recorded": [recorded[0].isoformat(), recorded[-1].isoformat()],
        "percentiles": {name: np.quantile(found, quantiles).round(3).tolist() for name, found in values.items()},
        "correlation with CPU": {
            name: round(float(np.corrcoef(found, cpu)[0, 1]), 3) for name, found in values.items()
        },
    }


def _column(server: Prometheus, query: str, span: Span) -> Column:
    found = server.series(query, span)
    assert len(found) == 1, f"{query} gives {len(found)} series"
    return span.column(found[0].moments, found[0].values)


def _straddles(recording: Recording, span: Span, window: float) -> npt.NDArray[np.bool_]:
    """Rows whose window reaches from before a deploy to after it: bool [instants]."""
    late = [(span.instants > at) & (span.instants - window < at) for at, _ in recording.deploys]
    return np.any(late, axis=0) if late else np.zeros(len(span), dtype=np.bool_)


def _times(seconds: Sequence[float]) -> pa.Array:
    return pa.array([datetime.fromtimestamp(round(at, 3), UTC) for at in seconds], pa.timestamp("ms", "UTC"))


if __name__ == "__main__":
    main()
