"""What an explanation looks like, for the OpenAPI document; tests hold real answers against it."""

from typing import Any

from pydantic import BaseModel, Field

from perfcast.api.http._schemas import Time


class Contribution(BaseModel):
    """What a feature adds."""

    feature: str = Field(description="`timestamp` for all that a clock decides", examples=["batch_size"])
    value: Any = Field(description="As it was asked; null for what a clock decides", examples=[32])
    contribution: float = Field(description="In the cost's unit", examples=[1.9])
    factor: float | None = Field(
        description="By how much it multiplies the cost, where errors are relative", examples=[4.1]
    )


class Explanation(BaseModel):
    """A prediction, and what each feature adds to it."""

    model_name: str = Field(examples=["cnn-execution-time-cpu-torch"])
    model_version: int = Field(examples=[3])
    model_type: str = Field(examples=["ensemble"])
    cost: str = Field(description="The cost's name", examples=["execution_time_ms"])
    unit: str = Field(examples=["ms"])
    prediction: float = Field(examples=[5.34])
    base_value: float = Field(
        description="Mean cost of usual rows; with all contributions it comes to the prediction", examples=[3.44]
    )
    typical_value: float | None = Field(
        description="Their geometric mean, where errors are relative; times all factors it comes to the prediction",
        examples=[0.42],
    )
    contributions: list[Contribution] = Field(description="Shapley values, the largest first")
    ways: int = Field(description="Ways from a usual row to the one asked, whose mean it is", examples=[58])
    background_rows: int = Field(description="Usual rows that are kept with the version", examples=[32])
    timestamp: Time
