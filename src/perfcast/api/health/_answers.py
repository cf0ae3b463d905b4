"""What answers about the service look like, for the OpenAPI document; tests hold real answers against these."""

from pydantic import BaseModel, Field

from perfcast.api.http._schemas import Time, example_of

PLACES = {"documentation": "/docs"} | {name: f"/{name}" for name in ("models", "predict", "health", "metrics")}
"""Where to go first."""


class SystemInfo(BaseModel):
    """The machine's state."""

    cpu_percent: float = Field(examples=[7.5])
    memory_percent: float = Field(examples=[41.2])
    disk_percent: float = Field(examples=[63.0])
    available_memory_gb: float = Field(examples=[9.41])


class Dependency(BaseModel):
    """What is known of something the service depends on."""

    status: str = Field(description="`up`, `down` or, before the first answer, `starting`", examples=["up"])
    latency_ms: float | None = Field(None, examples=[0.21])
    reason: str | None = None


class InferencePlace(BaseModel):
    """Where models run."""

    device: str = Field(description="`cpu` or `cuda`", examples=["cpu"])
    provider: str = Field(description="ONNX Runtime's name of what runs them there", examples=["CPUExecutionProvider"])
    runtime: str = Field(description="ONNX Runtime's version", examples=["1.31.1"])


class Health(BaseModel):
    """How the service is."""

    status: str = Field(description="`healthy`, `degraded` or `unhealthy`", examples=["healthy"])
    timestamp: Time
    uptime_seconds: float = Field(examples=[86400.5])
    models_loaded: int = Field(examples=[3])
    system_info: SystemInfo
    inference: InferencePlace
    dependencies: dict[str, Dependency] = Field(
        examples=[{"database": example_of(Dependency), "artifacts": example_of(Dependency)}]
    )
    problems: dict[str, str] = Field(description="By model reference or workload file", examples=[{}])
    notes: dict[str, str] = Field(
        description="What degrades nothing, by model reference: a challenger or shadow that isn't asked", examples=[{}]
    )
    version: str = Field(examples=["0.1.0"])


class Liveness(BaseModel):
    """The process lives."""

    status: str = Field(examples=["alive"])


class Readiness(BaseModel):
    """Whether to send requests here."""

    status: str = Field(description="`ready` or `not ready`", examples=["ready"])
    reason: str | None = None


class Index(BaseModel):
    """What this is and where to go."""

    service: str = Field(examples=["perfcast"])
    version: str = Field(examples=["0.1.0"])
    see: dict[str, str] = Field(examples=[PLACES])
