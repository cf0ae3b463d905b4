"""What no honest client sends: each gets its answer, none a 5xx, and the server lives on in bounded memory."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from benchmarks.hostile import CASES, PAGE, Case, ask
from tests.contract.conftest import fill, start
from tests.patience import PATIENCE_SECONDS

GROWTH_KB = 150_000
GOOD = CASES[0]


class Attacked:
    """A server process: where it listens, and how much memory it has taken at most."""

    def __init__(self, process: int, address: str) -> None:
        where = urlsplit(address)
        assert where.hostname
        assert where.port
        self.address = (where.hostname, where.port)
        self._status = Path(f"/proc/{process}/status")
        ask(self.address, GOOD)
        self.peak_before_kb = self.peak_kb

    @property
    def peak_kb(self) -> int:
        found = re.search(r"VmHWM:\s+(\d+) kB", self._status.read_text())
        assert found is not None
        return int(found[1])


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def attacked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, new_postgres_url: Callable[[], str]
) -> Iterator[Attacked]:
    folder = tmp_path_factory.mktemp("attacked")
    url = new_postgres_url() if request.param == "postgresql" else ""
    fill(folder, url)
    process, address = start(folder, DATABASE_URL=url)
    yield Attacked(process.pid, address)
    process.terminate()
    _, log = process.communicate(timeout=PATIENCE_SECONDS)
    assert "Traceback" not in log


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_answer_is_as_documented_and_the_server_lives_on(attacked: Attacked, case: Case) -> None:
    answer = ask(attacked.address, case)
    assert answer.statuses == case.statuses, answer.detail
    assert max(answer.statuses, default=0) < 500
    assert ask(attacked.address, GOOD).statuses == (200,)
    assert attacked.peak_kb - attacked.peak_before_kb < GROWTH_KB


def test_the_page_tells_of_every_case() -> None:
    table = PAGE.read_text()
    for case in CASES:
        status = str(case.statuses[0]) if case.statuses else "–"
        assert f"| {case.name} | {status}" in table
