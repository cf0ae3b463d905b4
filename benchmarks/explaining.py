"""What an explanation takes, and whether it adds up: with the champions of the shipped data.

    .venv/bin/python benchmarks/explaining.py [--seconds 60]

Prints a Markdown table and writes benchmarks/results/explaining.md.
"""

import argparse
import statistics
import time
from functools import partial
from pathlib import Path

import measured
import numpy as np

from perfcast.errors import Refused
from perfcast.explanation import choose_background, explain
from perfcast.sessions import open_session, run
from perfcast.training import Budget, train

ROWS = 200
HEAD = (
    "| data | version | rows | ms: median, p99 | largest gap of the sum | of the factors | without any way "
    "| against other rows in turn: median change of a share |"
)


def main() -> None:
    """Explain held-out rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="budget of each training")
    seconds = parser.parse_args().seconds
    lines = [HEAD, "|" + "---|" * (HEAD.count("|") - 1)]
    for dataset in measured.shipped():
        training = train(dataset, Budget(10_000, timeout=seconds), seed=0)
        best, test = training.drafts[0], training.split.test.features[:ROWS]
        predict = partial(run, open_session(best.graph))
        background = choose_background(training.split.train.features)
        took, gaps, factors, moved, refused = [], [], [], [], 0
        for row in test:
            begun = time.perf_counter()
            try:
                found = explain(dataset.workload, predict, row, background)
            except Refused:
                refused += 1
                continue
            took.append(1000 * (time.perf_counter() - begun))
            total = found.base + sum(one.amount for one in found.contributions)
            gaps.append(abs(total / found.cost - 1) if found.cost else 0.0)
            if found.typical is not None:
                product = found.typical * np.prod([one.factor for one in found.contributions])
                factors.append(abs(product / found.cost - 1))
            again = {
                one.feature: one.amount
                for one in explain(dataset.workload, predict, row, background[::-1]).contributions
            }
            size = sum(abs(one.amount) for one in found.contributions) or 1.0
            moved.append(statistics.fmean(abs(one.amount - again[one.feature]) / size for one in found.contributions))
        lines.append(
            f"| {dataset.name} | {best.manifest.type} | {len(test)} | {statistics.median(took):.1f}, "
            f"{np.quantile(took, 0.99):.1f} | {max(gaps):.1e} | {max(factors, default=0):.1e} | {refused} "
            f"| {100 * statistics.median(moved):.1f} % |"
        )
        print(lines[-1], flush=True)
    (Path(__file__).parent / "results" / "explaining.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
