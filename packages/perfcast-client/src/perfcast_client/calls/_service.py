"""The service itself."""

from perfcast_client._call import Call, reading
from perfcast_client.answers import Health, Index, Liveness, Readiness

_UNWELL = frozenset({503})


def about() -> Call[Index]:
    """What the service is, its version, and where to go."""
    return Call("GET", "/", reading(Index))


def health() -> Call[Health]:
    """How the service is: `healthy`, `degraded` or `unhealthy`, and each thing that it depends on."""
    return Call("GET", "/health", reading(Health), answers=_UNWELL)


def live() -> Call[Liveness]:
    """Whether the process lives."""
    return Call("GET", "/livez", reading(Liveness))


def ready() -> Call[Readiness]:
    """Whether some model answers and the process isn't about to end."""
    return Call("GET", "/readyz", reading(Readiness), answers=_UNWELL)


def metrics() -> Call[str]:
    """Prometheus' metrics, as text."""
    return Call("GET", "/metrics", bytes.decode)
