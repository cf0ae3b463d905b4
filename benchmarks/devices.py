"""A device left out: errors from its data sheet alone, and with 10, 30 and 100 of its layers measured.

    .venv/bin/python benchmarks/devices.py --public FOLDER [--rows 4000] [--members 3] [--draws 4]

V100, P100 and T4 (benchmarks/README.md says where the files come from), each left out in turn; all three are told. From
the data sheet alone: (a) networks that learn the time over the figures of devices, (b) as `convolution-across-devices`
does, the time as a multiple of the roofline, (c) the model of one other device, times the ratio of the rooflines. Then
(b) is adapted as `perfcast calibrate` does, by layers that are drawn or chosen among half of the device's rows, and
judged on the other half; the share of 90 % intervals that hold is told too. Prints Markdown tables and writes
benchmarks/results/devices.md.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import polars as pl

from perfcast.datasets import Dataset, import_file, with_figures
from perfcast.devices import load_devices
from perfcast.export import Target, compose, run
from perfcast.manifest import GraphFacts, Manifest
from perfcast.training import CANDIDATES, Base, adapt, basis_of, choose_rows
from perfcast.training._path import Path as Inputs
from perfcast.training.families import Lesson, OnBase, families
from perfcast.workloads import Rows, Workload, builtin_workloads, load_workload, without_features

DEVICES = {"V100": "v100-pcie", "P100": "p100-pcie", "T4": "t4"}
"""Which descriptor is of which file; whether V100 and P100 were of SXM2, nobody wrote down."""
LAYERS = (10, 30, 100)
EPOCHS = 40
COVERAGE = 0.9
SHEET_HEADER = (
    "| left out | a: time over figures | b: time ÷ roofline | c: another device's, by the rooflines "
    "| b times its best constant |"
)
CURVE_HEADER = (
    "| left out | layers | drawn: MAPE %, within 10 % | chosen: MAPE %, within 10 % | 90 % intervals hold, % |"
)


def main() -> None:
    """Leave out each in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--public", type=Path, required=True, help="folder of conv_v100_forward.csv.gz and the others")
    parser.add_argument("--rows", type=int, default=4000, help="of each device")
    parser.add_argument("--members", type=int, default=3, help="networks whose mean answers")
    parser.add_argument("--draws", type=int, default=4, help="halves of the device's rows, and layers in them")
    asked = parser.parse_args()
    across = load_workload(Path(__file__).parent / "workloads/tensorflow-across-devices.yaml", builtin_workloads())
    sets = {name: measured(asked.public, name, across, asked.rows) for name in DEVICES}
    sheets, curves = [SHEET_HEADER, "|---|---|---|---|---|"], [CURVE_HEADER, "|---|---|---|---|---|"]
    for left in DEVICES:
        ways = Ways(across, {name: rows for name, rows in sets.items() if name != left}, sets[left], asked.members)
        line, base = ways.by_sheet(left)
        sheets.append(line)
        print(line, flush=True)
        for line in curve(left, base, sets[left], asked.draws):
            curves.append(line)
            print(line, flush=True)
    text = "\n".join([*sheets, "", *curves]) + "\n"
    (Path(__file__).parent / "results" / "devices.md").write_text(text)


def measured(folder: Path, name: str, across: Workload, rows: int) -> Dataset:
    """So many of a device's rows, drawn, with the figures of its data sheet."""
    frame = pl.read_csv(folder / f"conv_{name.lower()}_forward.csv.gz")
    if "output_size" in frame.columns:
        total = (pl.col("output_size") - 1) * pl.col("stride") + pl.col("kernel_size") - pl.col("input_height")
        zeros = pl.when(pl.col("padding") == "same").then(total.clip(lower_bound=0)).otherwise(0)
        frame = frame.with_columns(padding=zeros // 2, padding_bottom=(zeros + 1) // 2)
        frame = frame.with_columns(padding_width="padding", padding_right="padding_bottom").drop("output_size")
    descriptor = load_devices()[DEVICES[name]]
    figures = descriptor.features(across.feature_names, DEVICES[name])
    with TemporaryDirectory() as place:
        prepared = Path(place) / "prepared.parquet"
        frame.sample(min(rows, len(frame)), seed=0).write_parquet(prepared)
        dataset, _ = import_file(prepared, without_features(across, figures), name=name)
    return replace(dataset, workload=across, features=with_figures(across, dataset, figures))


@dataclass(frozen=True)
class Ways:
    """Ways to answer for a device by the others' rows."""

    across: Workload
    others: Mapping[str, Dataset]
    left: Dataset
    members: int

    def by_sheet(self, name: str) -> tuple[str, Base]:
        """A line of the table, and the base of (b)."""
        rows = (
            np.concatenate([item.features for item in self.others.values()]),
            np.concatenate([item.cost for item in self.others.values()]),
        )
        plain, base = learnt(over_figures(self.across), rows, self.members), learnt(self.across, rows, self.members)
        answers = run(base.graph, self.left.features)
        one_more = answers * np.median(self.left.cost / answers)
        cells = [run(plain.graph, self.left.features), answers]
        told = [errors(found, self.left.cost) for found in (*cells, one_more)]
        scaled = "; ".join(
            f"{other} {errors(self._scaled(item), self.left.cost)}" for other, item in self.others.items()
        )
        return f"| {name} | {told[0]} | {told[1]} | {scaled} | {told[2]} |", base

    def _scaled(self, other: Dataset) -> Rows:
        """What a model of one other device answers to these layers, times the ratio of the rooflines."""
        model = learnt(over_figures(self.across), (other.features, other.cost), self.members)
        basis, there = basis_of(self.across), self.left.features.copy()
        assert basis is not None
        for name in load_devices()["t4"].features(self.across.feature_names, "t4"):
            at = self.across.feature_names.index(name)
            there[:, at] = other.features[0, at]
        return run(model.graph, there) * basis.cost(self.left.features) / basis.cost(there)


def over_figures(across: Workload) -> Workload:
    """The workload without basis, whose models read the figures of devices as they are."""
    declared = across.declaration
    assert declared.cost is not None
    features = tuple(msgspec.structs.replace(item, derived_only=False) for item in declared.features)
    return Workload(
        msgspec.structs.replace(declared, features=features, cost=msgspec.structs.replace(declared.cost, basis=None))
    )


def learnt(workload: Workload, rows: tuple[Rows, Rows], members: int) -> Base:
    """The mean of some networks, as a version that can be started from."""
    features, cost = rows
    path, target = Inputs(workload, base=basis_of(workload)), Target.of(workload, cost)
    network = families()["neural_network"]
    family = network if path.base is None else OnBase(network, target, base_keeps_trends=False, always=True)
    lesson = Lesson(
        path.inputs(features), target.from_cost(cost), path.input_names, path.trends, relative=True, stated=path.stated
    )
    settings = {**family.start(lesson), "epochs": EPOCHS}
    fitted = family.join([family.fit(replace(lesson, seed=seed), settings) for seed in range(members)])
    below = path.base.graph if path.base else None
    graph = compose(workload, fitted.graph(), target=target, inputs=path.expressions, base=below)
    facts = GraphFacts(sha256="", bytes=len(graph), opset=0, ir=0, row_us=0.0)
    manifest = Manifest(type=network.name, workload=dict(workload.document()), ranges={}, graph=facts, created_at="")
    return Base("learnt:1", manifest, graph)


def curve(name: str, base: Base, left: Dataset, draws: int) -> Iterator[str]:
    """Lines of the second table: layers drawn and chosen among half of the rows, judged on the other half."""
    for layers in LAYERS:
        ways: dict[str, Callable[[Dataset, int], Dataset]] = {"drawn": drawn, "chosen": chosen}
        found: dict[str, list[tuple[float, float, float]]] = {way: [] for way in ways}
        for draw in range(draws):
            order = np.random.default_rng(draw).permutation(len(left.cost))
            pool, judging = (taken(left, part) for part in np.array_split(order, 2))
            for way, take in ways.items():
                adapted = adapt(base, take(pool, layers), pool.features[:CANDIDATES]).draft
                answers = run(adapted.graph, judging.features).astype(np.float64)
                table = adapted.manifest.calibration
                bounds = table.intervals(answers, COVERAGE) if table is not None else None
                inside = (
                    np.nan if bounds is None else ((bounds[0] <= judging.cost) & (judging.cost <= bounds[1])).mean()
                )
                found[way].append((*shares(answers, judging.cost), 100 * float(inside)))
        told = [f"{m:.1f} ± {s:.1f}, {w:.0f}" for m, s, w in (summed(found[way]) for way in ways)]
        holds = " and ".join(f"{np.mean([item[2] for item in found[way]]):.0f}" for way in ways)
        yield f"| {name} | {layers} | {told[0]} | {told[1]} | {holds} |"


def summed(found: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Mean and standard deviation of the MAPE over draws, and the mean share within 10 %."""
    mape, within, _ = np.array(found).T
    return float(mape.mean()), float(mape.std()), float(within.mean())


def drawn(pool: Dataset, layers: int) -> Dataset:
    """The first ones of rows in random order."""
    return taken(pool, np.arange(layers))


def chosen(pool: Dataset, layers: int) -> Dataset:
    """Those that `perfcast calibrate` would measure."""
    among = pool.features[:CANDIDATES]
    return taken(pool, choose_rows(pool.workload.inputs(among), layers))


def taken(dataset: Dataset, places: np.ndarray) -> Dataset:
    """Some rows of a dataset."""
    return replace(dataset, features=dataset.features[places], cost=dataset.cost[places])


def errors(answers: Rows, cost: Rows) -> str:
    """For people."""
    mape, within = shares(answers, cost)
    return f"{mape:.1f} ({within:.0f} % within 10 %)"


def shares(answers: Rows, cost: Rows) -> tuple[float, float]:
    """MAPE and share within 10 %, percent."""
    error = np.abs(answers / cost - 1)
    return 100 * float(error.mean()), 100 * float((error < 0.1).mean())


if __name__ == "__main__":
    main()
