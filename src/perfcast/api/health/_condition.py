"""How the service is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from perfcast import __version__
from perfcast.api.health._probes import UNKNOWN_SYSTEM, Probe
from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._lifetime import Lifetime
from perfcast.serving import Follower
from perfcast.sessions import Inference


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
