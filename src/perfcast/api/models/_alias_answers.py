"""What answers about aliases and traffic look like, for the OpenAPI document; tests hold real answers against these."""

from pydantic import Field

from perfcast.api.http._answers import Answer, Time


class ArmFigures(Answer):
    """What one alias did in this process, for the version it points to."""

    version: int
    share: float = Field(description="Percent of the callers; a shadow answers none")
    predictions: int
    mean_ms: float | None = Field(None, description="Mean time of a prediction; null where there was none")
    note: str | None = Field(None, description="Why the version isn't asked beside the champion")


class Traffic(Answer):
    """How callers are split between champion and challenger."""

    model_name: str
    champion: float = Field(description="Percent of the callers")
    challenger: float = Field(description="Percent of the callers")
    arms: dict[str, ArmFigures] = Field(description="By alias, those that are set")
    counted_for_seconds: float = Field(description="How long this process has been counting")
    timestamp: Time


class TrafficMoved(Traffic):
    """How callers are split now, and were before."""

    before: dict[str, float]
    status: str


class AliasEventEntry(Answer):
    """One move of an alias, or one change of the split."""

    alias: str
    kind: str = Field(description="`point`, `step_back` or `traffic`")
    before: int | None = Field(None, description="Version; null is nowhere")
    after: int | None = None
    reason: str
    actor: str
    at: Time
    share_before: float | None = Field(
        None, description="The challenger's percent of the callers; null where unchanged"
    )
    share_after: float | None = None


class AliasHistory(Answer):
    """What happened to a model's aliases, newest first."""

    model_name: str
    total_events: int
    history: list[AliasEventEntry]
    timestamp: Time
