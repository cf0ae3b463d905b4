"""What a model of one device brings to another's with few rows: errors with and without it, on inner splits.

    .venv/bin/python benchmarks/transfer.py [--public FOLDER] [--processor FILE] [--seeds 2] [--only "V100 to P100"]

The base is one network, fitted on the first device's training rows without the configurations that judge. The second
device's models, one network or trees, learn from few of its rows. The held-out part of each set is never looked at.
`--processor` names a dataset that `perfcast profile --runtime torch` measured on another processor than the shipped
one. Prints a Markdown table, and writes benchmarks/results/transfer.md where nothing is left out.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import measured
import numpy as np
import numpy.typing as npt

from perfcast.datasets import Dataset, import_file, shipped_dataset
from perfcast.training import Base, Trained, draft
from perfcast.training.families import ON_BASE, Lesson, OnBase, families
from perfcast.training.fits import Inner, inner_validation
from perfcast.workloads import Rows, builtin_workloads, load_workload

ROWS = (100, 300, 1000, 4000)
FAMILIES = {"neural_network": "one network", "xgboost": "trees"}
FORMS = ("nothing", "as an input", "where it starts", "both")
EPOCHS = 60
HEADER = ("from, to", "rows", "model", "base × median ratio", *FORMS)


def main() -> None:
    """Fit each form for each pair."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--public", type=Path, help="folder of the public data sets (see benchmarks/README.md)")
    parser.add_argument("--processor", type=Path, help="Parquet file of another processor's convolutions in PyTorch")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", default="", help="name of the one pair to run")
    options = parser.parse_args()
    lines = [f"| {' | '.join(HEADER)} |", f"|{'---|' * len(HEADER)}"]
    print("\n".join(lines), flush=True)
    for name, first, second in _pairs(options.public, options.processor, options.only):
        for line in _lines(name, first, second, options.seeds):
            print(line, flush=True)
            lines.append(line)
    if options.public and options.processor and not options.only:
        (Path(__file__).parent / "results" / "transfer.md").write_text("\n".join(lines) + "\n")


def _pairs(public: Path | None, processor: Path | None, only: str) -> Iterator[tuple[str, Dataset, Dataset]]:
    pairs = {}
    torch, onnxruntime = (shipped_dataset(name) for name in ("cpu-torch", "cpu-onnxruntime"))
    if processor is not None:
        other, _ = import_file(processor, builtin_workloads()["cnn-execution-time"], name="other")
        pairs["AMD to Intel"] = torch, other
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


def _lines(name: str, first: Dataset, second: Dataset, seeds: int) -> Iterator[str]:
    pairs = [_Pair.of(first, second, seed) for seed in range(seeds)]
    for rows in (rows for rows in ROWS if rows <= len(pairs[0].order)):
        scaled = np.mean([pair.scaled(rows) for pair in pairs])
        for family, label in FAMILIES.items():
            errors = [[pair.error(form, family, rows) for form in FORMS] for pair in pairs]
            cells = " | ".join(f"{error:.1f}" for error in (scaled, *np.mean(errors, axis=0)))
            yield f"| {name} | {rows:,} | {label} | {cells} |"


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


def _base(first: Dataset, judging: Rows, seed: int) -> Base:
    """One network of the first device, which has seen none of the configurations, float32 [rows, features]."""
    split, unseen = first.split(), {row.tobytes() for row in judging}
    split = replace(
        split, train=split.train.take(np.array([row.tobytes() not in unseen for row in split.train.features]))
    )
    split = replace(split, groups=np.arange(len(split.train)))
    inner = inner_validation(split, first.workload, seed=seed, threads=1)
    lesson, family = inner.lesson_of("training"), families()["neural_network"]
    fitted = family.fit(lesson, {**family.start(lesson), "epochs": EPOCHS})
    made = draft(first.workload, first, split, Trained(inner.path, family.name, fitted, inner.target))
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
