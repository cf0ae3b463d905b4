"""The whole OpenAPI document against a real server, by schemathesis: no 5xx, and nothing that isn't documented."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.contract.conftest import fill, start

EXCLUDED = {
    "positive_data_acceptance": "rules that no JSON Schema can say refuse bodies that fit it: a kernel larger than the "
    "padded input, a model or dataset that isn't there"
}
"""Checks of schemathesis that are left out, each with its reason."""


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path, new_postgres_url: Callable[[], str]) -> Iterator[str]:
    url = new_postgres_url() if request.param == "postgresql" else ""
    fill(tmp_path, url)
    process, address = start(tmp_path, DATABASE_URL=url)
    yield address
    process.kill()
    process.wait()


def test_no_request_gets_a_server_error_or_an_undocumented_answer(address: str, tmp_path: Path) -> None:
    command = [
        *(Path(sys.executable).with_name("schemathesis"), "run", f"{address}/openapi.json"),
        *("--checks", "all", "--exclude-checks", ",".join(EXCLUDED)),
        *("--max-examples", "15", "--seed", "1", "--continue-on-failure", "--no-color", "--warnings", "off"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-20_000:]
