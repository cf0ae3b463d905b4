"""The service itself, and what watching a model has come to."""

from datetime import datetime

from msgspec import Struct


class Index(Struct, frozen=True):
    """What this is and where to go."""

    service: str
    version: str
    see: dict[str, str]


class SystemInfo(Struct, frozen=True):
    """The server's machine; percent, and 10⁹ bytes."""

    cpu_percent: float
    memory_percent: float
    disk_percent: float
    available_memory_gb: float


class InferencePlace(Struct, frozen=True):
    """Where models run."""

    device: str
    provider: str
    runtime: str


class Dependency(Struct, frozen=True):
    """Something that the server depends on; `status` is `up`, `down` or `starting`."""

    status: str
    latency_ms: float | None = None
    reason: str | None = None


class Health(Struct, frozen=True):
    """How the server is: `healthy`, `degraded` or `unhealthy`.

    Attributes:
        problems: By model reference or workload file.
        notes: What degrades nothing, by model reference.
    """

    status: str
    timestamp: datetime
    uptime_seconds: float
    models_loaded: int
    system_info: SystemInfo
    inference: InferencePlace
    dependencies: dict[str, Dependency]
    problems: dict[str, str]
    notes: dict[str, str]
    version: str


class Liveness(Struct, frozen=True):
    """The process lives."""

    status: str


class Readiness(Struct, frozen=True):
    """Whether to send requests there: `ready` or `not ready`."""

    status: str
    reason: str | None = None

    @property
    def ready(self) -> bool:
        """Whether it is."""
        return self.status == "ready"


class DriftFinding(Struct, frozen=True):
    """One thing that is watched.

    Attributes:
        kind: `inputs`, `error`, `coverage`, `quality` or `unexplained`.
        score: What was measured ÷ its threshold; 1 and more is beyond.
        alarm: Beyond, and for long enough.
        pages: A consequence, by which somebody should be woken.
        words: What was found; empty while all is as usual.
        feature: None for what is about the cost.
    """

    kind: str
    score: float
    alarm: bool
    pages: bool
    words: str
    feature: str | None = None
    since: datetime | None = None


class DriftAnomaly(Struct, frozen=True):
    """A stretch of large errors that ended again."""

    first_at: datetime
    last_at: datetime
    reason: str


class DriftReport(Struct, frozen=True):
    """What watching a model has come to.

    Attributes:
        version: By whose reference it is watched.
        state: By kind, whether there is an alarm.
        alarms: By kind, how many have begun.
        findings: Everything that is watched, alarms first.
        anomalies: The newest, newest first.
        alarms_per_week: The budget of false alarms.
        method: How thresholds came about.
        note: Why nothing is watched, where that is so.
    """

    model_name: str
    version: int | None
    watched_since: datetime | None
    updated_at: datetime | None
    inputs_until: datetime | None
    actuals_until: datetime | None
    state: dict[str, bool]
    alarms: dict[str, int]
    findings: list[DriftFinding]
    anomalies: list[DriftAnomaly]
    alarms_per_week: float | None
    method: str | None
    timestamp: datetime
    note: str | None = None
