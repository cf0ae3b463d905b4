"""Ways to quantise a version: size, time, error, and how far a row's answer moves with the rows beside it.

As it is, with int8 weights as `perfcast models quantize` makes them, and by ONNX Runtime's dynamic quantisation:

    .venv/bin/python benchmarks/quantisation.py cnn-execution-time-cpu-torch:4
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from perfcast.cli._workbench import workbench
from perfcast.sessions import COST, FEATURES, open_session
from perfcast.settings import load_settings
from perfcast.training.judging import score
from perfcast.training.variants import quantize
from perfcast.training.variants._graph import Graph

ALONE = 300


def dynamic(graph: bytes) -> bytes:
    """What ONNX Runtime makes of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.onnx"
        constants_lifted = onnx.load_model_from_string(Graph(graph).to_bytes())
        quantize_dynamic(constants_lifted, path, per_channel=True, weight_type=QuantType.QInt8)
        return path.read_bytes()


def main(reference: str) -> None:
    """Print a table."""
    with workbench(load_settings()) as bench:
        version = bench.registry.resolve(reference)
        data = version.manifest.data
        assert data is not None
        dataset = bench.datasets.load(bench.datasets.find(data.name, data.digest))
        graph = bench.registry.graph(version)
    test, workload = dataset.split().test, dataset.workload
    print("| form | kB | row µs | error | largest change by other rows % |\n|---|---|---|---|---|")
    for name, form in {"float32": graph, "int8 weights": quantize(graph), "dynamic": dynamic(graph)}.items():
        session = open_session(form)
        (together,) = session.run([COST], {FEATURES: test.features})
        alone, times = [], []
        for row in range(ALONE):
            begin = time.perf_counter_ns()
            (cost,) = session.run([COST], {FEATURES: test.features[[row]]})
            times.append(time.perf_counter_ns() - begin)
            alone.append(cost[0])
        moved = 100 * np.abs(together[:ALONE] / np.array(alone) - 1).max()
        error = score(workload, test.cost, together)
        print(
            f"| {name} | {len(form) / 1000:.0f} | {statistics.median(times) / 1000:.1f} | {error:.4g} | {moved:.2g} |"
        )


if __name__ == "__main__":
    main(sys.argv[1])
