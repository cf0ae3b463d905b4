"""How the service is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from perfcast import __version__
from perfcast.api.health._probes import UNKNOWN_SYSTEM, Probe
from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._lifetime import Lifetime
from perfcast.serving import Follower, Inference


class Condition:
    """Watches what the process depends on.

    Attributes:
        probes: All that must be started and closed.
    """

    def __init__(
        self,
        lifetime: Lifetime,
        follower: Follower,
        inference: Inference,
        dependencies: Sequence[Probe],
        system: Probe,
        problems: Callable[[], Mapping[str, str]],
    ) -> None:
        self._lifetime, self._follower, self._inference = lifetime, follower, inference
        self._dependencies, self._system, self._problems = dependencies, system, problems
        self.probes = (*dependencies, system)

    def document(self) -> dict[str, Any]:
        """What `/health` answers: `healthy`, `degraded` or, where nothing can be predicted, `unhealthy`, and why."""
        routes, finding = self._follower.routes, self._system.finding
        dependencies = {probe.name: probe.state() for probe in self._dependencies}
        problems = {**self._problems(), **routes.unanswered, **routes.problems}
        wrong = bool(problems) or any(state["status"] == "down" for state in dependencies.values())
        return {
            "status": "unhealthy" if not routes.champions else "degraded" if wrong else "healthy",
            "timestamp": timestamp(),
            "uptime_seconds": self._lifetime.uptime_seconds,
            "models_loaded": len(routes.champions),
            "system_info": (finding.value if finding is not None else None) or UNKNOWN_SYSTEM,
            "inference": asdict(self._inference),
            "dependencies": dependencies,
            "problems": problems,
            "notes": routes.notes,
            "version": __version__,
        }
