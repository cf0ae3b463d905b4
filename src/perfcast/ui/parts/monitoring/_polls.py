"""The last minutes: what was counted between one look at `/metrics` and the next."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from perfcast.ui.parts.monitoring._exposition import Labels, Look, quantile

EVERY_SECONDS = 5
MINUTES = 15
_PROBES = frozenset({"/metrics", "/health", "/livez", "/readyz", "/v2/health/live", "/v2/health/ready"})
_OUTCOMES = {"4": "refused", "5": "failed"}
OUTCOMES = ("answered", "refused", "failed")
QUANTILES = {"median": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True)
class Step:
    """What happened between two looks.

    Attributes:
        until: When it ended.
        seconds: How long it was.
        requests: By outcome, without probes and without this page's own looks.
        predictions: Answered, by model.
        errors: Predictions that failed, by kind.
        milliseconds: Time of a prediction by the name of its quantile; None where there was none.
        machine: Percent in use of processors, memory and disk.
    """

    until: datetime
    seconds: float
    requests: Mapping[str, float]
    predictions: Mapping[str, float]
    errors: Mapping[str, float]
    milliseconds: Mapping[str, float | None]
    machine: Mapping[str, float | None]


@dataclass
class Course:
    """The steps of the last minutes, oldest first; kept by a session."""

    last: Look | None = None
    steps: deque[Step] = field(default_factory=lambda: deque(maxlen=60 * MINUTES // EVERY_SECONDS))

    def take(self, now: Look) -> None:
        """Add a look; the same one again changes nothing."""
        if self.last is not None and now.at <= self.last.at:
            return
        if self.last is not None:
            self.steps.append(between(self.last, now))
        self.last = now

    def sums(self, what: Callable[[Step], Mapping[str, float]]) -> Mapping[str, float]:
        """What all steps come to together, the most first; nothing that didn't happen."""
        sums: dict[str, float] = {}
        for step in self.steps:
            for name, value in what(step).items():
                sums[name] = sums.get(name, 0.0) + value
        return dict(sorted(((name, value) for name, value in sums.items() if value > 0), key=lambda one: -one[1]))


def between(before: Look, after: Look) -> Step:
    """What was counted between two looks."""
    buckets = _grown(before, after, "ml_prediction_duration_seconds_bucket", lambda labels: labels["le"])
    times = {name: quantile(buckets, share) for name, share in QUANTILES.items()}
    return Step(
        datetime.fromtimestamp(after.at, UTC),
        after.at - before.at,
        dict.fromkeys(OUTCOMES, 0.0) | _grown(before, after, "http_requests_total", _outcome),
        _grown(before, after, "ml_predictions_total", _answering),
        _grown(before, after, "ml_prediction_errors_total", lambda labels: labels["kind"]),
        {name: None if seconds is None else 1000 * seconds for name, seconds in times.items()},
        {
            "processors": after.value("system_cpu_percent"),
            "memory": after.value("system_memory_percent"),
            "disk": after.value("system_disk_used_percent"),
        },
    )


def _outcome(labels: Labels) -> str | None:
    return None if labels["route"] in _PROBES else _OUTCOMES.get(labels["status"][:1], "answered")


def _answering(labels: Labels) -> str | None:
    return labels["model_name"] if labels["status"] == "success" else None


def _grown(before: Look, after: Look, name: str, group: Callable[[Labels], str | None]) -> dict[str, float]:
    """By group, how much a counter has grown; one that fell began anew, with its server."""
    known = {_key(labels): value for labels, value in before.of(name)}
    sums: dict[str, float] = {}
    for labels, value in after.of(name):
        if (one := group(labels)) is not None:
            past = known.get(_key(labels), 0.0)
            sums[one] = sums.get(one, 0.0) + (value - past if value >= past else value)
    return sums


def _key(labels: Labels) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())
