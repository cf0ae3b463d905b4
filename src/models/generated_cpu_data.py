"""Simulate the CPU utilisation of a service and write it as the predecessor's script did."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

try:
    import perfcast  # noqa: F401 - is it installed?
except ImportError:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from perfcast.workloads.cpu_utilization.simulator import Scenario, simulate, write_csvs


def main() -> None:
    """Write `cpu_features_raw.csv` and `cpu_features_scaled.csv`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=Scenario.days, help="simulated days (default: %(default)g)")
    parser.add_argument("--seed", type=int, default=Scenario.seed, help="seed of all randomness (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=Path("data"), help="folder to write to (default: %(default)s)")
    options = parser.parse_args()
    simulation = simulate(replace(Scenario(), days=options.days, seed=options.seed))
    for path in write_csvs(simulation, options.output):
        print(f"wrote {path}: {len(simulation):,} rows")


if __name__ == "__main__":
    main()
