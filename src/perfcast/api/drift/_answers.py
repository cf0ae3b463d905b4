"""What the answer about drift looks like, for the OpenAPI document; tests hold real answers against it."""

from pydantic import BaseModel, Field

from perfcast.api.http._schemas import Time


class DriftFinding(BaseModel):
    """One thing that is watched."""

    kind: str = Field(description="`inputs`, `error`, `coverage`, `quality` or `unexplained`", examples=["error"])
    feature: str | None = Field(None, description="Null for what is about the cost", examples=[None])
    score: float = Field(description="What was measured ÷ its threshold; 1 and more is beyond", examples=[1.25])
    alarm: bool = Field(description="Beyond, and for long enough", examples=[True])
    pages: bool = Field(description="A consequence, by which somebody should be woken", examples=[True])
    since: Time | None = Field(None, examples=["2026-03-04T14:00:00.000000Z"])
    words: str = Field(
        description="What was found; empty while all is as usual",
        examples=["mean error 4.52 in the last 6 hours, 2.8 times what is usual (1.62)"],
    )


class DriftAnomaly(BaseModel):
    """A stretch of large errors that ended again."""

    first_at: Time
    last_at: Time
    reason: str = Field(examples=["errors 14 times what is usual for 35 min, and then no longer"])


class DriftReport(BaseModel):
    """What watching a model has come to."""

    model_name: str = Field(examples=["cpu-utilization"])
    version: int | None = Field(description="By whose reference it is watched", examples=[3])
    watched_since: Time | None
    updated_at: Time | None
    inputs_until: Time | None = Field(description="When the last hour began whose inputs were judged")
    actuals_until: Time | None = Field(description="When the last hour began whose actuals were judged")
    state: dict[str, bool] = Field(
        description="By kind, whether there is an alarm",
        examples=[{"inputs": False, "error": True, "coverage": False, "quality": False, "unexplained": False}],
    )
    alarms: dict[str, int] = Field(
        description="By kind, how many have begun",
        examples=[{"inputs": 0, "error": 1, "coverage": 0, "quality": 0, "unexplained": 0}],
    )
    findings: list[DriftFinding] = Field(description="Everything that is watched, alarms first")
    anomalies: list[DriftAnomaly] = Field(description="The newest, newest first")
    alarms_per_week: float | None = Field(description="The budget of false alarms", examples=[1.0])
    method: str | None = Field(
        description="How thresholds came about", examples=["5 held-out days, drawn whole and with replacement"]
    )
    note: str | None = Field(None, description="Why nothing is watched, where that is so", examples=[None])
    timestamp: Time
