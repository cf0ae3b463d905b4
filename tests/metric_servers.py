"""Real servers of metrics for tests, Prometheus and VictoriaMetrics, filled with what a shop would have exported."""

import math
import random
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest
from tests.patience import PATIENCE_SECONDS, until
from tests.services import free_port, wait_until_it_listens

SHOP_BEGINS = 1_709_280_000
"""2024-03-01T08:00:00Z, when the first sample of the shop was scraped."""
SHOP_SECONDS = 6 * 3600
SHOP_GAP = (SHOP_BEGINS + 3 * 3600, SHOP_BEGINS + 3 * 3600 + 1200)
"""While nobody scraped."""
SHOP_RESET = SHOP_BEGINS + 2 * 3600 + 7
"""When instance b started again, its counters at 0."""
SCRAPE_SECONDS = 15


class Server:
    """A server on loopback that forgets nothing while it runs; it can be stopped and started again."""

    name: str

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._log = folder / "log"
        self._command: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start it and wait until it can be asked."""
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until_it_listens(self._server, self._port, self.name)

    def stop(self) -> None:
        """Stop it."""
        self._server.terminate()
        self._server.wait(PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class PrometheusServer(Server):
    """A Prometheus that scrapes nothing.

    Args:
        folder: For its data.
        samples: What it holds from the beginning, in the text format of OpenMetrics.
        options: Further flags.
    """

    name = "Prometheus"

    def __init__(self, folder: Path, samples: str, *options: str) -> None:
        super().__init__(folder)
        (folder / "samples").write_text(samples)
        (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
        tool = _installed("promtool", "prometheus")
        blocks = [tool, "tsdb", "create-blocks-from", "openmetrics", folder / "samples", folder / "data"]
        subprocess.run(blocks, check=True, capture_output=True)
        self._command = [
            _installed("prometheus", "prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--log.level=warn",
            *options,
        ]

    def start(self) -> None:
        """Start it and wait until it answers."""
        super().start()
        until(lambda: _answers(f"{self.url}/-/ready"))


class AlertmanagerServer(Server):
    """An Alertmanager.

    Args:
        folder: For its data.
        configuration: As in alertmanager.yml.
    """

    name = "Alertmanager"

    def __init__(self, folder: Path, configuration: str) -> None:
        super().__init__(folder)
        (folder / "alertmanager.yml").write_text(configuration)
        self._command = [
            _installed("prometheus-alertmanager", "prometheus-alertmanager"),
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ]


class VictoriaServer(Server):
    """A VictoriaMetrics; its arguments are those of `PrometheusServer`."""

    name = "VictoriaMetrics"

    def __init__(self, folder: Path, samples: str, *options: str) -> None:
        super().__init__(folder)
        self._samples = samples
        self._command = [
            _installed("victoria-metrics", "victoria-metrics"),
            f"-storageDataPath={folder / 'data'}",
            "-retentionPeriod=100y",
            f"-httpListenAddr=127.0.0.1:{self._port}",
            "-loggerLevel=ERROR",
            *options,
        ]

    def start(self) -> None:
        """Start it, fill it, and wait until the samples can be asked for."""
        super().start()
        lines = (line for line in self._samples.splitlines() if not line.startswith("#"))
        in_milliseconds = "\n".join(
            f"{line.rpartition(' ')[0]} {1000 * int(line.rpartition(' ')[2])}" for line in lines
        )
        request = urllib.request.Request(
            f"{self.url}/api/v1/import/prometheus", in_milliseconds.encode(), method="POST"
        )
        urllib.request.urlopen(request, timeout=PATIENCE_SECONDS).close()
        urllib.request.urlopen(f"{self.url}/internal/force_flush", timeout=PATIENCE_SECONDS).close()


ENGINES: dict[str, type[PrometheusServer | VictoriaServer]] = {
    "prometheus": PrometheusServer,
    "victoria-metrics": VictoriaServer,
}


@dataclass(frozen=True)
class Shop:
    """What the shop did, second by second: requests that came, and CPU seconds that they took."""

    requests: list[float]
    cpu: list[float]

    def mean(self, series: list[float], ends: int, seconds: int) -> float:
        """Per second over the window that ends then."""
        at = ends - SHOP_BEGINS
        return sum(series[at - seconds : at]) / seconds


def make_shop(seed: int = 7) -> Shop:
    """A hill with bursts of half a minute; each request takes 8 ms of CPU, and 0.1 cores are busy anyway."""
    draw = random.Random(seed)
    requests, burst = [], 1.0
    for second in range(SHOP_SECONDS):
        if second % 30 == 0:
            burst = draw.uniform(0.5, 1.5)
        hill = 60 + 40 * math.sin(2 * math.pi * second / SHOP_SECONDS)
        requests.append(hill * burst)
    return Shop(requests, [0.1 + 0.008 * each for each in requests])


def shop_samples(shop: Shop) -> str:
    """What was scraped: two instances in cluster eu, and another team's series of the same names in cluster us."""
    counters: dict[str, list[tuple[int, float]]] = {}
    gauges: dict[str, list[tuple[int, float]]] = {}
    totals = {"a": [0.0, 0.0], "b": [0.0, 0.0]}
    for second in range(SHOP_SECONDS):
        at = SHOP_BEGINS + second
        if at == SHOP_RESET:
            totals["b"] = [0.0, 0.0]
        if second % SCRAPE_SECONDS == 0 and not SHOP_GAP[0] <= at < SHOP_GAP[1]:
            for instance, (requests, cpu) in totals.items():
                labels = f'cluster="eu",instance="{instance}",job="shop"'
                counters.setdefault(f"http_requests_total{{{labels}}}", []).append((at, requests))
                counters.setdefault(f"process_cpu_seconds_total{{{labels}}}", []).append((at, cpu))
            users = round(5 * shop.requests[second])
            gauges.setdefault('shop_active_users{cluster="eu",job="shop"}', []).append((at, users))
            gauges.setdefault('shop_db_connections{cluster="eu",job="shop"}', []).append((at, round(users / 20)))
            gauges.setdefault('shop_cores{cluster="eu",job="shop"}', []).append((at, 2))
            us = 'cluster="us",instance="c",job="shop"'
            counters.setdefault(f"http_requests_total{{{us}}}", []).append((at, 1000.0 * second))
            counters.setdefault(f"process_cpu_seconds_total{{{us}}}", []).append((at, 1.5 * second))
        for share, total in zip((0.6, 0.4), totals.values(), strict=True):
            total[0] += share * shop.requests[second]
            total[1] += share * shop.cpu[second]
    return _text(counters, "counter") + _text(gauges, "gauge") + "# EOF\n"


@pytest.fixture(scope="session")
def scraped_shop() -> Shop:
    """What the shop did."""
    return make_shop()


@pytest.fixture(scope="session", params=list(ENGINES))
def metrics_url(
    request: pytest.FixtureRequest, scraped_shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of a server that holds the shop's samples: Prometheus, then VictoriaMetrics."""
    with ENGINES[request.param](tmp_path_factory.mktemp(request.param), shop_samples(scraped_shop)) as server:
        yield server.url


@pytest.fixture(scope="session")
def prometheus_url(scraped_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Prometheus that holds the shop's samples."""
    with PrometheusServer(tmp_path_factory.mktemp("prometheus"), shop_samples(scraped_shop)) as server:
        yield server.url


def _text(series: dict[str, list[tuple[int, float]]], kind: str) -> str:
    """Series in the text format: all samples of a family together."""
    lines: list[str] = []
    families = {name.partition("{")[0]: None for name in series}
    for family in families:
        lines.append(f"# TYPE {family.removesuffix('_total')} {kind}")
        for name, samples in series.items():
            if name.partition("{")[0] == family:
                lines += [f"{name} {value!r} {at}" for at, value in samples]
    return "\n".join(lines) + "\n"


def _installed(program: str, package: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise RuntimeError(f"tests need {program}: apt-get install {package}")
    return found


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
