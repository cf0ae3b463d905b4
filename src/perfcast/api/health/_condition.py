"""How the service is: what it depends on is looked after in the background, so that asking never waits for it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from threading import Event, Thread
from typing import Any

from perfcast import __version__
from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._lifetime import Lifetime
from perfcast.serving import Follower
from perfcast.sessions import Inference

_SECONDS = 2.0
_STALE_SECONDS = 8.0


@dataclass(frozen=True)
class Finding:
    """What a probe found: the value of its check or the reason why there is none, how long it took, and when."""

    value: Any
    reason: str | None
    milliseconds: float
    at: float


class Probe:
    """Calls a check every few seconds in a thread of its own, and remembers what it returned or raised."""

    def __init__(self, name: str, check: Callable[[], Any], *, seconds: float = _SECONDS) -> None:
        self.name, self._check, self._seconds = name, check, seconds
        self._stop = Event()
        self._begun = time.monotonic()
        self._thread = Thread(target=self._watch, name=f"perfcast-probe-{name}", daemon=True)
        self.finding: Finding | None = None

    def start(self) -> None:
        """Begin."""
        self._begun = time.monotonic()
        self._thread.start()

    def close(self) -> None:
        """Stop; a check that hangs is left behind, its thread being a daemon."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)

    def state(self) -> dict[str, Any]:
        """What is known now: `status` is `up`, `down` or, before the first answer, `starting`."""
        finding, now = self.finding, time.monotonic()
        silent = now - (self._begun if finding is None else finding.at)
        if silent > _STALE_SECONDS:
            return {"status": "down", "reason": f"no answer for {silent:.0f} s"}
        if finding is None:
            return {"status": "starting"}
        if finding.reason is not None:
            return {"status": "down", "reason": finding.reason}
        return {"status": "up", "latency_ms": round(finding.milliseconds, 2)}

    def _watch(self) -> None:
        while not self._stop.is_set():
            begin, value, reason = time.perf_counter(), None, None
            try:
                value = self._check()
            except Exception as error:  # noqa: BLE001 - a dependency may fail in any way; that is what is asked
                reason = str(error) or type(error).__name__
            self.finding = Finding(value, reason, (time.perf_counter() - begin) * 1000, time.monotonic())
            self._stop.wait(self._seconds)


def system_info(folder: str) -> dict[str, float]:
    """The machine's state: percent of CPU, memory and the folder's disk in use, and free memory in GB (10⁹ bytes)."""
    import psutil

    memory = psutil.virtual_memory()
    return {
        "cpu_percent": psutil.cpu_percent(),
        "memory_percent": memory.percent,
        "disk_percent": psutil.disk_usage(folder).percent,
        "available_memory_gb": round(memory.available / 1e9, 2),
    }


UNKNOWN_SYSTEM = {"cpu_percent": 0.0, "memory_percent": 0.0, "disk_percent": 0.0, "available_memory_gb": 0.0}
"""Before the first look."""


@dataclass(frozen=True)
class Condition:
    """What the process depends on, as far as it is known.

    Attributes:
        dependencies: What must answer.
        system: Looks at the machine.
        problems: Gives what else is wrong just now, by its name.
    """

    lifetime: Lifetime
    follower: Follower
    inference: Inference
    dependencies: Sequence[Probe]
    system: Probe
    problems: Callable[[], Mapping[str, str]]

    def document(self) -> dict[str, Any]:
        """What `/health` answers: `healthy`, `degraded` or, where nothing can be predicted, `unhealthy`, and why."""
        routes, finding = self.follower.routes, self.system.finding
        dependencies = {probe.name: probe.state() for probe in self.dependencies}
        problems = {**self.problems(), **routes.unanswered, **routes.problems}
        wrong = bool(problems) or any(state["status"] == "down" for state in dependencies.values())
        return {
            "status": "unhealthy" if not routes.champions else "degraded" if wrong else "healthy",
            "timestamp": timestamp(),
            "uptime_seconds": self.lifetime.uptime_seconds,
            "models_loaded": len(routes.champions),
            "system_info": (finding.value if finding is not None else None) or UNKNOWN_SYSTEM,
            "inference": asdict(self.inference),
            "dependencies": dependencies,
            "problems": problems,
            "notes": routes.notes,
            "version": __version__,
        }
