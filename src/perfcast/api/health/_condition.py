"""How the service is: what it depends on is looked after in the background, so that asking never waits for it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from threading import Event, Thread
from typing import Any

from perfcast import __version__
from perfcast.api.health._host import disk_problem, system_info
from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._lifetime import Lifetime
from perfcast.api.metrics import Samples, alone
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

    @property
    def host(self) -> Mapping[str, float] | None:
        """The machine's figures by metric, as of the last look; None before the first."""
        return None if self.system.finding is None else self.system.finding.value

    def samples(self) -> Samples:
        """What `/metrics` shows of it."""
        document = self.document()
        up = {name: state["status"] == "up" for name, state in document["dependencies"].items()}
        health = {status: status == document["status"] for status in ("healthy", "degraded", "unhealthy")}
        uptime = {"perfcast_uptime_seconds": self.lifetime.uptime_seconds}
        return {**alone({**uptime, **(self.host or {})}), "perfcast_dependency_up": up, "perfcast_health": health}

    def document(self) -> dict[str, Any]:
        """What `/health` answers: `healthy`, `degraded` or, where nothing can be predicted, `unhealthy`, and why."""
        routes, host = self.follower.routes, self.host
        dependencies = {probe.name: probe.state() for probe in self.dependencies}
        full = disk_problem(host)
        disk = {} if full is None else {"disk": full}
        problems = {**self.problems(), **disk, **routes.unanswered, **routes.problems}
        wrong = bool(problems) or any(state["status"] == "down" for state in dependencies.values())
        return {
            "status": "unhealthy" if not routes.champions else "degraded" if wrong else "healthy",
            "timestamp": timestamp(),
            "uptime_seconds": self.lifetime.uptime_seconds,
            "models_loaded": len(routes.champions),
            "system_info": system_info(host),
            "inference": asdict(self.inference),
            "dependencies": dependencies,
            "problems": problems,
            "notes": routes.notes,
            "version": __version__,
        }
