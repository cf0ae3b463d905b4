import logging
import os
import re
import shutil
import sys

import pytest
import structlog

from perfcast.cli._output import show_table
from perfcast.logs import configure_logs
from perfcast.settings import load_settings

COLUMNS = ("model", "rows", "why")
ROWS = [("cnn-execution-time-cpu-onnxruntime", 12_345, "held back " * 9), ("shop", 7, None)]


@pytest.mark.parametrize("width", [30, 80, 160])
def test_a_table_on_a_terminal_cuts_no_name(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_, **__: os.terminal_size((width, 24)))
    show_table(COLUMNS, ROWS)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= width
    assert width < 80 or any("cnn-execution-time-cpu-onnxruntime" in line for line in lines)
    assert any("shop" in line for line in lines)


def test_a_table_in_a_pipe_has_one_line_a_row_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(COLUMNS, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(ROWS)
    assert lines == [line.rstrip() for line in lines]
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("of_command", "level", "shown"),
    [
        (True, "INFO", ["perfcast: no worker was woken (job 7)"]),
        (True, "ERROR", []),
        (False, "INFO", ['"model loaded"', '"no worker was woken"', '"pool is full"']),
        (False, "DEBUG", ['"model loaded"', '"no worker was woken"', '"step of a library"', '"pool is full"']),
    ],
)
def test_commands_tell_their_own_warnings_and_servers_what_they_do(
    *, of_command: bool, level: str, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(load_settings(log_level=level), of_command=of_command)
    log = structlog.stdlib.get_logger("perfcast.tried")
    log.info("model loaded")
    log.warning("no worker was woken", job=7)
    logging.getLogger("library.tried").info("step of a library")
    logging.getLogger("urllib3.tried").warning("pool is full")
    lines = capsys.readouterr().err.splitlines()
    if not of_command:  # at DEBUG, threads of other tests may be heard too
        lines = [line for line in lines if ".tried" in line]
    assert len(lines) == len(shown)
    assert all(part in line for part, line in zip(shown, lines, strict=True))
