"""How well load goes with CPU, by how the two queries are written: on Prometheus and on VictoriaMetrics.

A simulated service of twelve hours whose CPU follows its load within the second (r = 1 but for 2 % noise). Load is
scraped each 15 s from the service, CPU each 30 s from another exporter, as usual, at other phases; the service starts
again once, and scraping pauses for five minutes. Both servers are real ones, started by the tests' own code.

    .venv/bin/python benchmarks/alignment.py
"""

import math
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.metric_servers import ENGINES

from perfcast.collect import Prometheus, check, read_collection
from perfcast.workloads import builtin_workloads

BEGINS, SECONDS = 1_709_280_000, 12 * 3600
RESTART, PAUSE = 5 * 3600 + 7, (8 * 3600, 8 * 3600 + 300)
RATE, CPU, USERS = "sum(rate(requests_total[{}]))", "sum(rate(cpu_seconds_total[{}]))", "sum(users)"
LATE = "sum(rate(requests_total[$window] offset 1m))"
PAIRS = {
    "the newest sample of a gauge, CPU over 5 minutes": (USERS, CPU.format("5m"), "2m"),
    "load over 5 minutes, CPU over 1": (RATE.format("5m"), CPU.format("1m"), "2m"),
    "both by irate": (RATE.format("2m").replace("rate", "irate"), CPU.format("2m").replace("rate", "irate"), "2m"),
    "the same window, load a minute late": (LATE, CPU.format("$window"), "2m"),
    "a gauge's mean and CPU over the same window": ("sum(avg_over_time(users[$window]))", CPU.format("$window"), "2m"),
    "both over the same window, 1 minute": (RATE.format("$window"), CPU.format("$window"), "1m"),
    "both over the same window, 2 minutes": (RATE.format("$window"), CPU.format("$window"), "2m"),
}  # fmt: skip


def samples(seed: int = 3) -> str:
    """What was scraped, in the text format of OpenMetrics."""
    draw = random.Random(seed)
    series: dict[str, list[str]] = {"requests_total": [], "cpu_seconds_total": [], "users": []}
    requests = cpu = level = 0.0
    for second in range(SECONDS):
        if second % 20 == 0:
            level = 0.85 * level + draw.gauss(0, 0.25)  # a minute's neighbours go together by about 0.6
        hill = 80 + 30 * math.sin(2 * math.pi * second / SECONDS)
        load = hill * max(0.1, 1 + level)
        if second == RESTART:
            requests = cpu = 0.0
        if not PAUSE[0] <= second < PAUSE[1]:
            if second % 15 == 3:
                series["requests_total"].append(f"requests_total {requests!r} {BEGINS + second}")
                series["users"].append(f"users {load!r} {BEGINS + second}")
            if second % 30 == 11:
                series["cpu_seconds_total"].append(f"cpu_seconds_total {cpu!r} {BEGINS + second}")
        requests += load
        cpu += (0.1 + 0.008 * load) * max(0.0, draw.gauss(1, 0.02))
    kinds = {"requests_total": "counter", "cpu_seconds_total": "counter", "users": "gauge"}
    texts = ["\n".join([f"# TYPE {name.removesuffix('_total')} {kinds[name]}", *series[name]]) for name in series]
    return "\n".join([*texts, "# EOF", ""])


@contextmanager
def served(engine: str, folder: Path) -> Iterator[str]:
    """A server that holds the samples."""
    server = ENGINES[engine](folder, samples())
    server.start()
    yield server.url
    server.stop()


def correlation(url: str, load: str, cpu: str, window: str, folder: Path) -> tuple[float, int]:
    """The correlation at lag 0 and the best lag, as `perfcast collect check` finds them."""
    file = folder / "collect.yaml"
    file.write_text(
        f"server: {{url: {url}}}\nworkload: cpu-utilization\ndataset: shop\nwindow: {window}\ntarget: {cpu}\n"
        f"capacity: 4\nfeatures: {{request_rate: '{load}', active_users: 1, db_connections: 1}}\n"
    )
    collection = read_collection(file, builtin_workloads())
    report = check(collection, Prometheus(collection.document.server), hours=11.9, now=BEGINS + SECONDS + 90)
    finding = report.findings[0]
    return finding.correlation[0], finding.best_lag or 0


def main() -> None:
    """Print the table of docs/collect.md."""
    found: dict[str, list[str]] = {name: [] for name in PAIRS}
    for engine in ENGINES:
        with tempfile.TemporaryDirectory() as name, served(engine, Path(name)) as url:
            for title, (load, cpu, window) in PAIRS.items():
                now, lag = correlation(url, load, cpu, window, Path(name))
                found[title].append(f"{now:.3f}" + (f" (best at lag {lag})" if lag else ""))
    print(f"| how load and CPU are asked for | {' | '.join(ENGINES)} |\n|---|{'---|' * len(ENGINES)}")
    for title, values in found.items():
        print(f"| {title} | {' | '.join(values)} |")


if __name__ == "__main__":
    main()
