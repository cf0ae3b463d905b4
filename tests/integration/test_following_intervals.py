"""Intervals of a running server follow its actuals: within seconds, without a restart, and after one."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.contract.conftest import fill, start
from tests.patience import PATIENCE_SECONDS, until

from perfcast.monitoring import Corrections, Observer, read_corrections, versions_of
from perfcast.registry import Registry
from perfcast.storage import Blobs, Database

LOAD = {"request_rate": 100, "active_users": 1, "db_connections": 1, "timestamp": "2026-03-02T14:05:00Z"}
PLAIN = (23.0, 27.0)


class Installation:
    """A folder and a database, where servers are started."""

    def __init__(self, folder: Path, url: str) -> None:
        fill(folder, url)
        self.folder, self.environment = folder, {"DATABASE_URL": url} if url else {}
        self.database = Database(url or f"sqlite:///{folder / 'perfcast.db'}")
        version_of = versions_of(Registry(self.database, Blobs(str(folder / "artifacts"))))
        self._observer = Observer(self.database, [Corrections(version_of)], version_of)  # what a worker has

    @contextmanager
    def served(self) -> Iterator[str]:
        """The address of a server of two processes, ended at the end."""
        process, address = start(self.folder, API_PROCESSES="2", **self.environment)
        drained = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)
        yield address
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)
        drained.wait(PATIENCE_SECONDS)

    def tell(self, address: str, error: float) -> None:
        """Ask sixty times, tell actuals that lie about so far above the answers, and let them be taken in."""
        before = self.learnt()
        answers = httpx2.post(f"{address}/predict/batch", json=[LOAD] * 60).json()["results"]
        actuals = [
            {
                "prediction_id": answer["prediction_id"],
                "actual": answer["cpu_utilization"] + error + (number % 11 - 5) / 2,
            }
            for number, answer in enumerate(answers)
        ]
        assert httpx2.post(f"{address}/feedback", json=actuals).json()["accepted"] == 60
        until(lambda: self._observer.look() >= 0 and self.learnt() == before + 60)

    def learnt(self) -> int:
        """How many actuals the champion's correction has seen."""
        with self.database.read() as connection:
            return sum(correction.actuals for correction in read_corrections(connection).values())


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    url = ""
    if request.param == "postgresql":
        new: Callable[[], str] = request.getfixturevalue("new_postgres_url")
        url = new()
    made = Installation(tmp_path, url)
    yield made
    made.database.close()


def ask(address: str) -> dict[str, Any]:
    answer: dict[str, Any] = httpx2.post(f"{address}/predict", json=LOAD).json()
    return answer


def always(address: str, holds: Callable[[float, float], bool]) -> bool:
    """Whether both processes answer so: each call is a new connection, which either may take."""
    return all(holds(answer["lower"], answer["upper"]) for answer in [ask(address) for _ in range(12)])


def follows(address: str, holds: Callable[[float, float], bool]) -> None:
    until(lambda: always(address, holds))


def is_plain(lower: float, upper: float) -> bool:
    return (lower, upper) == PLAIN


def reaches(actual: float) -> Callable[[float, float], bool]:
    return lambda lower, upper: lower <= actual <= upper


def test_intervals_follow_survive_a_restart_and_begin_anew_with_an_activation(installation: Installation) -> None:
    with installation.served() as address:
        installation.tell(address, 0.5)
        assert always(address, lambda lower, upper: lower < 25.5 < upper < 30)
        installation.tell(address, 9)  # the model has begun to predict too little
        follows(address, reaches(34))
        shown = httpx2.get(f"{address}/models/cpu-utilization/metrics").json()["correction"]
        assert (shown["actuals"], shown["kind"]) == (120, "added")
        learnt = ask(address)
    with installation.served() as address:
        assert always(address, lambda lower, upper: (lower, upper) == (learnt["lower"], learnt["upper"]))
        httpx2.post(f"{address}/models/cpu-utilization:2/activate")
        httpx2.post(f"{address}/models/cpu-utilization:1/activate")
        follows(address, is_plain)
        installation.tell(address, -9)
        follows(address, reaches(16))
