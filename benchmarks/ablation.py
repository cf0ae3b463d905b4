"""What each part of a convolution model brings: the error without it, on inner splits.

    .venv/bin/python benchmarks/ablation.py [--public FOLDER] [--seeds 3] [--only cpu-torch]

The held-out part of each set is never looked at: networks learn from 82 % of the training rows and are judged by the
others. Prints a Markdown table and writes benchmarks/results/ablation.md.
"""

import argparse
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import measured
import numpy as np

from perfcast.datasets import Dataset, shipped_dataset
from perfcast.training.families import Lesson, families
from perfcast.training.fits import Inner, inner_validation
from perfcast.workloads import Rows

GROUPS = {
    "padding and remainders": r"unread_|height_remainder|kernel_even|same_",
    "alignment": r".*_in_\d+s$|.*_twos$|.*_waste$",
    "tiles and waves": r"tiles?_|depth_steps|padded_gigaflops",
    "other algorithms": r"winograd|fourier",
    "shape": (
        r"kernel_of_|.*_per_(filter|pixel)$|aspect|.*_beyond_(same|input|kernel)$|images_times|input_area|touched|inner_"
    ),
    "which path": (
        r"torch_|onnxruntime_|nchwc|depthwise|grouped|channels_below|filters_beyond|blocked_|gemm_giga|reordered"
    ),
}
"""Quantities by their names, in the order of the workload's file."""
SETS = ("cpu-torch", "cpu-onnxruntime", "conv_v100_forward")


def main() -> None:
    """Fit with and without each part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--public", type=Path, help="folder of the public data sets (see benchmarks/README.md)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help="name of the one dataset to run")
    options = parser.parse_args()
    lines = ["| data | network of | MAPE % | median APE % | within 10 % | by seed |", "|---|---|---|---|---|---|"]
    print("\n".join(lines), flush=True)
    for dataset in _datasets(options.public, options.only):
        for line in _lines(dataset, options.seeds):
            print(line, flush=True)
            lines.append(line)
    (Path(__file__).parent / "results" / "ablation.md").write_text("\n".join(lines) + "\n")


def _datasets(public: Path | None, only: str) -> Iterator[Dataset]:
    for name in SETS:
        if only in ("", name):
            if name.startswith("cpu-"):
                yield shipped_dataset(name)
            elif public is not None:
                yield measured.convolutions(public / f"{name}.csv.gz")


def _lines(dataset: Dataset, seeds: int) -> Iterator[str]:
    inners = [inner_validation(dataset.split(), dataset.workload, seed=seed, threads=1) for seed in range(seeds)]
    names = np.array(inners[0].lesson.input_names)
    every = np.ones(len(names), dtype=bool)
    stated = np.isin(names, dataset.workload.feature_names)
    yield _line(dataset.name, "all quantities, one network", inners, lambda inner: _network(inner, every))
    yield _line(dataset.name, "all quantities, four networks", inners, lambda inner: _network(inner, every, members=4))
    for group, pattern in GROUPS.items():
        kept = stated | np.array([re.match(pattern, name) is None for name in names])
        label = f"without {group} ({len(names) - kept.sum()})"
        yield _line(dataset.name, label, inners, lambda inner, kept=kept: _network(inner, kept))
    yield _line(dataset.name, "the stated features alone", inners, lambda inner: _network(inner, stated))
    yield _line(dataset.name, "all quantities, trees (XGBoost) alone", inners, _trees)


def _network(inner: Inner, kept: np.ndarray[tuple[int], np.dtype[np.bool_]], *, members: int = 1) -> Rows:
    lesson, family = _reading(inner.lesson, kept), families()["neural_network"]
    held = inner.held_inputs[:, kept]
    seeds = (1000 * inner.lesson.seed + member for member in range(members))
    fits = (family.fit(replace(lesson, seed=seed), family.start(lesson)).predict(held) for seed in seeds)
    return np.asarray(np.mean(list(fits), axis=0), dtype=np.float32)


def _trees(inner: Inner) -> Rows:
    family = families()["xgboost"]
    return family.fit(inner.lesson, family.start(inner.lesson)).predict(inner.held_inputs)


def _reading(lesson: Lesson, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Lesson:
    """The lesson with some of its inputs alone, and without validation."""
    positions = np.flatnonzero(kept)
    return replace(
        lesson,
        inputs=np.ascontiguousarray(lesson.inputs[:, kept]),
        input_names=tuple(lesson.input_names[at] for at in positions),
        trends=tuple(lesson.trends[at] for at in positions),
        stated=tuple(np.flatnonzero(np.isin(positions, lesson.stated)).tolist()),
        validation=None,
    )


def _line(name: str, label: str, inners: list[Inner], predict: Callable[[Inner], Rows]) -> str:
    figures = []
    for inner in inners:
        cost = inner.target.to_cost(inner.workload, predict(inner)).astype(np.float64)
        error = 100 * np.abs(cost / inner.cost - 1)
        figures.append((error.mean(), np.median(error), 100 * (error <= 10).mean()))
    mape, median, within = np.mean(figures, axis=0)
    seeds = ", ".join(f"{figure[0]:.2f}" for figure in figures)
    return f"| {name} | {label} | {mape:.2f} | {median:.2f} | {within:.1f} | {seeds} |"


if __name__ == "__main__":
    main()
