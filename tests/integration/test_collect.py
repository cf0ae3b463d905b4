"""From Prometheus to live accuracy with nobody's feedback; what a server that is away misses is told to it later."""

import os
import subprocess
import sys
from pathlib import Path

import httpx2
from tests.contract.conftest import start
from tests.drafts import draft, weighted
from tests.patience import PATIENCE_SECONDS, until
from tests.services import free_port
from tests.unit.collect.conftest import write_file
from tests.workers import Shop, stop, working

from perfcast.workloads import builtin_workloads

MODEL = "cpu-utilization"


def test_each_row_is_predicted_and_judged(shop: Shop, prometheus_url: str, tmp_path: Path) -> None:
    workload = builtin_workloads()[MODEL]
    shop.registry.add(MODEL, draft(workload, weighted(workload, request_rate=0.25)))
    shop.registry.point(MODEL, "champion", 1)
    load = "vector(100) + 0 * time()"
    features = {"request_rate": load, "active_users": load, "db_connections": load}
    file = write_file(
        tmp_path / "collect.yaml", prometheus_url, model=MODEL, features=features, target="vector(0.55)",
        capacity=2, step=1, lag=1, late=5, window=60, dataset="followed",
    )  # fmt: skip
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", "from perfcast.cli import main; main()", "collect", "follow", file, "--url", url]
    following = subprocess.Popen(command, env=os.environ | shop.settings.environment, stderr=subprocess.PIPE, text=True)
    try:
        journal = shop.settings.data_dir / "collect" / "followed.db"
        until(journal.exists)  # it begins before the server does
        environment = shop.settings.environment | {"API_PORT": str(port)}
        server, url = start(shop.settings.data_dir, **environment)
        try:
            with working(shop.settings), httpx2.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:

                def live() -> dict[str, float] | None:
                    arms = client.get(f"/models/{MODEL}/traffic").json()["arms"]
                    every: dict[str, float] = arms["champion"]["live"].get("all", {})
                    return every if every and every["actuals"] >= 3 else None

                assert until(live)["mae"] == 2.5  # 25 predicted, 27.5 measured
        finally:
            stop(server)  # type: ignore[arg-type]
    finally:
        following.terminate()
        _, err = following.communicate(timeout=PATIENCE_SECONDS)
    assert following.returncode == 0, err
    assert shop.datasets.find("followed").rows >= 3
