"""What an explanation looks like, for the OpenAPI document; tests hold real answers against it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from perfcast.api.http._schemas import Time


class ContributionEntry(BaseModel):
    """What a feature adds."""

    feature: str = Field(description="`timestamp` for all that a clock decides", examples=["request_rate"])
    value: Any = Field(description="As it was asked; null for what a clock decides", examples=[120])
    contribution: float = Field(description="In the cost's unit", examples=[18.4])
    factor: float | None = Field(
        description="By how much it multiplies the cost, where errors are relative", examples=[None]
    )


class ExplanationAnswer(BaseModel):
    """A prediction, and what each feature adds to it; the prediction stands under the cost's own name."""

    model_config = ConfigDict(extra="allow")

    model_name: str = Field(examples=["cpu-utilization"])
    model_version: int = Field(examples=[3])
    model_type: str = Field(examples=["xgboost"])
    unit: str = Field(examples=["percent"])
    base_value: float = Field(
        description="Mean cost of usual rows; with all contributions it comes to the prediction", examples=[31.2]
    )
    typical_value: float | None = Field(
        description="Their geometric mean, where errors are relative; times all factors it comes to the prediction",
        examples=[None],
    )
    contributions: list[ContributionEntry] = Field(description="Shapley values, the largest first")
    ways: int = Field(description="Ways from a usual row to the one asked, whose mean it is", examples=[71])
    background_rows: int = Field(description="Usual rows that are kept with the version", examples=[32])
    timestamp: Time
