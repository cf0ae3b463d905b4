"""How long imports take and how much memory, beside Polars reading the same file and no more.

Run: `python benchmarks/importing.py [ROWS]`; writes `benchmarks/results/importing.md`. Each measurement is a process of
its own, and the two take turns.
"""

import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

ROUNDS = 3
IMPORT = """
from pathlib import Path
from perfcast.datasets import import_file
from perfcast.workloads import builtin_workloads
work = lambda path: import_file(Path(path), builtin_workloads()["cpu-utilization"], name="rows")[1].kept
"""
READ = """
import polars as pl
work = lambda path: (pl.read_csv if path.endswith("csv") else pl.read_parquet)(path).height
"""
MEASURE = """
import sys, time
begun = time.process_time()
work(sys.argv[1])
seconds = time.process_time() - begun
print(seconds, int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) / 1024)
"""


def write(folder: Path, rows: int) -> list[Path]:
    """Minutes of a service, as CSV and as Parquet."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    random = np.random.default_rng(0)
    times = pa.array(np.datetime64("2015-01-01", "s") + 60 * np.arange(rows))
    table = pa.table(
        {
            "timestamp": times.cast(pa.string()),
            "request_rate": random.uniform(0, 600, rows).round(3),
            "active_users": random.integers(0, 100, rows),
            "db_connections": random.integers(1, 50, rows),
            "cpu_utilization": random.uniform(1, 99, rows).round(3),
        }
    )
    pa.csv.write_csv(table, folder / "rows.csv")
    pq.write_table(table.set_column(0, "timestamp", times), folder / "rows.parquet")
    return [folder / "rows.csv", folder / "rows.parquet"]


def measured(code: str, path: Path) -> tuple[float, float]:
    """Seconds of processor time, and most MB in memory."""
    done = subprocess.run([sys.executable, "-c", code + MEASURE, path], capture_output=True, text=True, check=True)
    seconds, most = done.stdout.split()
    return float(seconds), float(most)


def main() -> None:
    """Measure and write the page."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    lines = [
        "| file | import | most memory | Polars reading it | most memory | import / Polars |",
        "|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for path in write(Path(folder), rows):
            both = [(measured(IMPORT, path), measured(READ, path)) for _ in range(ROUNDS)]
            (ours, our_most), (theirs, their_most) = (
                (median(pair[of][0] for pair in both), max(pair[of][1] for pair in both)) for of in (0, 1)
            )
            name = f"{path.suffix[1:]}, {path.stat().st_size / 1e6:,.0f} MB"
            lines.append(
                f"| {name} | {ours:.1f} s | {our_most:,.0f} MB | {theirs:.2f} s | {their_most:,.0f} MB "
                f"| {median(ours[0] / theirs[0] for ours, theirs in both):.1f} |"
            )
    about = f"{rows:,} rows of `cpu-utilization` with a time; seconds of processor time of all threads, median of {ROUNDS} taking\nturns; {platform.machine()}."
    made = "`python benchmarks/importing.py`"
    page = Path(__file__).parent / "results" / "importing.md"
    page.write_text("\n".join(["# Importing", "", f"{about} Written by {made}.", "", *lines, ""]))
    print(page.read_text())


if __name__ == "__main__":
    main()
