"""Where the champions' error comes from: by size of the cost, in their worst regions, and beside the noise.

    .venv/bin/python benchmarks/accuracy.py [--public FOLDER] --keep ANSWERS
    .venv/bin/python benchmarks/anatomy.py ANSWERS [--public FOLDER]

Reads what the first command kept; prints two Markdown tables, writes them to benchmarks/results/anatomy.md and draws
docs/pictures/anatomy.png.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import measured
import numpy as np
import numpy.typing as npt
import polars as pl
from matplotlib.ticker import NullFormatter
from sklearn.tree import DecisionTreeRegressor

from perfcast.cli._starters import simulated_dataset
from perfcast.datasets import Dataset, shipped_files
from perfcast.palette import LIGHT
from perfcast.workloads.cpu_utilization.simulator import Scenario, simulate

HERE = Path(__file__).parent
Doubles = npt.NDArray[np.float64]
BINS, FEW = 8, 20
LEAVES = 8
"""Regions that a tree of the error parts the rows into."""


@dataclass(frozen=True)
class Answers:
    """One champion's answers to its held-out rows.

    Attributes:
        dataset: What it learnt from.
        inputs: Features and derived quantities, float32 [rows, inputs].
        cost: Measured, float64 [rows].
        error: Absolute, or in percent of the measured cost where errors are relative.
        held: Whether the cost lies in the 90 % interval.
    """

    dataset: Dataset
    inputs: npt.NDArray[np.float32]
    cost: Doubles
    error: Doubles
    held: npt.NDArray[np.bool_]


def main() -> None:
    """Look at each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("answers", type=Path, help="folder that benchmarks/accuracy.py --keep wrote")
    parser.add_argument("--public", type=Path, help="folder of the public data sets (see benchmarks/README.md)")
    options = parser.parse_args()
    every = [_read(path, data) for data, path in _kept(options.answers, options.public)]
    lines = [*_summary(every), "", *_paths_taken(every), "", *(line for answers in every for line in _regions(answers))]
    print("\n".join(lines))
    (HERE / "results" / "anatomy.md").write_text("\n".join(lines) + "\n")
    _draw(every, HERE.parent / "docs" / "pictures" / "anatomy.png")


def _kept(folder: Path, public: Path | None) -> Iterator[tuple[Dataset, Path]]:
    for dataset in (*measured.shipped(), *(measured.public(public) if public else ())):
        path = folder / f"{dataset.name}.npz"
        if path.exists():
            yield dataset, path


def _read(path: Path, dataset: Dataset) -> Answers:
    rows = np.load(path)
    cost, predicted = rows["cost"].astype(np.float64), rows["predicted"].astype(np.float64)
    error = np.abs(predicted - cost)
    if dataset.workload.cost.relative:
        error = 100 * error / cost
    held = (rows["lower"] <= cost) & (cost <= rows["upper"])
    return Answers(dataset, dataset.workload.inputs(rows["features"]), cost, error, held)


def _summary(every: list[Answers]) -> Iterator[str]:
    yield "| data | held-out rows | mean error | median | worst tenth's share of it | noise | in the interval |"
    yield "|---|---|---|---|---|---|---|"
    for answers in every:
        unit = _unit(answers)
        worst = np.sort(answers.error)[-len(answers.error) // 10 :].sum() / answers.error.sum()
        yield (
            f"| {answers.dataset.name} | {len(answers.cost):,} | {answers.error.mean():.3g} {unit} "
            f"| {np.median(answers.error):.3g} {unit} | {100 * worst:.0f} % | {_noise(answers)} "
            f"| {100 * answers.held.mean():.1f} % |"
        )


def _unit(answers: Answers) -> str:
    """Of errors; those of percentages are so many points."""
    cost = answers.dataset.workload.cost
    return "%" if cost.relative else "points" if cost.unit == "percent" else cost.unit


def _noise(answers: Answers) -> str:
    """What a perfect model would err by, where the data tell."""
    name = answers.dataset.name
    if name in shipped_files():
        table = pl.read_parquet(shipped_files()[name])
        if "half_spread" in table.columns:
            apart = 100 * float(table["half_spread"].to_numpy().mean())
            return f"{apart / 2:.2g} % (half of how far halves of rounds differ)"
    if name == "simulated":
        simulation = simulate(Scenario(step_seconds=300))
        split = simulated_dataset(simulation).split()
        truth = dict(zip(map(bytes, simulation.features), simulation.truth["expected"], strict=True))
        expected = np.array([truth[bytes(row)] for row in split.test.features])
        return f"{np.abs(split.test.cost - expected).mean():.3g} points (cost beside what its load makes expect)"
    return "not known"


def _paths_taken(every: list[Answers]) -> Iterator[str]:
    """Error and coverage by the way a library took, as the profiler recorded it beside the shipped rows."""
    yield "| data | way | rows | mean error | in the interval |"
    yield "|---|---|---|---|---|"
    for answers in every:
        path, names = shipped_files().get(answers.dataset.name), answers.dataset.workload.feature_names
        table = pl.read_parquet(path) if path is not None else pl.DataFrame()
        if "path" not in table.columns:
            continue
        ways = {row[:-1]: row[-1] for row in table.select([*names, "path"]).iter_rows()}
        configurations = answers.inputs[:, : len(names)].astype(np.int64).tolist()
        taken = np.array([ways.get(tuple(row)) or "not told" for row in configurations])
        for way, count in zip(*np.unique(taken, return_counts=True), strict=True):
            if count >= FEW:
                at = taken == way
                mean, held = answers.error[at].mean(), 100 * answers.held[at].mean()
                yield f"| {answers.dataset.name} | {way} | {count:,} | {mean:.3g} % | {held:.1f} % |"


def _regions(answers: Answers) -> Iterator[str]:
    """The three worst regions that a shallow tree of the error finds."""
    names, leaf = answers.dataset.workload.input_names, max(20, len(answers.cost) // 30)
    tree = DecisionTreeRegressor(max_leaf_nodes=LEAVES, min_samples_leaf=leaf, random_state=0)
    clipped = np.minimum(answers.error, np.quantile(answers.error, 0.99))
    tree.fit(answers.inputs, clipped)
    reached = tree.apply(answers.inputs)
    paths, total = dict(_paths(tree, names)), answers.error.sum()
    yield f"\n**{answers.dataset.name}**\n"
    yield "| region | rows | mean error | share of all error |\n|---|---|---|---|"
    means = {at: answers.error[reached == at].mean() for at in set(reached.tolist())}
    for at in sorted(means, key=means.__getitem__, reverse=True)[:3]:
        rows = reached == at
        share = 100 * answers.error[rows].sum() / total
        yield f"| {paths[at]} | {100 * rows.mean():.0f} % | {means[at]:.3g} | {share:.0f} % |"


def _paths(tree: DecisionTreeRegressor, names: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Each leaf's number and what leads there; of several bounds on one side of an input the closest."""
    found, waiting = tree.tree_, [(0, dict[tuple[str, str], float]())]
    while waiting:
        node, bounds = waiting.pop()
        left, right = int(found.children_left[node]), int(found.children_right[node])
        if left < 0:
            yield node, ", ".join(f"{name} {side} {value:.3g}" for (name, side), value in bounds.items()) or "all"
            continue
        name, value = names[int(found.feature[node])], float(found.threshold[node])
        below, above = bounds.get((name, "≤"), math.inf), bounds.get((name, ">"), -math.inf)
        waiting.append((left, {**bounds, (name, "≤"): min(below, value)}))
        waiting.append((right, {**bounds, (name, ">"): max(above, value)}))


def _draw(every: list[Answers], path: Path) -> None:
    """Mean, median and 90th percentile of the error by measured cost, a panel for each set."""
    columns = 3
    figure, panels = plt.subplots(-(-len(every) // columns), columns, figsize=(11, 2.5 * -(-len(every) // columns)))
    for panel in panels.flat[len(every) :]:
        panel.set_visible(False)
    for answers, panel in zip(every, panels.flat, strict=False):
        cost = answers.dataset.workload.cost
        edges = np.unique(np.quantile(answers.cost, np.linspace(0, 1, BINS + 1)))
        at = np.clip(np.searchsorted(edges, answers.cost, side="right") - 1, 0, len(edges) - 2)
        groups = [answers.error[at == number] for number in range(len(edges) - 1)]
        middle = [float(np.median(answers.cost[at == number])) for number in range(len(edges) - 1)]
        for label, values, colour, style in (
            ("90 % are below", [np.quantile(group, 0.9) for group in groups], LIGHT.uncertainty, "--"),
            ("mean", [group.mean() for group in groups], LIGHT.accent, "-"),
            ("median", [np.median(group) for group in groups], LIGHT.measured, "-"),
        ):
            panel.plot(middle, values, style, color=colour, label=label, linewidth=1.6, marker="o", markersize=3)
        panel.set_title(answers.dataset.name, fontsize=10, color=LIGHT.ink)
        panel.set(ylim=(0, None), xlabel=f"measured, {cost.unit}", ylabel=f"error, {_unit(answers)}")
        if cost.relative:
            panel.set_xscale("log")
            panel.xaxis.set_minor_formatter(NullFormatter())
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(color=LIGHT.hairline, linewidth=0.6)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=3, frameon=False, fontsize=9)
    figure.tight_layout(rect=(0, 0, 1, 0.97))
    figure.savefig(path, dpi=110, facecolor=LIGHT.ground)


if __name__ == "__main__":
    main()
