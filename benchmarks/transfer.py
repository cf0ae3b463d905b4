"""What a model of one device brings to another's with few rows: errors with and without it.

    .venv/bin/python benchmarks/transfer.py forms [--public FOLDER] [--processor FILE] [--only "V100 to P100"]
    .venv/bin/python benchmarks/transfer.py held-out [the same] [--whole]

`forms` compares ways to use the base, on inner splits: the held-out part of each set is never looked at. The base is
one network, fitted on the first device's training rows without the configurations that judge; the second device's
models, one network or trees, learn from few of its rows. `held-out` trains as `perfcast train` does, with `--from` and
without, and judges by all rows of the second device's held-out part, none of whose configurations the base has seen.

`--processor` names a dataset that `perfcast profile --runtime torch` measured on another processor than the shipped
one, such as the one that was shipped before (measured/cpu-torch.parquet at commit 7e5a30b, on an AMD EPYC). Prints
Markdown tables; with all sets they make benchmarks/results/transfer.md.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import measured
import numpy as np
import numpy.typing as npt

from perfcast.datasets import Dataset, import_file, shipped_dataset
from perfcast.export import run_with_spread
from perfcast.manifest import Calibration, Manifest, Metrics
from perfcast.training import Base, Budget, Trained, draft, train
from perfcast.training.families import ON_BASE, Lesson, OnBase, families
from perfcast.training.fits import Inner, inner_validation
from perfcast.training.judging import evaluate
from perfcast.workloads import Rows, builtin_workloads, load_workload

ROWS = (100, 300, 1000, 4000)
FAMILIES = {"neural_network": "one network", "xgboost": "trees"}
FORMS = ("nothing", "as an input", "where it starts", "both")
EPOCHS = 60
FORMS_HEADER = ("from, to", "rows learnt from", "model", "base × median ratio", *FORMS)
MEASURED = (300, 1000)
TRAINED = ("xgboost", "neural_network")
HELD_OUT_HEADER = (
    "from, to",
    "rows measured",
    *(f"{figure}, {how}" for figure in ("MAPE %", "within 10 %", "90 % interval holds") for how in ("alone", "from")),
)


def main() -> None:
    """Print the table that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["forms", "held-out"])
    parser.add_argument("--public", type=Path, help="folder of the public data sets (see benchmarks/README.md)")
    parser.add_argument("--processor", type=Path, help="Parquet file of another processor's convolutions in PyTorch")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--whole", action="store_true", help="the base learns from its calibrating rows too; held-out")
    parser.add_argument("--only", default="", help="name of the one pair to run")
    options = parser.parse_args()
    forms = options.what == "forms"
    header = FORMS_HEADER if forms else HELD_OUT_HEADER
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}", flush=True)
    for name, first, second in _pairs(options.public, options.processor, options.only):
        made = _forms(first, second, options.seeds) if forms else _held_out(first, second, options)
        for cells in made:
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _pairs(public: Path | None, processor: Path | None, only: str) -> Iterator[tuple[str, Dataset, Dataset]]:
    pairs = {}
    torch, onnxruntime = (shipped_dataset(name) for name in ("cpu-torch", "cpu-onnxruntime"))
    if processor is not None:
        other, _ = import_file(processor, builtin_workloads()["cnn-execution-time"], name="other")
        pairs["AMD to Intel"] = other, torch
    if public is not None:
        v100, p100 = (measured.convolutions(public / f"conv_{name}_forward.csv.gz") for name in ("v100", "p100"))
        pairs |= {"V100 to P100": (v100, p100), "P100 to V100": (p100, v100), "V100 to T4": (v100, _t4(public))}
    pairs["PyTorch to ONNX Runtime"] = torch, onnxruntime
    yield from ((name, *pair) for name, pair in pairs.items() if only in ("", name))


def _t4(public: Path) -> Dataset:
    """PyTorch's convolutions on a T4, told as TensorFlow's: with kernel 3 and padding 1 the output is as the input."""
    workload = load_workload(measured.WORKLOADS / "tensorflow-convolution.yaml")
    told = {"input_height": "input_height", "output_size": "input_height + 0"}
    return import_file(public / "conv_t4_forward.csv.gz", workload, name="t4", told=told)[0]


def _forms(first: Dataset, second: Dataset, seeds: int) -> Iterator[list[str]]:
    pairs = [_Pair.of(first, second, seed) for seed in range(seeds)]
    for rows in (rows for rows in ROWS if rows <= len(pairs[0].order)):
        scaled = np.mean([pair.scaled(rows) for pair in pairs])
        for family, label in FAMILIES.items():
            errors = [[pair.error(form, family, rows) for form in FORMS] for pair in pairs]
            yield [f"{rows:,}", label, *(f"{error:.1f}" for error in (scaled, *np.mean(errors, axis=0)))]


def _held_out(first: Dataset, second: Dataset, options: argparse.Namespace) -> Iterator[list[str]]:
    base = _base(first, first.features[:0], 0, whole=options.whole)
    for rows in MEASURED:
        judged = [_judged(second, rows, seed, base) for seed in range(options.seeds)]
        figures = np.mean([[(m.mape, m.within_10, m.coverage["0.9"]) for m in pair] for pair in judged], axis=0)
        yield [f"{rows:,}", *(f"{value:.1f}" for value in figures.T.ravel())]


def _judged(dataset: Dataset, rows: int, seed: int, base: Base) -> list[Metrics]:
    """Of the best version of so many rows, without the base and from it, by all held-out rows."""
    test = dataset.split().test
    few = dataset.rows.take(np.random.default_rng(seed).permutation(len(dataset))[:rows])
    device = replace(dataset, features=few.features, cost=few.cost, measured_at=few.measured_at)
    found = []
    for begun in (None, base):
        manifest, graph = _best(device, seed, begun)
        found.append(evaluate(test.cost, *_answers(graph, test.features, manifest.calibration)))
    return found


def _answers(
    graph: bytes, features: Rows, calibration: Calibration | None
) -> tuple[Rows, Calibration | None, Rows | None]:
    cost, spread = run_with_spread(graph, features)
    return cost, calibration, spread


def _best(dataset: Dataset, seed: int, base: Base | None = None) -> tuple[Manifest, bytes]:
    trials = Budget(2 * len(TRAINED) if base else len(TRAINED))
    draft = train(dataset, trials, family_names=[*TRAINED, "ensemble"], seed=seed, threads=1, base=base).drafts[0]
    return draft.manifest, draft.graph


@dataclass(frozen=True)
class _Pair:
    """The second device's rows, with the base's cost as the last input, and the order in which they are taken."""

    inner: Inner
    order: npt.NDArray[np.int64]

    @staticmethod
    def of(first: Dataset, second: Dataset, seed: int) -> "_Pair":
        alone = inner_validation(second.split(), second.workload, seed=seed, threads=1)
        base = _base(first, alone.held_inputs[:, : len(second.workload.features)], seed)
        inner = inner_validation(second.split(), second.workload, seed=seed, threads=1, base=base)
        return _Pair(inner, np.random.default_rng(seed).permutation(len(inner.lesson.target)))

    def error(self, form: str, family: str, rows: int) -> float:
        """Mean absolute percentage error of one fit."""
        lesson, held = self._lesson(rows), self.inner.held_inputs
        if form == "both":
            lesson, held = _twice(lesson), held[:, [*range(held.shape[1]), -1]]
        known = families()[family]
        learner = known if form == "as an input" else OnBase(known, self.inner.target, base_keeps_trends=True)
        settings = {**learner.start(lesson), ON_BASE: form in ("where it starts", "both")}
        settings |= {"epochs": EPOCHS} if family == "neural_network" else {}
        return self._judged(learner.fit(lesson, settings).predict(held))

    def scaled(self, rows: int) -> float:
        """The same of the base times the median ratio of its costs and the measured ones."""
        lesson, base = self._lesson(rows), self.inner.target.from_cost
        ratio = np.median(lesson.target - base(lesson.inputs[:, -1]))
        return self._judged(base(self.inner.held_inputs[:, -1]) + ratio)

    def _lesson(self, rows: int) -> Lesson:
        lesson, chosen = self.inner.lesson, self.order[:rows]
        return replace(lesson, inputs=lesson.inputs[chosen], target=lesson.target[chosen], validation=None)

    def _judged(self, target: Rows) -> float:
        cost = self.inner.target.to_cost(self.inner.workload, target.astype(np.float32)).astype(np.float64)
        return float(100 * np.abs(cost / self.inner.cost - 1).mean())


def _base(first: Dataset, judging: Rows, seed: int, *, whole: bool = False) -> Base:
    """One network of the first device, which has seen none of the configurations, float32 [rows, features]."""
    split, unseen = first.split(), {row.tobytes() for row in judging}
    split = replace(
        split, train=split.train.take(np.array([row.tobytes() not in unseen for row in split.train.features]))
    )
    split = replace(split, groups=np.arange(len(split.train)))
    inner = inner_validation(split, first.workload, seed=seed, threads=1)
    family, learnt = families()["neural_network"], ("training", "all") if whole else ("training",)
    lessons = [inner.lesson_of(rows) for rows in learnt]
    *before, fitted = [family.fit(lesson, {**family.start(lesson), "epochs": EPOCHS}) for lesson in lessons]
    model = Trained(inner.path, family.name, fitted, inner.target, first=before[0] if before else None)
    made = draft(first.workload, first, split, model)
    return Base(first.name, made.manifest, made.graph)


def _twice(lesson: Lesson) -> Lesson:
    """The lesson with the base's cost twice, one of them to be read as an input."""
    return replace(
        lesson,
        inputs=np.column_stack([lesson.inputs, lesson.inputs[:, -1]]),
        input_names=(*lesson.input_names, "again"),
        trends=(*lesson.trends, 0),
        straight=(*lesson.straight, False),
    )


if __name__ == "__main__":
    main()
