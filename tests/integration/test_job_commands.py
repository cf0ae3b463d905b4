"""`perfcast jobs` against the database and against a server."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.contract.conftest import start
from tests.patience import until
from tests.services import free_port
from tests.workers import Shop, stop, working

from perfcast.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(params=["the database", "a server"])
def run(
    request: pytest.FixtureRequest, shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Call the command line in this process; gives exit status, standard output and standard error."""
    for name, value in shop.settings.environment.items():
        monkeypatch.setenv(name, value)
    server, url = start(shop.settings.data_dir) if request.param == "a server" else (None, "")

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["perfcast", "jobs", *words, *(["--url", url] if url else [])])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        code = stopped.value.code
        return (code if isinstance(code, int) else 0), shown.out, shown.err

    yield call
    if server is not None:
        stop(server)  # type: ignore[arg-type]


def test_a_job_is_submitted_listed_shown_watched_and_cancelled(run: Run, shop: Shop) -> None:
    status, out, err = run("submit", "--trials", "3", "--families", "polynomial")
    assert status == 0, err
    job = out.strip()
    with working(shop.settings):
        status, out, err = run("watch", job)
    assert (status, "succeeded" in out, "version 1 promoted" in out) == (0, True, True), err
    status, out, err = run("show", job)
    assert json.loads(out)["model_version"] == 1
    status, out, err = run("list", "--json")
    assert [entry["job_id"] for entry in json.loads(out)] == [job]
    status, out, err = run("cancel", job)
    assert (status, "has succeeded" in err) == (1, True)
    status, out, err = run("submit", "--promote", "never")
    status, out, err = run("cancel", out.strip())
    assert (status, "cancelled" in err) == (0, True)
    status, out, err = run("list", "--status", "cancelled")
    assert "cancelled" in out
    assert job not in out
    status, out, err = run("submit", "--families", "xgbost")
    assert (status, "families: no family is called 'xgbost'" in err) == (1, True)


def test_a_status_that_there_is_not_is_refused_here_as_there(run: Run) -> None:
    status, out, err = run("list", "--status", "bogus")
    assert (status, out) == (1, "")
    assert err.startswith("perfcast: status: ")
    assert "queued" in err
    assert "cancelled" in err


def test_watching_outlasts_a_server_that_is_killed_and_started_again(shop: Shop, tmp_path: Path) -> None:
    port = str(free_port())
    server, url = start(shop.settings.data_dir, API_PORT=port)
    job, said = shop.submit(), tmp_path / "said"
    try:
        with said.open("wb") as file:
            words = ["-m", "perfcast", "jobs", "watch", job.id, "--url", url]
            watching = subprocess.Popen(
                [sys.executable, *words], stdout=file, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
            )
        until(lambda: "queued" in said.read_text())
        server.kill()
        server.wait()
        until(lambda: "doesn't answer" in said.read_text())
        assert watching.poll() is None
        server, _ = start(shop.settings.data_dir, API_PORT=port)
        shop.jobs.cancel(job.id)
        assert watching.wait(30) == 1
        assert "cancelled" in said.read_text().splitlines()[-1]
    finally:
        stop(server)  # type: ignore[arg-type]
