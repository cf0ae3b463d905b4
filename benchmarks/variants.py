"""What smaller and quicker forms of a version gain and lose, and how long a row takes inside the server.

    .venv/bin/python benchmarks/variants.py [--seconds 60]

Trains a champion of each kind in that time, makes its forms as `perfcast models` does, serves them all on a free port
and asks `/benchmark/MODEL:VERSION` of each in turns. Prints a Markdown table and writes benchmarks/results/variants.md.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import measured
from tests.services import free_port

from perfcast.datasets import Dataset
from perfcast.manifest import Draft
from perfcast.processors import processors
from perfcast.registry import Registry
from perfcast.settings import load_settings
from perfcast.storage import Blobs, Database
from perfcast.training import Budget, train
from perfcast.training.variants import Variation, distill, prune, quantize, vary
from perfcast.workloads import Rows, Workload
from perfcast_client import Client, PerfcastClientError

ROUNDS, CALLS = 7, 1000
HEAD = (
    "| version | form | error | within 10 % | kB | one row µs | a row in a batch µs | in the server: median, p99 µs "
    "| answers differ: median, worst |"
)
Form = Callable[[bytes, Rows, Workload], bytes]
FORMS: dict[str, Form] = {
    "`prune`": lambda graph, rows, _: prune(graph, 0.5, rows),
    "`quantize`": lambda graph, *_: quantize(graph),
    "`distill`": lambda graph, rows, workload: distill(graph, workload, rows, quantities=24, threads=processors()),
    "`distill --quantities 6`": lambda graph, rows, workload: distill(
        graph, workload, rows, quantities=6, threads=processors()
    ),
}


def main() -> None:
    """Train, vary, serve, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="budget of each training")
    seconds = parser.parse_args().seconds
    lines = [HEAD, "|" + "---|" * (HEAD.count("|") - 1)]
    with TemporaryDirectory() as folder:
        os.environ["DATA_DIR"] = folder
        settings = load_settings()
        database = Database(settings.database_address)
        database.migrate()
        registry = Registry(database, Blobs(settings.artifacts_address))
        made = [found for dataset in measured.shipped() for found in _versions(registry, dataset, seconds)]
        with _server() as client:
            took = _in_turns(client, [reference for reference, *_ in made])
        database.close()
    for reference, name, draft, variation in made:
        lines.append(_line(name, draft, variation, took[reference]))
    print("\n".join(lines))
    (Path(__file__).parent / "results" / "variants.md").write_text("\n".join(lines) + "\n")


def _versions(
    registry: Registry, dataset: Dataset, seconds: float
) -> Iterator[tuple[str, str, Draft, Variation | None]]:
    """Reference, name, draft and, for a form, what it changes; of a champion and all its forms."""
    training = train(dataset, Budget(trials=10_000, timeout=seconds), seed=0)
    best, rows = training.drafts[0], training.split.train.features
    original = registry.add(dataset.name, best)
    registry.point(dataset.name, "champion", original.number)
    yield original.reference, f"{dataset.name}, {best.manifest.type} | as it is", best, None
    for name, form in FORMS.items():
        try:
            changed = form(best.graph, rows, dataset.workload)
            variation = vary((original.number, best.manifest, best.graph), changed, dataset, name=name)
        except Exception as error:  # noqa: BLE001 - such as a form that this family has not
            print(f"{dataset.name} {name}: {error}", file=sys.stderr)
            continue
        yield registry.add(dataset.name, variation.draft).reference, f" | {name}", variation.draft, variation


@contextmanager
def _server() -> Iterator[Client]:
    port = free_port()
    command = [Path(sys.executable).parent / "perfcast", "serve", "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        with Client(f"http://127.0.0.1:{port}", timeout=120) as client:
            for _ in range(600):
                try:
                    client.ready()
                    break
                except PerfcastClientError:
                    time.sleep(0.1)
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _in_turns(client: Client, references: list[str]) -> dict[str, tuple[float, float]]:
    """Median over rounds of each version's median and 99th percentile, µs."""
    found: dict[str, list[tuple[float, float]]] = {reference: [] for reference in references}
    for _ in range(ROUNDS):
        for reference, times in found.items():
            answer = client.benchmark(reference, iterations=CALLS, fresh=True)
            times.append((1000 * answer.p50_latency_ms, 1000 * answer.p99_latency_ms))
    return {reference: tuple(map(statistics.median, zip(*times, strict=True))) for reference, times in found.items()}


def _line(name: str, draft: Draft, variation: Variation | None, took: tuple[float, float]) -> str:
    manifest = draft.manifest
    assert manifest.metrics is not None
    relative = manifest.metrics.mape is not None and bool(manifest.workload["cost"].get("relative"))
    if variation is None:
        error = f"{manifest.metrics.mape:.2f} %" if relative else f"{manifest.metrics.mae:.3f}"
        row = f"{manifest.graph.row_us:.0f} | –"
    else:  # both of the same rows, side by side
        before, after, unit = variation.before, variation.after, " %" if relative else ""
        error = f"{before.error:.4g} → {after.error:.4g}{unit}"
        row = f"{before.row_us:.0f} → {after.row_us:.0f} | {before.batch_us:.1f} → {after.batch_us:.1f}"
    apart = variation.difference if variation is not None else None
    return (
        f"| {name} | {error} | {manifest.metrics.within_10:.1f} | {manifest.graph.bytes / 1000:,.0f} | {row} "
        f"| {took[0]:.0f}, {took[1]:.0f} "
        f"| {'–' if apart is None else f'{apart.median:.2g}{apart.unit}, {apart.worst:.2g}{apart.unit}'} |"
    )


if __name__ == "__main__":
    main()
