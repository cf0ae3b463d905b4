"""A log file that several processes write: whoever rotates it, each line is there once and whole."""

import fcntl
import json
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from tests.patience import PATIENCE_SECONDS

from perfcast.errors import InvalidSetting
from perfcast.logs import RotatedFile

LINES, WRITERS, MOST_BYTES = 800, 4, 10_000
WRITER = """
import sys
import structlog
from perfcast.logs import configure_logs
from perfcast.settings import load_settings

configure_logs(load_settings(log_file=sys.argv[1], log_file_bytes=int(sys.argv[3]), log_file_keep=10_000))
log = structlog.stdlib.get_logger("perfcast.tried")
for number in range(int(sys.argv[4])):
    log.info("a line", writer=sys.argv[2], number=number, long="x" * (number % 700))
"""


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("perfcast.tried", logging.INFO, "", 0, text, None, None)


def aside(path: Path) -> list[Path]:
    """The files that were moved aside, oldest first."""
    return sorted(path.parent.glob(f"{path.name}.*"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "perfcast.log"


def test_no_line_of_several_processes_is_lost_torn_or_doubled(path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "LOG_FORMAT": "json"}
    words = [sys.executable, "-c", WRITER, str(path)]
    writers = [
        subprocess.Popen([*words, str(n), str(MOST_BYTES), str(LINES)], env=environment, stderr=subprocess.DEVNULL)
        for n in range(WRITERS)
    ]
    assert [writer.wait(PATIENCE_SECONDS) for writer in writers] == [0] * WRITERS
    files = [*aside(path), path]
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    written = Counter((line["writer"], line["number"]) for line in lines)
    assert written == Counter((str(writer), number) for writer in range(WRITERS) for number in range(LINES))
    assert len(files) > 20
    # what others write while one moves it aside comes on top, on a busy machine of most files
    assert sorted(file.stat().st_size for file in files)[len(files) // 2] <= 1.5 * MOST_BYTES


def test_a_process_that_holds_the_lock_holds_up_nobody(path: Path) -> None:
    file = RotatedFile(path, most_bytes=10, hours=24, keep=3)
    with (path.parent / f".{path.name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for text in ("first line", "second line"):
            file.emit(record(text))
    assert path.read_text() == "first line\nsecond line\n"
    file.emit(record("third line"))
    assert path.read_text() == "third line\n"
    file.close()


def test_a_file_of_another_day_is_moved_aside_by_the_next_line(path: Path) -> None:
    file = RotatedFile(path, most_bytes=1_000_000, hours=24, keep=3)
    file.emit(record("yesterday's"))
    file.close()
    yesterday = time.time() - 24 * 3600
    os.utime(path, (yesterday, yesterday))
    file = RotatedFile(path, most_bytes=1_000_000, hours=24, keep=3)
    file.emit(record("today's"))
    file.emit(record("today's too"))
    assert [old.read_text() for old in aside(path)] == ["yesterday's\n"]
    assert path.read_text() == "today's\ntoday's too\n"
    file.close()


def test_a_new_day_moves_the_file_aside_once_although_files_have_another_clock(path: Path) -> None:
    file = RotatedFile(path, most_bytes=1_000_000, hours=24, keep=3)
    file.emit(record("today's"))
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1)):  # the file's own times are the system's
        for number in range(3):
            file.emit(record(f"tomorrow's {number}"))
    assert [old.read_text() for old in aside(path)] == ["today's\n"]
    assert path.read_text() == "tomorrow's 0\ntomorrow's 1\ntomorrow's 2\n"
    file.close()


def test_so_many_are_kept_and_the_oldest_leave(path: Path) -> None:
    file = RotatedFile(path, most_bytes=10, hours=24, keep=2)
    for number in range(6):
        file.emit(record(f"line number {number}"))
    kept = [old.read_text().strip() for old in aside(path)]
    assert (kept, path.read_text().strip()) == (["line number 3", "line number 4"], "line number 5")
    file.close()


def test_a_file_that_was_removed_or_moved_by_somebody_is_begun_anew(path: Path) -> None:
    file = RotatedFile(path, most_bytes=1_000_000, hours=24, keep=2)
    file.emit(record("one"))
    path.rename(path.with_name("taken by logrotate"))
    file.emit(record("two"))
    path.unlink()
    file.emit(record("three"))
    assert path.read_text() == "three\n"
    file.close()


def test_a_full_disk_is_told_once_and_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    file = RotatedFile(Path("/dev/full"), most_bytes=1_000_000, hours=24, keep=2)
    for _ in range(3):
        file.emit(record("password of the caller"))
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert "lines are missing in /dev/full" in told[0]
    assert "No space left" in told[0]
    assert "password" not in told[0]
    file.close()


def test_a_place_that_cant_be_written_is_told_with_the_settings_name(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    with pytest.raises(InvalidSetting, match=r"LOG_FILE: .*a file/perfcast.log can't be written"):
        RotatedFile(tmp_path / "a file" / "perfcast.log", most_bytes=1, hours=1, keep=1)
