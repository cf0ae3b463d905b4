"""A real Prometheus with the shipped configuration and rules, beside two real servers."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from deploy.dashboards._files import DEPLOY
from deploy.dashboards._metrics import ALWAYS
from tests.contract.conftest import fill, start
from tests.patience import PATIENCE_SECONDS, until
from tests.services import free_port, wait_until_it_listens


class Scraping:
    """Prometheus as it is shipped, but quicker and on a free port."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("prometheus")
        assert program is not None, "tests need Prometheus: apt-get install prometheus"
        shutil.copytree(DEPLOY / "prometheus", folder, dirs_exist_ok=True)
        shipped = (folder / "prometheus.yml").read_text()
        assert "_interval: 15s" in shipped
        (folder / "prometheus.yml").write_text(shipped.replace("_interval: 15s", "_interval: 1s"))
        self._targets, port = folder / "targets/perfcast.yml", free_port()
        options = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
        command = [program, *options, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
        self._client = httpx2.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=PATIENCE_SECONDS)
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until_it_listens(self.process, port, "Prometheus")

    def watch(self, *addresses: str) -> None:
        """Write down which replicas there are."""
        new = self._targets.with_suffix(".new")
        new.write_text(json.dumps([{"targets": [address.removeprefix("http://") for address in addresses]}]))
        new.replace(self._targets)

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The series of a query just now."""
        found: list[dict[str, Any]] = self._client.get("/query", params={"query": query}).json()["data"]["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """Every rule, and how its last evaluation went."""
        groups = self._client.get("/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    folder = tmp_path_factory.mktemp("replicas")
    fill(folder)
    servers = [start(folder), start(folder)]
    yield [address for _, address in servers]
    for process, _ in servers:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def scraping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraping]:
    scraping = Scraping(tmp_path_factory.mktemp("prometheus") / "prometheus")
    yield scraping
    scraping.process.terminate()
    scraping.process.wait(PATIENCE_SECONDS)


def test_replicas_that_are_added_are_found_without_a_restart(scraping: Scraping, addresses: list[str]) -> None:
    scraping.watch(addresses[0])
    until(lambda: len(scraping.ask('up{job="perfcast"} == 1')) == 1)
    scraping.watch(*addresses)
    until(lambda: len(scraping.ask('up{job="perfcast"} == 1')) == 2)


def test_metrics_that_alerts_count_on_are_there_from_the_start(scraping: Scraping, addresses: list[str]) -> None:
    scraping.watch(*addresses)
    for name in ALWAYS:
        assert until(lambda name=name: scraping.ask(name)), name


def test_every_rule_is_evaluated_and_none_fires_on_a_sound_service(scraping: Scraping, addresses: list[str]) -> None:
    scraping.watch(*addresses)

    def counted() -> list[dict[str, Any]]:
        assert httpx2.get(f"{addresses[0]}/models").status_code == 200
        return scraping.ask("job:http_request_errors:ratio_rate5m")

    until(counted)
    rules = scraping.rules()
    assert {rule["name"]: rule["lastError"] for rule in rules if rule.get("lastError")} == {}
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
    assert [rule["name"] for rule in rules if rule.get("state") == "firing"] == []


def test_the_bare_name_of_the_latency_draws_its_p95(scraping: Scraping, addresses: list[str]) -> None:
    scraping.watch(*addresses)
    row = {"request_rate": 100, "active_users": 1, "db_connections": 1, "timestamp": "2026-03-02T14:05:00Z"}

    def drawn() -> list[dict[str, Any]]:
        for address in addresses:
            assert httpx2.post(f"{address}/predict", json=row).status_code == 200
        series = scraping.ask("ml_prediction_duration_seconds")
        return [one for one in series if 0 < float(one["value"][1]) < 10]

    (series,) = until(drawn)
    assert series["metric"]["quantile"] == "0.95"
    assert series["metric"]["model_name"] == "cpu-utilization"
    assert "instance" not in series["metric"]
