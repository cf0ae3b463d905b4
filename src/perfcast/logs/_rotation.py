"""A log file that several processes write and any of them rotates: no line is lost or torn.

The standard library's rotating handlers lose lines where two processes rotate, and those of `concurrent-log-handler`
take a lock for each line, so that one suspended process holds up all others. Here a line is one `write` to a file
opened for appending, which the system does whole; only rotation takes a lock, and whoever doesn't get it writes on.
"""

import fcntl
import logging
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from perfcast.errors import InvalidSetting

_HOUR = 3600.0
_QUIET_SECONDS = 60.0


class RotatedFile(logging.Handler):
    """Appends each line to `path`, and moves the file aside when it is due.

    A full one is called by its time, `perfcast.log.20260302T140500.123456`, and never moved again. Who still has it
    open when it is moved finishes its line there, and opens the new one for the next.

    Args:
        path: The file that is written; its folder is made.
        most_bytes: It is moved aside before a line would make it larger.
        hours: It is moved aside when so many hours of the clock (UTC) are over, whatever its size: at 24, at midnight.
        keep: How many of those moved aside are kept; the oldest leave.

    Raises:
        InvalidSetting: It can't be written.
    """

    def __init__(self, path: Path, *, most_bytes: int, hours: float, keep: int) -> None:
        super().__init__()
        self._path, self._most_bytes, self._seconds, self._keep = path.absolute(), most_bytes, hours * _HOUR, keep
        self._lock_path = self._path.with_name(f".{self._path.name}.lock")
        self._file = -1
        self._period = -1.0  # that of the last line
        self._quiet_until = 0.0
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._open()
        except OSError as error:
            raise InvalidSetting(f"LOG_FILE: {path} can't be written ({error.strerror}); choose another") from None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; what goes wrong is told on standard error, and the program goes on."""
        try:
            line = f"{self.format(record)}\n".encode(errors="backslashreplace")
            if self._is_due(self._follow(), len(line)):
                self._rotate(len(line))
            self._period = self._now()
            _write(self._file, line)
        except Exception:  # noqa: BLE001 - a full disk, say, must not end what is logged about
            self.handleError(record)

    def close(self) -> None:
        """Let go of the file."""
        self.acquire()
        try:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
        finally:
            self.release()
        super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - the library's signature
        """Say that lines are lost, once a minute, without the line, which may hold anything."""
        if time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + _QUIET_SECONDS
            with suppress(OSError, ValueError):
                print(f"perfcast: lines are missing in {self._path}: {sys.exc_info()[1]}", file=sys.stderr)  # noqa: T201

    def _open(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def _follow(self) -> os.stat_result:
        """Open the file anew where another process has moved it aside; gives what the system says about it."""
        with suppress(FileNotFoundError):
            there = self._path.stat()
            if self._file >= 0 and os.path.samestat(there, os.fstat(self._file)):
                return there
        self._open()
        return os.fstat(self._file)

    def _is_due(self, file: os.stat_result, more: int) -> bool:
        if not file.st_size:
            return False
        # once in a period: where files have another clock, as on some mounts, every line would move the file aside
        passed = self._now() not in (self._period, file.st_mtime // self._seconds)
        return passed or file.st_size + more > self._most_bytes

    def _now(self) -> float:
        """Which period of so many hours it is."""
        return time.time() // self._seconds

    def _rotate(self, more: int) -> None:
        """Move the file aside, unless another process does it just now or has just done it."""
        lock = os.open(self._lock_path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        else:
            if self._is_due(self._follow(), more):
                self._path.rename(self._aside())
                self._open()
                self._forget()
        finally:
            os.close(lock)

    def _aside(self) -> Path:
        now = time.time()
        moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now))
        return self._path.with_name(f"{self._path.name}.{moment}.{int(now % 1 * 1_000_000):06d}")

    def _forget(self) -> None:
        for old in sorted(self._path.parent.glob(f"{self._path.name}.*T*.*"))[: -self._keep]:
            old.unlink(missing_ok=True)


def _write(file: int, line: bytes) -> None:
    """Write the whole line; a system writes a part of it only where the disk is full or a signal came."""
    while line:
        line = line[os.write(file, line) :]
