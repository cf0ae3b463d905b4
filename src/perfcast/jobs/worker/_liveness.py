"""Whether a worker lives, known at once where it can be: by a lock that the system releases when its process dies."""

import os
import secrets
import socket
from pathlib import Path
from typing import IO

_LONGEST_HOST = 60


def new_worker() -> str:
    """A name for this process as a worker: host, process and a token, never given twice."""
    host = "".join(c if c.isalnum() or c in "-." else "-" for c in socket.gethostname())[:_LONGEST_HOST]
    return f"{host}_{os.getpid()}_{secrets.token_hex(4)}"


class Liveness:
    """Locks of the workers that share a folder.

    A worker on another machine, or one whose file isn't here, is neither alive nor dead as far as this can tell.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, IO[bytes]] = {}

    def hold(self, worker: str) -> None:
        """Say that a worker lives, until `release` or the end of this process."""
        import fcntl

        self._folder.mkdir(parents=True, exist_ok=True)
        unnamed = self._folder / f".{worker}"
        file = unnamed.open("wb")
        fcntl.flock(file, fcntl.LOCK_EX)
        unnamed.rename(self._path(worker))  # so that nobody sees it without its lock
        self._held[worker] = file

    def release(self, worker: str) -> None:
        """Say that a worker is no more."""
        file = self._held.pop(worker, None)
        if file is not None:
            self._path(worker).unlink(missing_ok=True)
            file.close()

    def is_dead(self, worker: str) -> bool:
        """Whether a worker is known to have died."""
        if worker in self._held:
            return False
        import fcntl

        try:
            with self._path(worker).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # held, or not here
            return False
        return True

    def dead(self) -> set[str]:
        """Every worker of this folder that is known to have died and has not been forgotten."""
        return {path.stem for path in self._folder.glob("*.lock") if self.is_dead(path.stem)}

    def forget(self, worker: str) -> None:
        """Remove the lock of a worker that has died and whose jobs have been seen to."""
        self._path(worker).unlink(missing_ok=True)

    def _path(self, worker: str) -> Path:
        return self._folder / f"{worker}.lock"
