"""What measuring teaches where members disagree, beside measuring at random: on inner splits of the shipped sets.

    .venv/bin/python benchmarks/improve.py [--seeds 3]

Of the rows that networks may learn from, a third is known. A second third is drawn from the rest, or is that half of
the rest on which the members of what learnt from the first disagree most. Prints a Markdown table and writes
benchmarks/results/improve.md.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perfcast.datasets import shipped_dataset
from perfcast.training.families import Fitted, families
from perfcast.training.fits import Inner, inner_validation
from perfcast.workloads import Rows

SETS = ("cpu-torch", "cpu-onnxruntime")
MEMBERS = 3
Places = npt.NDArray[np.int64]


def main() -> None:
    """Learn from each choice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(parser.parse_args().seeds)
    lines = ["| data | networks learn from | rows | MAPE % | within 10 % |", "|---|---|---|---|---|"]
    for name in SETS:
        dataset = shipped_dataset(name)
        found: dict[tuple[str, int], list[tuple[float, float]]] = {}
        for seed in seeds:
            inner = inner_validation(dataset.split(), dataset.workload, seed=seed, threads=1)
            for key, judged in _compared(inner, seed).items():
                found.setdefault(key, []).append(judged)
        for (what, rows), judged in found.items():
            mape, within = np.mean(judged, axis=0)
            lines.append(f"| {name} | {what} | {rows:,} | {mape:.2f} | {within:.1f} |")
    print("\n".join(lines))
    (Path(__file__).parent / "results" / "improve.md").write_text("\n".join(lines) + "\n")


def _compared(inner: Inner, seed: int) -> dict[tuple[str, int], tuple[float, float]]:
    order = np.random.default_rng(seed).permutation(len(inner.lesson.target))
    third = len(order) // 3
    first, rest = order[:third], order[third:]
    members = _members(inner, first, seed)
    apart = np.std([member.predict(inner.lesson.inputs[rest]) for member in members], axis=0)
    chosen = rest[np.argsort(-apart)[:third]]
    known = {
        "a third": members,
        "two thirds, drawn": _members(inner, order[: 2 * third], seed),
        "two thirds, the second where members disagree": _members(inner, np.concatenate([first, chosen]), seed),
        "all": _members(inner, order, seed),
    }
    counts = (third, 2 * third, 2 * third, len(order))
    return {(what, rows): _judged(inner, made) for (what, made), rows in zip(known.items(), counts, strict=True)}


def _members(inner: Inner, rows: Places, seed: int) -> list[Fitted]:
    network, lesson = families()["neural_network"], inner.lesson
    part = replace(lesson, inputs=lesson.inputs[rows], target=lesson.target[rows], validation=None)
    settings = network.start(lesson)
    return [network.fit(replace(part, seed=MEMBERS * seed + member), settings) for member in range(MEMBERS)]


def _judged(inner: Inner, members: list[Fitted]) -> tuple[float, float]:
    answers: Rows = families()["neural_network"].join(members).predict(inner.held_inputs)
    error = np.abs(inner.target.to_cost(inner.workload, answers) / inner.cost - 1)
    return 100 * float(error.mean()), 100 * float((error < 0.1).mean())


if __name__ == "__main__":
    main()
