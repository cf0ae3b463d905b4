"""A disk that is really full: predictions go on, `/health` says what is wrong, and records wait for room."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.contract.conftest import fill, start
from tests.patience import PATIENCE_SECONDS, until

LOAD = {"request_rate": 100, "active_users": 1, "db_connections": 1, "timestamp": "2026-03-02T14:05:00Z"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(tmp_path)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def metric(client: httpx2.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def test_a_full_disk_degrades_and_predictions_go_on(small_disk: Path) -> None:
    fill(small_disk)
    process, address = start(small_disk)
    try:
        with httpx2.Client(base_url=address) as client:
            until(lambda: client.get("/health").json()["status"] == "healthy")
            ballast = small_disk / "ballast"
            with ballast.open("wb", buffering=0) as file:
                for size in (4096, 1):
                    try:
                        while file.write(bytes(size)):
                            pass
                    except OSError:
                        pass
            answers = [client.post("/predict", json=LOAD) for _ in range(200)]
            assert {answer.status_code for answer in answers} == {200}

            until(lambda: {"disk", "prediction_records"} <= set(client.get("/health").json()["problems"]))
            health = client.get("/health")
            assert (health.status_code, health.json()["status"]) == (200, "degraded")
            problems = health.json()["problems"]
            assert problems["disk"].startswith("100 % of the disk are used")
            assert "disk is full" in problems["prediction_records"]
            assert metric(client, "prediction_records_waiting") > 0
            assert min(client.get("/health").elapsed.total_seconds() for _ in range(20)) < 0.05

            ballast.unlink()
            until(lambda: client.get("/health").json()["status"] == "healthy")
            until(lambda: metric(client, "prediction_records_waiting") == 0)
            assert metric(client, "prediction_records_written_total") == len(answers)
            assert metric(client, "prediction_records_dropped_total") == 0
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)
