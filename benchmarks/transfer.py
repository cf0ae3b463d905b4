"""What a model of one device brings to another's with few rows: the error with and without it, on inner splits.

    .venv/bin/python benchmarks/transfer.py [--public FOLDER] [--processor FILE] [--seeds 3] [--only "V100 to P100"]

The base is one network, fitted on the first device's training rows without the configurations that judge. The second
device's model learns from few of its own rows. The held-out part of each set is never looked at.
`--processor` names a dataset of `perfcast profile --runtime torch` from another processor than the shipped one.
Prints a Markdown table and, where nothing is left out, writes benchmarks/results/transfer.md.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import measured
import numpy as np

from perfcast.datasets import Dataset, import_file, shipped_dataset
from perfcast.training.families import Fitted, families
from perfcast.training.fits import Inner, inner_validation
from perfcast.workloads import Rows, builtin_workloads, load_workload

ROWS = (100, 300, 1000, 4000)
FAMILIES = ("neural_network", "xgboost")
FORMS = {
    "nothing": (0.0, False),
    "input": (0.0, True),
    "half": (0.5, True),
    "whole": (1.0, True),
    "whole, no input": (1.0, False),
}


def main() -> None:
    """Fit each form for each pair."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--public", type=Path, help="folder of the public data sets (see benchmarks/README.md)")
    parser.add_argument("--processor", type=Path, help="Parquet file of another processor's convolutions in PyTorch")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs="*", default=ROWS)
    parser.add_argument("--only", default="", help="name of the one pair to run")
    options = parser.parse_args()
    print(f"| from, to | rows | family | base alone, scaled | {' | '.join(FORMS)} |")
    print(f"|---|---|---|{'---|' * (1 + len(FORMS))}", flush=True)
    for name, first, second in _pairs(options.public, options.processor):
        if options.only in ("", name):
            for line in _lines(name, first, second, options.rows, options.seeds):
                print(line, flush=True)


def _pairs(public: Path | None, processor: Path | None) -> Iterator[tuple[str, Dataset, Dataset]]:
    torch, onnxruntime = (shipped_dataset(name) for name in ("cpu-torch", "cpu-onnxruntime"))
    if processor is not None:
        other, _ = import_file(processor, builtin_workloads()["cnn-execution-time"], name="other")
        yield "AMD to Intel", torch, other
    yield "PyTorch to ONNX Runtime", torch, onnxruntime
    if public is not None:
        v100, p100 = (measured.convolutions(public / f"conv_{name}_forward.csv.gz") for name in ("v100", "p100"))
        yield "V100 to P100", v100, p100
        yield "P100 to V100", p100, v100
        yield "V100 to T4", v100, _t4(public)


def _t4(public: Path) -> Dataset:
    """PyTorch's convolutions on a T4, told as TensorFlow's: their kernel is 3, so that the output is as the input."""
    workload = load_workload(measured.WORKLOADS / "tensorflow-convolution.yaml")
    told = {"input_height": "input_height", "output_size": "input_height + 0"}
    return import_file(public / "conv_t4_forward.csv.gz", workload, name="t4", told=told)[0]


@dataclass(frozen=True)
class _Pair:
    """A base and the other device's rows."""

    inner: Inner
    order: np.ndarray[tuple[int], np.dtype[np.int64]]  # of the rows that may be learnt from
    known: Rows  # the base's costs of them
    held: Rows  # and of those that judge

    def error(self, form: str, family: str, rows: int) -> float:
        """Of one fit."""
        chosen = self.order[:rows]
        if form == "chosen":
            share = self._choose(chosen)
            return self._judged(self._fit(family, chosen, self.held_all, share, True))
        return self._judged(self._fit(family, chosen, self.held_all, *FORMS[form]))

    @property
    def held_all(self):
        return self.inner.held_inputs, self.held

    def _choose(self, chosen) -> float:
        lesson, out = self.inner.lesson, {}
        for share in (0.0, 0.5, 1.0):
            error = []
            for fold in range(4):
                held, rest = chosen[fold::4], np.delete(chosen, np.s_[fold::4])
                p = self._fit("xgboost", rest, (lesson.inputs[held], self.known[held]), share, True)
                error.append(np.abs(np.expm1(p - lesson.target[held])))
            out[share] = np.concatenate(error).mean()
        return min(out, key=out.__getitem__)

    def _fit(self, family: str, chosen, held_rows, share: float, as_input: bool) -> Rows:
        lesson = self.inner.lesson
        held, base_held = held_rows
        inputs, known, target = lesson.inputs[chosen], self.known[chosen], lesson.target[chosen]
        center = np.log(np.median(known))
        beneath, held_beneath = share * (np.log(known) - center), share * (np.log(base_held) - center)
        trends, straight, names = lesson.trends, lesson.straight, lesson.input_names
        if as_input:
            inputs, held = np.column_stack([inputs, known]), np.column_stack([held, base_held])
            trends, straight, names = (*trends, 0), (*straight, False), (*names, "base")
        middle = np.float32(np.median(target - beneath))
        learnt = replace(
            lesson,
            inputs=np.ascontiguousarray(inputs),
            target=(target - beneath - middle).astype(np.float32),
            trends=trends,
            straight=straight,
            input_names=names,
            validation=None,
        )
        fitted = families()[family].fit(learnt, families()[family].start(learnt))
        return fitted.predict(np.ascontiguousarray(held)) + middle + held_beneath

    def scaled(self, rows: int) -> float:
        """Of the base times the median ratio."""
        chosen = self.order[:rows]
        ratio = np.median(self.inner.lesson.target[chosen] - np.log(self.known[chosen]))
        return self._judged(np.log(self.held) + ratio)

    def _judged(self, target: Rows) -> float:
        cost = self.inner.target.to_cost(self.inner.workload, target.astype(np.float32)).astype(np.float64)
        return float(100 * np.abs(cost / self.inner.cost - 1).mean())


def _lines(name: str, first: Dataset, second: Dataset, sizes: list[int], seeds: int) -> Iterator[str]:
    found: dict[tuple[int, str], list[list[float]]] = {}
    for seed in range(seeds):
        pair = _made(first, second, seed)
        for rows in sizes:
            if rows > len(pair.order):
                continue
            for family in FAMILIES:
                errors = [pair.error(form, family, rows) for form in (*FORMS, "chosen")]
                found.setdefault((rows, family), []).append([pair.scaled(rows), *errors])
                print("   ", seed, name, rows, family, [f"{e:.1f}" for e in found[rows, family][-1]], flush=True)
    for (rows, family), errors in found.items():
        cells = " | ".join(f"{value:.1f}" for value in np.mean(errors, axis=0))
        yield f"| {name} | {rows} | {family} | {cells} |"


def _made(first: Dataset, second: Dataset, seed: int) -> _Pair:
    inner = inner_validation(second.split(), second.workload, seed=seed, threads=1)
    features = len(second.workload.features)
    judging = {row.tobytes() for row in inner.held_inputs[:, :features]}
    train = first.split().train
    kept = np.array([row.tobytes() not in judging for row in train.features])
    base = inner_validation(first.split(), first.workload, seed=seed, threads=1)
    path, target = base.path, base.target
    lesson = replace(
        base.lesson,
        inputs=path.inputs(train.features[kept]),
        target=target.from_cost(train.cost[kept]),
        validation=None,
    )
    family = families()["neural_network"]
    start = dict(family.start(lesson))
    start["epochs"] = min(start["epochs"], 40) if len(lesson.target) > 6000 else start["epochs"]
    fitted = family.fit(lesson, start)

    def costs(inputs: Rows) -> Rows:
        return target.to_cost(first.workload, fitted.predict(inputs))

    order = np.random.default_rng(seed).permutation(len(inner.lesson.target))
    return _Pair(inner, order, costs(inner.lesson.inputs), costs(inner.held_inputs))


if __name__ == "__main__":
    main()
