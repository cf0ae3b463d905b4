"""What answers about the service look like, for the OpenAPI document; tests hold real answers against these."""

from pydantic import Field

from perfcast.api.http._answers import Answer, Time


class SystemInfo(Answer):
    """The machine's state."""

    cpu_percent: float
    memory_percent: float
    disk_percent: float
    available_memory_gb: float


class Dependency(Answer):
    """What is known of something the service depends on."""

    status: str = Field(description="`up`, `down` or, before the first answer, `starting`")
    latency_ms: float | None = None
    reason: str | None = None


class InferencePlace(Answer):
    """Where models run."""

    device: str = Field(description="`cpu` or `cuda`")
    provider: str = Field(description="ONNX Runtime's name of what runs them there")
    runtime: str = Field(description="ONNX Runtime's version")


class Health(Answer):
    """How the service is."""

    status: str = Field(description="`healthy`, `degraded` or `unhealthy`")
    timestamp: Time
    uptime_seconds: float
    models_loaded: int
    system_info: SystemInfo
    inference: InferencePlace
    dependencies: dict[str, Dependency]
    problems: dict[str, str] = Field(description="By model reference or workload file")
    notes: dict[str, str] = Field(
        description="What degrades nothing, by model reference: a challenger or shadow that isn't asked"
    )
    version: str


class Liveness(Answer):
    """The process lives."""

    status: str


class Readiness(Answer):
    """Whether to send requests here."""

    status: str = Field(description="`ready` or `not ready`")
    reason: str | None = None


class Index(Answer):
    """What this is and where to go."""

    service: str
    version: str
    see: dict[str, str]
