"""`perfcast collect`: what a person sees, and what is kept."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.metric_servers import SHOP_BEGINS, SHOP_SECONDS
from tests.patience import PATIENCE_SECONDS, until
from tests.services import free_port
from tests.unit.collect.conftest import write_file

from perfcast.cli import main

Run = Callable[..., tuple[int, str, str]]
SINCE = datetime.fromtimestamp(SHOP_BEGINS, UTC).isoformat()
UNTIL = datetime.fromtimestamp(SHOP_BEGINS + SHOP_SECONDS, UTC).isoformat()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command line in this process; gives exit status, standard output and standard error."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["perfcast", "collect", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        code = stopped.value.code
        return (code if isinstance(code, int) else 0), shown.out, shown.err

    return call


def test_init_writes_a_file_once(run: Run, tmp_path: Path) -> None:
    assert run("init", "mine.yaml")[0] == 0
    status, _, err = run("init", "mine.yaml")
    assert status == 1
    assert "mine.yaml is there already" in err
    written = (tmp_path / "mine.yaml").read_text()
    assert "dataset: mine " in written
    assert "model: cpu-utilization-mine " in written
    assert 'job="mine"' in written


def test_a_server_that_is_gone_is_told_once_and_by_its_field(run: Run, tmp_path: Path) -> None:
    write_file(tmp_path / "shop.yaml", f"http://127.0.0.1:{free_port()}")
    status, out, err = run("check", "shop.yaml")
    assert status == 1
    assert out == ""
    assert err.count("doesn't answer") == 1
    assert "server.url: http://127.0.0.1:" in err


def test_check_tells_in_a_table_and_by_its_status(run: Run, prometheus_url: str, tmp_path: Path) -> None:
    write_file(tmp_path / "shop.yaml", prometheus_url)
    status, out, err = run("check", "shop.yaml")  # of the last day, in which there is nothing
    assert status == 1
    assert "gives nothing" in err
    assert "not good yet" in err
    assert out.splitlines()[0].split()[:4] == ["query", "series", "values", "gaps"]
    status, out, _ = run("check", "shop.yaml", "--json")
    assert status == 1
    assert json.loads(out)["findings"][0]["name"] == "request_rate"


def test_backfill_makes_a_dataset_and_again_does_nothing(run: Run, prometheus_url: str, tmp_path: Path) -> None:
    write_file(tmp_path / "shop.yaml", prometheus_url)
    status, _, err = run("backfill", "shop.yaml", "--since", SINCE, "--until", UNTIL)
    assert status == 0, err
    assert "new rows of 361 instants" in err
    assert "left out:" in err
    assert "perfcast train --dataset shop" in err
    status, _, err = run("backfill", "shop.yaml", "--since", SINCE, "--until", UNTIL)
    assert status == 0
    assert err.startswith("0 new rows")
    write_file(tmp_path / "shop.yaml", prometheus_url, capacity=3)
    _, _, err = run("backfill", "shop.yaml", "--since", SINCE, "--until", UNTIL)
    assert "the queries have changed" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("backfill", "shop.yaml", "--since", "long ago"), "or how long ago"),
        (("backfill", "shop.yaml", "--since", "1h", "--until", "2h"), "1h is not before 2h"),
        (("follow", "shop.yaml", "--url", "http://127.0.0.1:1"), "which model predicts the rows"),
        (("check", "nowhere.yaml"), "nowhere.yaml: No such file"),
    ],
)
def test_what_is_wrong_is_said(run: Run, tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    write_file(tmp_path / "shop.yaml", "http://127.0.0.1:1")
    status, _, err = run(*words)
    assert status != 0
    assert told in " ".join(err.replace("│", " ").split())


def test_follow_takes_each_step_until_it_is_told_to_end(prometheus_url: str, tmp_path: Path) -> None:
    now = "vector(30) + 0 * time()"
    features = {"request_rate": now, "active_users": now, "db_connections": now}
    write_file(
        tmp_path / "shop.yaml", prometheus_url, features=features, target="vector(1)", step=1, lag=1, late=5, window=60
    )
    command = [sys.executable, "-c", "from perfcast.cli import main; main()", "collect", "follow", "shop.yaml"]
    environment = os.environ | {"DATA_DIR": str(tmp_path / "var"), "LOG_FORMAT": "text"}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        journal = tmp_path / "var" / "collect" / "shop.db"
        until(lambda: journal.exists() and _rows(journal) >= 2)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert "following 'shop' each 1 s, 1 s behind" in err
    assert f"dataset 'shop' has {_rows(journal):,} rows" in err


def _rows(journal: Path) -> int:
    try:
        with sqlite3.connect(f"file:{journal}?mode=ro", uri=True) as file:
            return int(file.execute("SELECT count(*) FROM row").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
