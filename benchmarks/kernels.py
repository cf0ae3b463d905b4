"""Whether it would help to know which kernel a GPU runs: labels of a T4, told by an oracle or by a classifier.

    .venv/bin/python benchmarks/kernels.py --public FOLDER

Reads conv_t4_forward.csv.gz and conv_t4_kernels.csv.gz (see benchmarks/README.md). Models learn from the training part
and are judged on the calibrating one; the held-out part isn't looked at.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from perfcast.datasets import import_file
from perfcast.training.families import Lesson, families
from perfcast.training.fits import Inner, inner_validation
from perfcast.workloads import Rows, builtin_workloads

MEMBERS, FOLDS = 2, 5
LABELS = ("algorithm", "main_kernel")
MEASURED = ("kernels", "grid_x", "grid_y", "grid_z", "block_x", "blocks_per_sm")
COMMON_KERNELS = 12


def main() -> None:
    """Fit without the labels, with what a classifier makes of them, and with themselves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--public", type=Path, required=True, help="folder of the public data sets")
    folder = parser.parse_args().public
    workload = builtin_workloads()["cnn-execution-time"]
    split = import_file(folder / "conv_t4_forward.csv.gz", workload, name="conv_t4_forward")[0].split()
    inner = inner_validation(split, workload, seed=0, threads=1)
    target = inner.target.from_cost(split.train.cost)
    lesson = replace(inner.whole(), inputs=workload.inputs(split.train.features), target=target)
    judged = workload.inputs(split.calibrate.features)
    frame = pl.read_csv(folder / "conv_t4_kernels.csv.gz")
    known, asked = (_labels(frame, part.features) for part in (split.train, split.calibrate))
    print("| told | network, MAPE % | trees, MAPE % |\n|---|---|---|")
    for told, learnt, judging in _variants(frame, lesson, judged, known, asked):
        inputs = np.column_stack([lesson.inputs, learnt]).astype(np.float32)
        named = replace(lesson, inputs=inputs, input_names=tuple(map(str, range(inputs.shape[1]))))
        rows = np.column_stack([judged, judging]).astype(np.float32)
        errors = [
            _error(inner, split.calibrate.cost, _predicted(name, named, rows)) for name in ("neural_network", "xgboost")
        ]
        print(f"| {told} | " + " | ".join(f"{error:.2f}" for error in errors) + " |", flush=True)


def _labels(frame: pl.DataFrame, features: Rows) -> pl.DataFrame:
    """What ran for each row, in the rows' order."""
    stated = ("batch_size", "input_channels", "input_height", "input_width", "output_channels")
    rows = pl.DataFrame(features[:, : len(stated)], schema=stated).with_columns(pl.all().cast(pl.Int64))
    return rows.join(frame.unique(stated), on=stated, how="left", maintain_order="left")


def _variants(
    frame: pl.DataFrame, lesson: Lesson, judged: Rows, known: pl.DataFrame, asked: pl.DataFrame
) -> Iterator[tuple[str, Rows, Rows]]:
    """What is told, and the further inputs of the learnt and of the judged rows."""
    algorithms = sorted(frame["algorithm"].unique())
    common = frame["main_kernel"].value_counts(sort=True)["main_kernel"].head(COMMON_KERNELS).to_list()
    yield "nothing", np.zeros((len(known), 0), np.float32), np.zeros((len(asked), 0), np.float32)
    numbers = np.array([algorithms.index(name) for name in known["algorithm"]])
    yield "a classifier's probabilities", *_probabilities(lesson.inputs, numbers, judged)
    yield "the algorithm", _ones(known["algorithm"], algorithms), _ones(asked["algorithm"], algorithms)
    told = [
        np.column_stack([_ones(f["algorithm"], algorithms), _ones(f["main_kernel"], common), _waves(f)])
        for f in (known, asked)
    ]
    yield "algorithm, kernel, grid, waves", told[0], told[1]


def _ones(values: pl.Series, names: list[str]) -> Rows:
    return np.array([[value == name for name in names] for value in values], dtype=np.float32)


def _waves(frame: pl.DataFrame) -> Rows:
    measured = frame.select(MEASURED).to_numpy().astype(np.float32)
    waves = np.maximum(measured[:, -1], 1e-3)
    blocks = measured[:, 1] * measured[:, 2] * measured[:, 3]
    return np.column_stack([measured, blocks, np.ceil(waves), np.ceil(waves) / waves]).astype(np.float32)


def _probabilities(
    inputs: Rows, numbers: np.ndarray[tuple[int], np.dtype[np.int64]], judged: Rows
) -> tuple[Rows, Rows]:
    """Of each algorithm: for learnt rows from models that haven't seen them."""
    import xgboost

    settings = {"n_estimators": 300, "learning_rate": 0.06, "max_depth": 6, "colsample_bytree": 0.4, "n_jobs": 1}
    fold = np.random.default_rng(0).integers(0, FOLDS, len(numbers))
    learnt = np.zeros((len(numbers), numbers.max() + 1), np.float32)
    for number in range(FOLDS):
        model = xgboost.XGBClassifier(**settings).fit(inputs[fold != number], numbers[fold != number])
        learnt[fold == number] = model.predict_proba(inputs[fold == number])
    print(f"<!-- the classifier is right for {100 * (learnt.argmax(1) == numbers).mean():.1f} % -->")
    return learnt, xgboost.XGBClassifier(**settings).fit(inputs, numbers).predict_proba(judged)


def _predicted(name: str, lesson: Lesson, rows: Rows) -> Rows:
    family = families()[name]
    settings = (
        {**family.start(lesson), "dropout": 0.1, "epochs": 60}
        if name == "neural_network"
        else {**family.start(lesson), "rounds": 400}
    )
    members = MEMBERS if name == "neural_network" else 1
    fits = [family.fit(replace(lesson, seed=seed), settings).predict(rows) for seed in range(members)]
    return np.asarray(np.mean(fits, axis=0), dtype=np.float32)


def _error(inner: Inner, cost: Rows, target: Rows) -> float:
    return float(100 * np.abs(inner.target.to_cost(inner.workload, target) / cost - 1).mean())


if __name__ == "__main__":
    main()
