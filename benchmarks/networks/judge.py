"""Whole networks, predicted against measured: ten that were named beforehand, whose layers nothing has seen.

    .venv/bin/python benchmarks/networks/judge.py [--seconds 60] [--device cpu-torch]

The rows of every shape of the judged networks' layers, at any batch size, are taken out of the shipped measurements;
models of convolutions and of the other operators are trained from the rest, and the sum is calibrated on the measured
networks without the judged ones. Prints Markdown tables, predicted and measured side by side; with both devices they
are benchmarks/results/networks.md. The measured times are those of `measure.py` on the same machine.
"""

import argparse
import statistics
import time
from dataclasses import replace
from typing import Any

import numpy as np
from judged import JUDGED

from perfcast.datasets import Dataset, shipped_dataset
from perfcast.export import run_with_spread
from perfcast.manifest import Manifest
from perfcast.networks import (
    CONVOLUTIONS,
    OPERATORS,
    Device,
    answer_network,
    learn_device,
    measured_networks,
    plan,
    read_preset,
)
from perfcast.serving import Answer
from perfcast.training import Budget, train
from perfcast.workloads import RowReader, Rows, builtin_workloads

DEVICES = ("cpu-torch", "cpu-onnxruntime")
SETS = {CONVOLUTIONS: "{device}", OPERATORS: "{device}-operators"}


class Trained:
    """A draft that answers."""

    def __init__(self, manifest: Manifest, graph: bytes) -> None:
        self.manifest, self._graph = manifest, graph

    def predict(self, rows: Rows, coverage: float = 0.9) -> Answer:
        """Costs and bounds of many rows."""
        cost, spread = run_with_spread(self._graph, rows)
        calibration = self.manifest.calibration
        lower, upper = calibration.intervals(cost, coverage, spread) if calibration else (None, None)
        return Answer(cost, lower, upper, np.zeros(rows.shape, dtype=bool), coverage, spread)


def main() -> None:
    """Print a table for each device, and what there is to say of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--device", choices=DEVICES)
    asked = parser.parse_args()
    for name in [asked.device] if asked.device else DEVICES:
        device = Device(name)
        ask = {workload: _trained(device, workload, asked).predict for workload in SETS}
        begun = time.perf_counter()
        whole = learn_device(device, ask, without=JUDGED)
        print(f"\n{name}: {whole}, learnt in {time.perf_counter() - begun:.2f} s\n")
        _show([_compared(device, item, ask, whole) for item in measured_networks(name) if item.network in JUDGED])


def _trained(device: Device, workload: str, asked: argparse.Namespace) -> Trained:
    dataset = shipped_dataset(SETS[workload].format(device=device.name))
    kept = _without_judged(dataset, device)
    draft = train(kept, Budget(asked.trials, asked.seconds), seed=0).drafts[0]
    metrics = draft.manifest.metrics
    print(
        f"{dataset.name}: {len(kept):,} of {len(dataset):,} rows kept; {draft.manifest.type}, "
        f"MAPE {metrics.mape:.2f} %, 90 % intervals hold {metrics.coverage['0.9']:.1f} %"
    )
    return Trained(draft.manifest, draft.graph)


def _without_judged(dataset: Dataset, device: Device) -> Dataset:
    """The rows whose shape, whatever the batch, is that of no layer of a judged network."""
    reader = RowReader(builtin_workloads()[dataset.workload.name])
    batch = dataset.workload.feature_names.index("batch_size")
    judged = set()
    for name in JUDGED:
        for call in plan(read_preset(name), device.runtime).calls:
            if call.workload == dataset.workload.name:
                judged.add(_shape(np.array(reader.read(dict(call.features)), dtype=np.float32), batch))
    keep = np.array([_shape(row, batch) not in judged for row in dataset.features])
    moments = None if dataset.measured_at is None else dataset.measured_at[keep]
    return replace(dataset, features=dataset.features[keep], cost=dataset.cost[keep], measured_at=moments)


def _shape(row: Rows, batch: int) -> bytes:
    return bytes(np.delete(row, batch).astype(np.float32).tobytes())


def _compared(device: Device, item: Any, ask: Any, whole: Any) -> dict[str, Any]:
    found = answer_network(read_preset(item.network), device, item.batch_size, ask, whole)
    told = found["execution_time_ms"]
    plain = answer_network(read_preset(item.network), device, item.batch_size, ask, None)["execution_time_ms"]
    return {
        "network": item.network, "batch": item.batch_size, "measured ms": item.ms, "predicted ms": told,
        "interval": f"{found['lower_ms']:.3g}–{found['upper_ms']:.3g}",
        "error %": 100 * (told / item.ms - 1), "repeat %": 100 * item.half_spread,
        "plain sum's error %": 100 * (plain / item.ms - 1),
        "holds": found["lower_ms"] <= item.ms <= found["upper_ms"], "missing %": 100 * found["not_modelled_share"],
    }  # fmt: skip


def _show(rows: list[dict[str, Any]]) -> None:
    print(f"| {' | '.join(rows[0])} |\n|{'---|' * len(rows[0])}")
    for row in rows:
        cells = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values()]
        print(f"| {' | '.join(cells)} |")
    errors = [abs(row["error %"]) for row in rows]
    plain = statistics.mean(abs(row["plain sum's error %"]) for row in rows)
    held = sum(row["holds"] for row in rows)
    repeat = statistics.mean(row["repeat %"] for row in rows)
    within = sum(error <= 10 for error in errors)
    print(
        f"\nMean error {statistics.mean(errors):.1f} %, median {statistics.median(errors):.1f} %, worst "
        f"{max(errors):.1f} %; within 10 %: {within} of {len(rows)}; in their interval: {held} of {len(rows)}; "
        f"the plain sum's mean error: {plain:.1f} %; repeats differ by {repeat:.1f} %"
    )


if __name__ == "__main__":
    main()
