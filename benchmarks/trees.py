"""XGBoost as Perfcast uses it against LightGBM and CatBoost, on the same quantities, rows and thread.

    .venv/bin/python benchmarks/trees.py [--public FOLDER] [--seed 0]

On inner splits: the held-out part of each set is never looked at. The peers are installed into an environment of their
own (benchmarks/requirements.txt).
"""

import argparse
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import measured
import numpy as np
from peers import peer_python

from perfcast.datasets import Dataset, shipped_dataset
from perfcast.training.families import families
from perfcast.training.fits import Inner, inner_validation
from perfcast.workloads import Rows


def main() -> None:
    """Fit each on each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--public", type=Path, help="folder of the public data sets (see benchmarks/README.md)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print("| data | trees | MAPE % | median APE % | within 10 % | fit s |\n|---|---|---|---|---|---|")
    for dataset in _datasets(options.public):
        inner = inner_validation(dataset.split(), dataset.workload, seed=options.seed, threads=1)
        for name, predicted, seconds in (_xgboost(inner), *_peers(inner)):
            error = 100 * np.abs(inner.target.to_cost(inner.workload, predicted) / inner.cost - 1)
            figures = f"{error.mean():.2f} | {np.median(error):.2f} | {100 * (error <= 10).mean():.1f} | {seconds:.1f}"
            print(f"| {dataset.name} | {name} | {figures} |", flush=True)


def _datasets(public: Path | None) -> Iterator[Dataset]:
    yield from (shipped_dataset(name) for name in ("cpu-torch", "cpu-onnxruntime"))
    if public is not None:
        yield from (data for data in measured.public(public) if data.name.startswith("conv_"))


def _xgboost(inner: Inner) -> tuple[str, Rows, float]:
    family, begun = families()["xgboost"], time.monotonic()
    fitted = family.fit(inner.lesson, family.start(inner.lesson))
    return "XGBoost", fitted.predict(inner.held_inputs), time.monotonic() - begun


def _peers(inner: Inner) -> Iterator[tuple[str, Rows, float]]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "rows.npz", known=inner.lesson.inputs, target=inner.lesson.target, held=inner.held_inputs)
        for peer in ("LightGBM", "CatBoost"):
            command = [peer_python(), Path(__file__).with_name("trees_peer.py"), folder, peer]
            seconds = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            yield peer, np.load(folder / "predicted.npy").astype(np.float32), seconds


if __name__ == "__main__":
    main()
