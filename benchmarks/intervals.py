"""What bands of disagreement bring: 90 % intervals of four networks, and of their mean with trees, on held-out rows.

    .venv/bin/python benchmarks/intervals.py [--public FOLDER] [--only NAME] [--seed 0]

Prints a Markdown table: each model calibrated in bands of predicted cost alone, and as `calibrate` chooses. Models have
the settings that a search begins with, so that it takes minutes, not an hour; widths of searched ones are smaller.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import measured

from perfcast.datasets import Dataset
from perfcast.export import compose, run_with_spread
from perfcast.manifest import Calibration, Metrics
from perfcast.processors import processors
from perfcast.training._ensemble import FittedEnsemble
from perfcast.training.families import Fitted, families
from perfcast.training.fits import Inner, inner_validation
from perfcast.training.judging import calibrate, evaluate

ASKED = "0.9"
MIX = {"neural_network": 0.7, "xgboost": 0.3}
HEAD = "| data | model | bands of cost × spread | held | worst fifth of cost | mean half width | median half width |"


def main() -> None:
    """Fit, calibrate both ways, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--public", type=Path, help="folder of the public data sets (see benchmarks/README.md)")
    parser.add_argument("--only", default="", help="name of the one dataset to run")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(HEAD, "|" + "---|" * (HEAD.count("|") - 1), sep="\n", flush=True)
    for dataset in (*measured.shipped(), *(measured.public(options.public) if options.public else ())):
        if options.only in ("", dataset.name):
            for line in _rows(dataset, options.seed):
                print(line, flush=True)


def _rows(dataset: Dataset, seed: int) -> Iterator[str]:
    workload, split = dataset.workload, dataset.split()
    inner = inner_validation(split, workload, seed=seed, threads=processors())
    network, trees = _network(inner, seed), _trees(inner)
    for name, fitted in {"networks": network, "networks and trees": FittedEnsemble((network, trees), MIX)}.items():
        graph = compose(workload, fitted.graph(), target=inner.target, inputs=inner.path.expressions)
        known, asked = (run_with_spread(graph, part.features) for part in (split.calibrate, split.test))
        for spread in (None, known.spread):
            table = calibrate(workload, split.calibrate.cost, known.cost, spread)
            metrics = evaluate(split.test.cost, asked.cost, table, asked.spread)
            yield f"| {dataset.name} | {name} | {_form(table)} | {_cells(metrics, workload.cost.unit)} |"


def _network(inner: Inner, seed: int) -> Fitted:
    family, lesson = families()["neural_network"], inner.whole()
    settings = family.start(lesson)
    seeds = range(family.members * seed, family.members * (seed + 1))
    return family.join([family.fit(replace(lesson, seed=member), settings) for member in seeds])


def _trees(inner: Inner) -> Fitted:
    family = families()["xgboost"]
    found = family.fit(inner.lesson, family.start(inner.lesson))
    return family.fit(inner.whole(), found.settings)


def _form(table: Calibration) -> str:
    return f"{len(table.edges) + 1} × {len(table.spreads[0]) + 1 if table.spreads else 1}"


def _cells(metrics: Metrics, unit: str) -> str:
    held = f"{metrics.coverage[ASKED]:.1f} % | {metrics.worst_fifth[ASKED]:.1f} %"
    return f"{held} | ±{metrics.width[ASKED] / 2:.3g} {unit} | ±{metrics.relative_width[ASKED] / 2:.1f} %"


if __name__ == "__main__":
    main()
