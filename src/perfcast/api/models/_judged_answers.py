"""What `GET /models/{ref}/judged` answers, for the OpenAPI document; tests hold real answers against it."""

from typing import Any

from pydantic import BaseModel, Field

from perfcast.api.http._schemas import Time
from perfcast.api.models._answers import Family, Label, Name, Number, Workload


class JudgedRows(BaseModel):
    """Held-out rows of a version with its predictions, in columns."""

    model_name: Name
    model_version: Number
    label: Label | None
    type: Family
    workload: Workload
    dataset: str = Field(description="NAME@DIGEST", examples=["cpu-torch@4be1f09c2d7a"])
    cost: str = Field(examples=["execution_time_ms"])
    unit: str = Field(examples=["ms"])
    held_out_rows: int = Field(description="How many rows judged it in all", examples=[1459])
    shown: int = Field(description="How many of them are here", examples=[2])
    coverage: float | None = Field(
        description="Of the intervals, as they were calibrated; null where it has none", examples=[0.9]
    )
    actual: list[float] = Field(description="What was measured", examples=[[0.412, 15.3]])
    predicted: list[float] = Field(examples=[[0.398, 16.1]])
    lower: list[float] | None = Field(examples=[[0.33, 12.9]])
    upper: list[float] | None = Field(examples=[[0.48, 20.1]])
    features: dict[str, list[Any]] = Field(examples=[{"batch_size": [1, 32], "kernel_size": [3, 3]}])
    measured_at: list[str] | None = Field(
        description="When each row was measured; null where rows have no time",
        examples=[["2026-03-01T10:30:00.000000Z", "2026-03-01T14:05:00.000000Z"]],
    )
    timestamp: Time
