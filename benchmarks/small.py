"""How right versions of few or awkward rows are, beside a straight line and the median of the same rows.

    .venv/bin/python benchmarks/small.py [--public FOLDER] [--seconds 10] [--seed 0] [--only PART OF A NAME …]

Each set is trained on one thread; what `train` ranks first is judged on thousands of rows that the set doesn't have:
fresh ones of a made set, those of other configurations (of a series, those that follow) of a measured one. The line is
least squares on the stated features; for relative costs on the logarithms of cost and positive features. Prints a
Markdown table and writes benchmarks/results/small.md, unless only some sets were asked for.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import measured
import numpy as np
import numpy.typing as npt

from perfcast.datasets import Dataset, Part, configuration_numbers
from perfcast.errors import PerfcastError
from perfcast.export import run
from perfcast.training import Budget, train
from perfcast.training.judging import score
from perfcast.workloads import Rows, Workload, workload_from_document

Doubles: TypeAlias = npt.NDArray[np.float64]
Random: TypeAlias = np.random.Generator
JUDGING = 4000
"""Most rows that judge."""
SIZES = (100, 300, 1000)
RESULTS = Path(__file__).parent / "results" / "small.md"
HEAD = "| set | rows | cost | champion | its error | line | median | ÷ the better of them | worse by more than chance |"


@dataclass(frozen=True)
class Made:
    """A made set: how many features, 1 … 10 each, and the cost that they have.

    Attributes:
        name: What is awkward about it, and `, relative` where errors are.
        features: How many.
        cost: From features, float64 [rows, features], and a source of noise to the cost, float64 [rows].
        sizes: Rows.
        configurations: How many distinct ones there are; each row is one of its own where 0.
    """

    name: str
    features: int
    cost: Callable[[Doubles, Random], Doubles]
    sizes: tuple[int, ...] = (300,)
    configurations: int = 0

    @property
    def relative(self) -> bool:
        """Whether errors are."""
        return self.name.endswith("relative")

    def dataset(self, rows: int, random: Random) -> Dataset:
        """So many rows."""
        workload = workload_from_document(
            {
                "name": "set-" + self.name.replace(",", "").replace(" ", "-"),
                "cost": {"name": "cost", "unit": "ms", "minimum": 0, "relative": self.relative},
                "features": [{"name": f"x{number}", "minimum": 0} for number in range(1, self.features + 1)],
            }
        )
        distinct = random.uniform(1, 10, (self.configurations or rows, self.features))
        features = distinct[np.arange(rows) % len(distinct)]
        cost = np.maximum(self.cost(features, random), 0.0)
        return Dataset(workload.name, workload, features.astype(np.float32), cost.astype(np.float32))


def _noise(random: Random, rows: int, size: float) -> Doubles:
    return np.exp(size * random.standard_normal(rows))


def _line(x: Doubles) -> Doubles:
    return np.asarray(10 + x[:, :3] @ np.array([3.0, 2.0, 1.0]))


def _power(x: Doubles) -> Doubles:
    return np.asarray(3 * x[:, 0] ** 0.7 * x[:, 1] / x[:, 2] ** 0.5)


MADE = (
    Made("one feature", 1, lambda x, r: 20 + 10 * np.sin(x[:, 0]) + r.standard_normal(len(x)), (60, *SIZES)),
    Made("one feature, relative", 1, lambda x, r: (1 + x[:, 0] ** 3) * _noise(r, len(x), 0.1), (60, *SIZES)),
    Made("200 features", 200, lambda x, r: _line(x) + 2 * r.standard_normal(len(x)), SIZES),
    Made("200 features, relative", 200, lambda x, r: _power(x) * _noise(r, len(x), 0.1), SIZES),
    Made("heavy tails", 5, lambda x, r: _line(x) * (1 + r.pareto(1.5, len(x))), SIZES),
    Made("heavy tails, relative", 5, lambda x, r: _power(x) * (1 + r.pareto(1.5, len(x))), SIZES),
    Made("nearly constant", 5, lambda x, r: 50 * (1 + 1e-4 * r.standard_normal(len(x))), SIZES),
    Made("nearly constant, relative", 5, lambda x, r: 50 * (1 + 1e-4 * r.standard_normal(len(x))), SIZES),
    Made("constant", 5, lambda x, r: np.full(len(x), 50.0)),
    Made("constant, relative", 5, lambda x, r: np.full(len(x), 50.0)),
    Made("20 configurations", 3, lambda x, r: _line(x) + r.standard_normal(len(x)), (1000,), 20),
    Made("20 configurations, relative", 3, lambda x, r: _power(x) * _noise(r, len(x), 0.1), (1000,), 20),
    Made("pure line", 5, lambda x, r: _line(x) + 2 * r.standard_normal(len(x)), (60, *SIZES)),
    Made("pure power, relative", 5, lambda x, r: _power(x) * _noise(r, len(x), 0.1), (60, *SIZES)),
    Made("noise only", 5, lambda x, r: 50 + 10 * r.standard_normal(len(x)), SIZES),
    Made("noise only, relative", 5, lambda x, r: 50 * _noise(r, len(x), 0.5), SIZES),
)


def main() -> None:
    """Train on each set, judge, compare."""
    options = _options()
    lines = [HEAD, "|" + "---|" * (HEAD.count("|") - 1)]
    print("\n".join(lines), flush=True)
    for name, dataset, judging in _sets(options.public, options.seed, options.only):
        lines.append(_row(name, dataset, judging, options.seconds, options.seed))
        print(lines[-1], flush=True)
    if options.only == [""]:
        RESULTS.write_text("\n".join(lines) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--public", type=Path, help="folder of the public data sets (see benchmarks/README.md)")
    parser.add_argument("--seconds", type=float, default=10, help="budget of each training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[""], help="sets whose names have one of these in them")
    return parser.parse_args()


def _sets(public: Path | None, seed: int, only: list[str]) -> Iterator[tuple[str, Dataset, Part]]:
    """Name, rows to train on, rows to judge by."""
    for number, made in enumerate(MADE):
        for size in made.sizes if any(part in made.name for part in only) else ():
            random = np.random.default_rng([seed, number, size])
            fresh = replace(made, configurations=0)
            yield made.name, made.dataset(size, random), fresh.dataset(JUDGING, random).rows
    for whole in (*measured.shipped(), *(measured.public(public) if public else ())):
        for size in SIZES if any(part in whole.name for part in only) else ():
            if len(whole) > 2 * size:
                yield whole.name, *_part(whole, size, np.random.default_rng([seed, size]))


def _part(whole: Dataset, rows: int, random: Random) -> tuple[Dataset, Part]:
    """So many rows of a larger set, and some of the others."""
    if whole.workload.declaration.series and whole.measured_at is not None:
        order = np.argsort(whole.measured_at, kind="stable")
        begin = int(random.integers(max(1, len(order) - rows - JUDGING)))
        chosen, others = order[begin : begin + rows], order[begin + rows : begin + rows + max(100, rows // 4)]
    else:
        numbers = configuration_numbers(whole.features)
        order = np.argsort(random.permutation(numbers.max() + 1)[numbers], kind="stable")
        last = numbers[order[rows - 1]]
        others = order[rows:][numbers[order[rows:]] != last][:JUDGING]
        chosen = order[:rows]
    part = whole.rows.take(chosen)
    return Dataset(whole.name, whole.workload, part.features, part.cost, part.measured_at), whole.rows.take(others)


def _row(name: str, dataset: Dataset, judging: Part, seconds: float, seed: int) -> str:
    workload = dataset.workload
    kind = "relative, MAPE %" if workload.cost.relative else "absolute, MAE"
    begin = f"| {name.removesuffix(', relative')} | {len(dataset):,} | {kind} |"
    try:
        training = train(dataset, Budget(trials=10_000, timeout=seconds), seed=seed, threads=1)
    except PerfcastError as refused:
        return f"{begin} refused: {str(refused).split(';')[0]} |" + " – |" * 5
    champion, split = training.drafts[0], training.split
    known = _together(split.train, split.calibrate) if champion.manifest.learnt_all else split.train
    answers = {
        "champion": run(champion.graph, judging.features),
        "line": _least_squares(workload, known, judging.features),
        "median": np.full(len(judging), np.median(known.cost), np.float32),
    }
    errors = {who: score(workload, judging.cost, answer) for who, answer in answers.items()}
    better = min(("line", "median"), key=errors.__getitem__)
    worse = _worse(workload, judging.cost, answers["champion"], answers[better])
    ratio = errors["champion"] / errors[better] if errors[better] else float(errors["champion"] > 0)
    cells = [champion.manifest.type, *(f"{error:.4g}" for error in errors.values()), f"{ratio:.3f}", worse]
    return begin + " " + " | ".join(cells) + " |"


def _together(one: Part, other: Part) -> Part:
    return Part(np.concatenate([one.features, other.features]), np.concatenate([one.cost, other.cost]))


def _worse(workload: Workload, cost: Rows, answer: Rows, other: Rows) -> str:
    """By how many standard errors of the rows' differences, where those are more than 2 and 1 % of the error."""
    truth = cost.astype(np.float64)
    size = truth if workload.cost.relative else np.ones(len(truth))
    mine, others = np.abs(answer - truth) / size, np.abs(other - truth) / size
    difference = mine - others
    error = float(difference.std()) / len(difference) ** 0.5
    is_worse = difference.mean() > 2 * error and difference.mean() > 0.01 * others.mean()
    return f"{difference.mean() / max(error, 1e-12):.1f} σ" if is_worse else ""


def _least_squares(workload: Workload, known: Part, features: Rows) -> Rows:
    """The line's answers to features, float32 [rows]; it goes through logarithms where errors are relative."""
    relative = workload.cost.relative
    positive = relative & (np.concatenate([known.features, features]).min(axis=0) > 0)

    def columns(rows: Rows) -> Doubles:
        raw = rows.astype(np.float64)
        scaled = np.where(positive, np.log(np.where(positive, raw, 1.0)), raw)
        return np.concatenate([scaled, np.ones((len(rows), 1))], axis=1)

    target: Any = np.log(known.cost.astype(np.float64)) if relative else known.cost.astype(np.float64)
    found = np.linalg.lstsq(columns(known.features), target, rcond=None)[0]
    answer = columns(features) @ found
    answer = np.exp(np.minimum(answer, 80.0)) if relative else answer
    return np.clip(answer, workload.cost.minimum, workload.cost.maximum).astype(np.float32)


if __name__ == "__main__":
    main()
