"""A Perfcast of a story's own: server, worker and command line, whose clock the story sets."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import sqlalchemy as sa
from run import HERE, PATIENCE_SECONDS, free_port, process

from perfcast.errors import InvalidInput, PerfcastError, Unavailable
from perfcast.storage import Database, schema

T = TypeVar("T")


@dataclass(frozen=True)
class Installation:
    """Where it is, and how it is asked.

    Attributes:
        folder: Its DATA_DIR.
        url: Of the server.
        clock: File with the present time of all its processes, seconds since 1970.
        environment: Of its processes.
    """

    folder: Path
    url: str
    clock: Path
    environment: dict[str, str]

    def set_clock(self, moment: float) -> None:
        """Let it be that time; the file is there whole at any moment."""
        new = self.clock.with_suffix(".new")
        new.write_text(f"{moment:.3f}")
        new.replace(self.clock)

    def command(self, *words: str) -> str:
        """What a command of Perfcast's prints; the process ends where it fails."""
        started = subprocess.Popen(
            [sys.executable, "-m", "perfcast", *words],
            env=os.environ | self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            told, _ = started.communicate()
        finally:
            started.terminate()
        if started.returncode:
            raise SystemExit(f"perfcast {' '.join(words)} ended with {started.returncode}\n{told}")
        return told

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """What the server answers."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return json.load(answer)
        except HTTPError as error:
            told = f"{method} {path}: {error.code} {error.read().decode()[:300]}"
            raise (InvalidInput.of("body", told) if error.code == 422 else PerfcastError(told)) from None
        except (URLError, OSError) as error:
            raise Unavailable(f"{method} {path}: {error}") from None

    def settle(self, database: Database) -> None:
        """Wait until all that was told has been looked at."""
        blocks = sa.select(sa.func.count()).where(~schema.prediction_block.c.observed)
        waiting = sa.select(sa.func.count()).where(schema.actual.c.state == "waiting")

        def looked_at() -> bool:
            with database.read() as connection:
                return not connection.execute(blocks).scalar() and not connection.execute(waiting).scalar()

        eventually(looked_at)


def installation(folder: Path, begins: float) -> Installation:
    """An installation whose clock begins at a moment; `started` brings up its server and worker."""
    folder.mkdir(parents=True, exist_ok=True)
    clock, port = folder / "clock", free_port()
    path = os.pathsep.join([str(HERE / "clock"), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {
        "DATA_DIR": str(folder),
        "API_PORT": str(port),
        "SERVICE_TIMEZONE": "UTC",
        "OBSERVE_SECONDS": "0.2",
        "MODELS_POLL_SECONDS": "0.2",
        "PREDICTION_LOG_SECONDS": "0.1",
        "JOB_HEARTBEAT_SECONDS": "1",
        "PYTHONPATH": path,
        "STORY_CLOCK": str(clock),
    }
    made = Installation(folder, f"http://127.0.0.1:{port}", clock, environment)
    made.set_clock(begins)
    return made


@contextmanager
def started(made: Installation) -> Iterator[None]:
    """Server and worker, until the context is left."""
    with ExitStack() as running:
        for name in ("serve", "worker"):
            command = [sys.executable, "-m", "perfcast", name]
            running.enter_context(process(command, made.folder / f"{name}.log", made.environment))
        eventually(lambda: made.call("GET", "/livez"))
        yield


def eventually(look: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """What it gives once it gives something true."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if found := look():
                return found
        except Unavailable:
            pass
        if time.monotonic() > deadline:
            raise SystemExit("it did not come about; see the logs")
        time.sleep(0.02)
