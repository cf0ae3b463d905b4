"""How many rows a second `perfcast score` does in one process, on a small graph.

    python benchmarks/scoring.py --rows 2000000

Rows of eight features come as Parquet in row groups of 200,000 and go out as Parquet, intervals included.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.unit.scoring.test_score import PLAN, frame, written

from perfcast.scoring import score


def main() -> None:
    """Score once and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="perfcast-scoring-") as name:
        source = written(Path(name) / "rows.parquet", frame(rows), group=200_000)
        begun = time.process_time()
        report = score(PLAN, source, Path(name) / "out")
        used = time.process_time() - begun
    print(
        f"{report.rows / report.seconds:,.0f} rows/s; {report.seconds:.1f} s, of which {used:.1f} s of processor time"
    )


if __name__ == "__main__":
    main()
