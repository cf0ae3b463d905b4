"""How good each family is on held-out rows, and what FLAML reaches in the same time on the same split.

    .venv/bin/python benchmarks/accuracy.py [--public FOLDER] [--seconds 60] [--flaml] [--keep FOLDER]

Prints a Markdown table and writes benchmarks/results/accuracy.md. `--flaml` needs benchmarks/requirements.txt, which
is installed into a virtual environment of its own, so that the peer's dependencies don't mix with ours.
"""

import argparse
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from peers import peer_python

from perfcast.datasets import Dataset, Split
from perfcast.export import run_with_spread
from perfcast.manifest import DEFAULT_COVERAGE
from perfcast.training import Budget, Training, train
from perfcast.training.judging import evaluate

HERE = Path(__file__).parent
HEAD = (
    "| data | family | MAE | MAPE % | median APE % | within 10 % | R² | coverage of 90 % | worst fifth | width | fit s "
    "| graph kB | row µs ONNX Runtime | row µs native | parity worst | parity p99.9 |"
)


def main() -> None:
    """Train on each dataset, judge, compare."""
    options = _options()
    lines = [HEAD, "|" + "---|" * (HEAD.count("|") - 1)]
    print("\n".join(lines), flush=True)
    for dataset in _datasets(options.public, options.only):
        for line in _rows(dataset, options.seconds, flaml=options.flaml, seed=options.seed, keep=options.keep):
            print(line, flush=True)
            lines.append(line)
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "accuracy.md").write_text("\n".join(lines) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--public", type=Path, help="folder of the public data sets (see benchmarks/README.md)")
    parser.add_argument("--seconds", type=float, default=60, help="budget of each training, and of FLAML")
    parser.add_argument("--flaml", action="store_true", help="also run FLAML on the same split")
    parser.add_argument("--only", default="", help="name of the one dataset to run")
    parser.add_argument(
        "--keep", type=Path, help="folder for the champions' answers, which benchmarks/anatomy.py reads"
    )
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _datasets(public: Path | None, only: str) -> list[Dataset]:
    import measured

    datasets = [*measured.shipped(), *(measured.public(public) if public else ())]
    return [dataset for dataset in datasets if only in ("", dataset.name)]


def _rows(dataset: Dataset, seconds: float, *, flaml: bool, seed: int, keep: Path | None) -> list[str]:
    training = train(dataset, Budget(trials=10_000, timeout=seconds), seed=seed)
    if keep is not None:
        _keep(training, keep / f"{dataset.name}.npz")
    lines = []
    for draft in training.drafts:
        manifest = draft.manifest
        metrics, graph, parity = manifest.metrics, manifest.graph, manifest.parity
        assert metrics is not None
        assert parity is not None
        relative = dataset.workload.cost.relative
        width = f"±{metrics.relative_width['0.9'] / 2:.0f} %" if relative else f"{metrics.width['0.9']:.2f}"
        cells = [
            f"{metrics.mae:.4g}",
            _number(metrics.mape),
            _number(metrics.median_ape),
            _number(metrics.within_10),
            f"{metrics.r2:.4f}",
            f"{metrics.coverage['0.9']:.1f} %",
            f"{metrics.worst_fifth['0.9']:.1f} %",
            width,
            f"{manifest.seconds or 0:.1f}",
            f"{graph.bytes / 1000:,.0f}",
            f"{graph.row_us:.0f}",
            f"{graph.native_row_us or 0:,.0f}",
            f"{parity.worst:.1e}",
            f"{parity.p999:.1e}",
        ]
        lines.append(f"| {dataset.name} | {manifest.type} | " + " | ".join(cells) + " |")
    for family, reason in training.refused.items():
        lines.append(f"| {dataset.name} | {family} | refused: {reason} |")
    best = training.drafts[0].manifest.type
    lines.append(f"| {dataset.name} | *all of it* | {training.seconds:.0f} s of {seconds:.0f} s; best: {best} |")
    return lines + ([_flaml(dataset, training.split, seconds, seed)] if flaml else [])


def _keep(training: Training, path: Path) -> None:
    """What the best version answers to the held-out rows."""
    part, best = training.split.test, training.drafts[0]
    answers = run_with_spread(best.graph, part.features)
    assert best.manifest.calibration is not None
    lower, upper = best.manifest.calibration.intervals(answers.cost.astype(float), DEFAULT_COVERAGE, answers.spread)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, features=part.features, cost=part.cost, predicted=answers.cost, lower=lower, upper=upper)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _flaml(dataset: Dataset, split: Split, seconds: float, seed: int) -> str:
    """FLAML gets the stated features and all rows that are not held out, in a process of its own."""
    python = peer_python()
    with TemporaryDirectory() as name:
        folder = Path(name)
        known = np.concatenate([split.train.features, split.calibrate.features])
        cost = np.concatenate([split.train.cost, split.calibrate.cost])
        np.savez(folder / "rows.npz", known=known, cost=cost, test=split.test.features)
        begun = time.monotonic()
        command = [python, HERE / "flaml_peer.py", folder, str(seconds), str(seed), str(dataset.workload.cost.relative)]
        subprocess.run(command, check=True, capture_output=True)
        predicted = np.load(folder / "predicted.npy").astype(np.float32)
    metrics = evaluate(split.test.cost, predicted)
    took = time.monotonic() - begun
    return (
        f"| {dataset.name} | FLAML | {metrics.mae:.4g} | {_number(metrics.mape)} | {_number(metrics.median_ape)} | "
        f"{_number(metrics.within_10)} | {metrics.r2:.4f} | – | – | – | {took:.0f} | – | – | – | – | – |"
    )


if __name__ == "__main__":
    main()
