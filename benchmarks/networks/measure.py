"""Measure whole networks on this machine, as `perfcast profile` measures convolutions: in rounds, on one core.

    python benchmarks/networks/measure.py torch --core 1
    python benchmarks/networks/measure.py onnxruntime --core 1

Writes `src/perfcast/networks/measured/cpu-RUNTIME.csv` after each round, and goes on from it. Modules run in inference
mode with one thread; ONNX Runtime runs the graph that PyTorch's exporter makes of the same module in evaluation mode.
A time is the least over all rounds; `half_spread` is how far apart the least of odd and even rounds are.
"""

import argparse
import csv
import math
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from architectures import ARCHITECTURES, UNMEASURED, Architecture, build

from perfcast.workloads.cnn_execution_time.profiler._options import ProfileOptions
from perfcast.workloads.cnn_execution_time.profiler._runners import Timer, ValuePool, make_runner, pinned, time_call

_MEASURED = Path(__file__).parents[2] / "src" / "perfcast" / "networks" / "measured"
_SECONDS = 0.3
MEASURED = {item.name for item in ARCHITECTURES} - set(UNMEASURED)


@dataclass(slots=True)
class Reading:
    """One network at one batch: the least milliseconds a call in odd and in even rounds."""

    network: str
    batch_size: int
    odd_ms: float = math.inf
    even_ms: float = math.inf
    rounds: int = 0

    def take(self, ms: float, number: int) -> None:
        """A round's least time of a call."""
        if number % 2:
            self.odd_ms = min(self.odd_ms, ms)
        else:
            self.even_ms = min(self.even_ms, ms)
        self.rounds += 1


def main() -> None:
    """Measure what isn't measured yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runtime", choices=("torch", "onnxruntime"))
    parser.add_argument("--batches", default="1,8", help="images a call, comma-separated")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--core", type=int, default=None)
    parser.add_argument("--networks", default="", help="names, comma-separated; all of them if not given")
    asked = parser.parse_args()
    path = _MEASURED / f"cpu-{asked.runtime}.csv"
    path.parent.mkdir(exist_ok=True)
    batches = [int(batch) for batch in asked.batches.split(",")]
    names = [name for name in asked.networks.split(",") if name]
    chosen = [item for item in ARCHITECTURES if item.name in (names or MEASURED)]
    options = ProfileOptions(output=path.parent, runtime=asked.runtime)
    readings = _read(path)
    with pinned(asked.core), closing(make_runner(options)) as runner, TemporaryDirectory() as folder:
        for number in range(1, asked.rounds + 1):
            for architecture in random.Random(number).sample(chosen, len(chosen)):
                due = [batch for batch in batches if _reading(readings, architecture.name, batch).rounds < number]
                for batch, timer in _timers(runner, asked.runtime, architecture, due, Path(folder)):
                    ms = 1e3 * time_call(timer, _SECONDS)
                    _reading(readings, architecture.name, batch).take(ms, number)
                    print(f"round {number} {architecture.name} batch {batch}: {ms:.2f} ms", file=sys.stderr, flush=True)
                _write(path, list(readings.values()))


def _timers(
    runner: Any, runtime: str, architecture: Architecture, batches: Sequence[int], folder: Path
) -> Iterator[tuple[int, Timer]]:
    import torch

    if not batches:
        return
    images = ValuePool(1)
    module = build(architecture) if runtime == "torch" or not _exported(folder, architecture).exists() else None
    if runtime == "torch":
        for batch in batches:
            inputs = torch.from_numpy(images.take((batch, 3, architecture.size, architecture.size)))
            yield batch, _module_timer(module, inputs)
        return
    path = _exported(folder, architecture)
    if module is not None:
        example = torch.zeros(1, 3, architecture.size, architecture.size)
        axes = {"input": {0: "batch"}}
        torch.onnx.export(
            module, (example,), path, dynamo=False, opset_version=17, input_names=["input"], dynamic_axes=axes
        )
        del module
    import onnxruntime

    session = onnxruntime.InferenceSession(path, runner.session_options(), providers=["CPUExecutionProvider"])
    for batch in batches:
        inputs = images.take((batch, 3, architecture.size, architecture.size))
        yield batch, _session_timer(session, inputs)


def _exported(folder: Path, architecture: Architecture) -> Path:
    return folder / f"{architecture.name}.onnx"


def _module_timer(module: Any, inputs: Any) -> Timer:
    import torch

    def timer(calls: int) -> float:
        with torch.inference_mode():
            begin = time.perf_counter()
            for _ in range(calls):
                module(inputs)
            return time.perf_counter() - begin

    return timer


def _session_timer(session: Any, inputs: Any) -> Timer:
    def timer(calls: int) -> float:
        begin = time.perf_counter()
        for _ in range(calls):
            session.run(None, {"input": inputs})
        return time.perf_counter() - begin

    return timer


def _reading(readings: dict[tuple[str, int], Reading], network: str, batch: int) -> Reading:
    return readings.setdefault((network, batch), Reading(network, batch))


def _read(path: Path) -> dict[tuple[str, int], Reading]:
    if not path.exists():
        return {}
    with path.open() as lines:
        rows = [
            Reading(
                row["network"], int(row["batch_size"]), float(row["odd_ms"]), float(row["even_ms"]), int(row["rounds"])
            )
            for row in csv.DictReader(lines)
        ]
    return {(row.network, row.batch_size): row for row in rows}


def _write(path: Path, readings: Sequence[Reading]) -> None:
    lines = [",".join(field.name for field in fields(Reading))]
    for reading in sorted(readings, key=lambda item: (item.network, item.batch_size)):
        name, batch, odd, even, rounds = astuple(reading)
        lines.append(f"{name},{batch},{odd:.6g},{even:.6g},{rounds}")
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
