"""Containers, as their engine shows them: Docker's or podman, by its command line."""

import os
import re
import shlex
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Self

import httpx2
from tests.patience import until

ROOT = Path(__file__).parent.parent.parent
ENGINE = os.environ.get("STACK_ENGINE", "docker")
COMPOSE = shlex.split(os.environ.get("COMPOSE", "docker compose"))
PROJECT = os.environ.get("COMPOSE_PROJECT_NAME", "perfcast")
BODY = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}
READY = "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"
API = f"http://localhost:{os.environ.get('PORT_API', '8000')}"


def engine(*arguments: str) -> str:
    """What the engine prints."""
    done = subprocess.run([ENGINE, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def containers(service: str, project: str = PROJECT) -> list[str]:
    """Names of the running containers of a service, in order."""
    wanted = (f"label=com.docker.compose.project={project}", f"label=com.docker.compose.service={service}")
    return sorted(engine("ps", "--format", "{{.Names}}", "--filter", wanted[0], "--filter", wanted[1]).split())


def first_process(container: str) -> int:
    """That of a container which all its others come from; 0 where it doesn't run."""
    return int(engine("inspect", "--format", "{{.State.Pid}}", container))


def remove(container: str, seconds: int = 0) -> None:
    """End a container, which has so long to finish what it has begun, and remove it."""
    engine("stop", "-t", str(seconds), container)
    engine("rm", "-f", "-v", container)


def ready_inside(container: str) -> bool:
    """Whether a replica of the API is ready, asked past nginx."""
    command = [ENGINE, "exec", container, "python", "-SIc", READY]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def wait_for_replicas(count: int, seconds: float = 180.0) -> None:
    """Return when so many replicas are ready, and nginx asks all of them."""
    until(lambda: len(containers("ml-api")) == count and all(map(ready_inside, containers("ml-api"))), seconds)
    until(lambda: len(asked_by_nginx()) == count, seconds)


def asked_by_nginx() -> set[str]:
    """Addresses of the replicas among which nginx spreads what is asked now; none while it finds some away."""
    path = f"/nowhere-{time.monotonic_ns()}"
    with httpx2.Client(base_url=API, timeout=60) as caller:
        statuses = {caller.get(path).status_code for _ in range(30)}
    log = engine("logs", "--tail", "5000", containers("nginx")[0])
    asked = re.findall(rf'"path": "{path}".*?"upstream": "([^"]+)"', log)  # podman may join two lines
    return set(asked) if statuses == {404} else set()


class Load:
    """Predictions asked one after another by a few callers, until told to end.

    Attributes:
        answers: Statuses, or what went wrong, and how often.
    """

    def __init__(self, client: Callable[[], httpx2.Client], callers: int = 2, pause_seconds: float = 0.0) -> None:
        self.answers: Counter[str] = Counter()
        self._client, self._pause = client, pause_seconds
        self._over = threading.Event()
        self._callers = [threading.Thread(target=self._ask) for _ in range(callers)]

    def _ask(self) -> None:
        with self._client() as client:
            while not self._over.wait(self._pause):
                try:
                    self.answers[str(client.post("/predict", json=BODY).status_code)] += 1
                except httpx2.HTTPError as error:
                    self.answers[repr(error)] += 1

    def __enter__(self) -> Self:
        for caller in self._callers:
            caller.start()
        until(lambda: self.answers["200"] > 20)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for caller in self._callers:
            caller.join()
