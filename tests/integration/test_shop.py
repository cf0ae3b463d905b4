"""The example shop: a service with visitors and a real Prometheus, all begun and ended by one command."""

import gzip
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode
from urllib.request import urlopen

import psutil
import pytest
import yaml
from tests.patience import PATIENCE_SECONDS, until

SHOP = Path(__file__).parents[2] / "examples" / "shop"
DEMAND = 1.4
T = TypeVar("T")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="module")
def shop(folder: Path) -> Iterator[psutil.Popen]:
    options = ["--minutes", "10", "--day-minutes", "10", "--deploy-at", "0", "--demand", str(DEMAND)]
    running = psutil.Popen([sys.executable, SHOP / "run.py", *options, "--out", folder], stdout=subprocess.DEVNULL)
    yield running
    if running.is_running():
        running.terminate()
        running.wait(PATIENCE_SECONDS)


def test_every_query_of_its_collection_gives_one_series(shop: psutil.Popen, folder: Path) -> None:
    prometheus = eventually(lambda: json.loads((folder / "run.json").read_text())["prometheus"])
    collection = yaml.safe_load((folder / "shop.yaml").read_text())
    assert collection["server"]["url"] == prometheus
    for query in (*collection["features"].values(), collection["target"], collection["capacity"]):
        found = eventually(lambda query=query: one_series(prometheus, query.replace("$window", "15s")))
        assert float(found["value"][1]) >= 0
    assert eventually(lambda: float(one_series(prometheus, "sum(rate(http_requests_total[15s]))")["value"][1])) > 0
    assert float(one_series(prometheus, "shop_demand")["value"][1]) == DEMAND


def test_at_its_end_all_is_kept_and_no_process_is_left(shop: psutil.Popen, folder: Path) -> None:
    started = shop.children(recursive=True)
    assert len(started) == 3
    shop.terminate()
    assert shop.wait(PATIENCE_SECONDS) == 128 + signal.SIGTERM
    assert not [process for process in started if process.is_running()]
    with gzip.open(folder / "raw.json.gz") as file:
        kept = {series["metric"]["__name__"] for series in json.load(file)}
    assert {"http_requests_total", "process_cpu_seconds_total", "shop_active_users", "shop_clock_hours"} <= kept
    assert json.loads((folder / "run.json").read_text())["deploys"][0][1] == DEMAND


def one_series(prometheus: str, query: str) -> dict[str, Any]:
    with urlopen(f"{prometheus}/api/v1/query?{urlencode({'query': query})}", timeout=10) as answer:
        (found,) = json.load(answer)["data"]["result"]
    return found


def eventually(look: Callable[[], T]) -> T:
    """What it gives once it gives something without an error."""

    def found() -> T | None:
        try:
            return look()
        except (OSError, ValueError):
            return None

    return until(found)
