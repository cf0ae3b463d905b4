"""What capacity routes take and give, for the OpenAPI document; tests hold real answers against it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from perfcast.api.http._schemas import Time
from perfcast.capacity import CONFIDENCES

_SCENARIO = {
    "request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"
}  # fmt: skip
_CONFIDENCES = ", ".join(map(str, CONFIDENCES))


class HeadroomBody(BaseModel):
    """What is asked."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    limit: float = Field(description="For the upper bound, in the cost's unit", examples=[80])
    scenario: dict[str, Any] = Field(
        description="Features by name: the present load, and all else", examples=[_SCENARIO]
    )
    model_name: str | None = Field(
        None, description="NAME, NAME:VERSION or NAME@ALIAS; the default model of the workload otherwise"
    )
    confidence: float = Field(0.95, description=f"That the cost stays below its upper bound: {_CONFIDENCES}")
    vary: str | None = Field(None, description="The load; the first feature whose cost rises with it otherwise")
    scale_together: list[str] | None = Field(
        None,
        description="Features that rise in proportion to the load; otherwise as the version has learnt from its rows",
    )
    load: float | None = Field(
        None, gt=0, le=1e30, description="A load to be shared by replicas, each of which is what the scenario describes"
    )


class HeadroomNow(BaseModel):
    """The scenario as it is."""

    load: float = Field(examples=[120])
    prediction: float = Field(examples=[49.6])
    upper: float = Field(examples=[55.2])


class HeadroomCurve(BaseModel):
    """What is predicted along the load, for a plot; each has a value a point."""

    load: list[float] = Field(examples=[[0, 100, 200]])
    cost: list[float] = Field(examples=[[8.1, 41.9, 82.4]])
    lower: list[float] = Field(examples=[[2.5, 36.3, 74.2]])
    upper: list[float] = Field(examples=[[13.7, 47.5, 90.6]])


class HeadroomAnswer(BaseModel):
    """The largest load that the limit allows; it also stands under its own name, such as `max_request_rate`."""

    model_config = ConfigDict(extra="allow")

    model_name: str = Field(examples=["cpu-utilization"])
    model_version: int = Field(examples=[3])
    model_type: str = Field(examples=["xgboost"])
    cost: str = Field(description="The cost's name", examples=["cpu_utilization"])
    unit: str = Field(examples=["percent"])
    vary: str = Field(description="The load", examples=["request_rate"])
    limit: float = Field(examples=[80])
    confidence: float = Field(examples=[0.95])
    max_load: float | None = Field(
        description="Up to this load the upper bound stays within the limit; null where even the least is too much",
        examples=[178.2],
    )
    limit_reached: bool = Field(
        description="False where no load reaches the limit as far as was looked: three times what was seen, or thirty "
        "times the present load where nobody knows",
        examples=[True],
    )
    current: HeadroomNow
    headroom_percent: float | None = Field(description="By how much the present load may rise", examples=[48.5])
    extrapolated: list[str] = Field(
        description="Features outside what the version was trained on, at that load", examples=[["request_rate"]]
    )
    observed_max: float | None = Field(
        description="The largest load it was trained on; null for uploads that don't say", examples=[171.0]
    )
    following: dict[str, str] = Field(
        description="How other features move with the load", examples=[{"active_users": "rises by 0.48 with each"}]
    )
    replicas: int | None = Field(description="That share `load`; null without one, or where none can", examples=[6])
    curve: HeadroomCurve
    words: str = Field(
        description="The answer as a sentence",
        examples=["request_rate may rise to 178.2 before the upper bound passes 80 percent"],
    )
    timestamp: Time


class RunwayBody(BaseModel):
    """What is asked."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    limit: float = Field(description="For the upper bound, in the cost's unit", examples=[80])
    model_name: str | None = Field(
        None, description="NAME, NAME:VERSION or NAME@ALIAS; the default model of cpu-utilization otherwise"
    )
    confidence: float = Field(0.95, description=f"That the cost stays below its upper bound: {_CONFIDENCES}")
    horizon_days: float = Field(30, gt=0, le=366, description="How far to look ahead")
    growth_percent_per_month: float | None = Field(
        None, gt=-100, le=1000, description="Of the load; as in its history otherwise"
    )
    vary: str | None = Field(None, description="The load; the first feature whose cost rises with it otherwise")
    scale_together: list[str] | None = Field(
        None,
        description="Features that rise in proportion to the load; otherwise as the version has learnt from its rows",
    )
    days_off: list[str] = Field(
        [], max_length=1000, description="Dates, past and to come, whose load is a Sunday's", examples=[["2026-12-25"]]
    )
    country: str | None = Field(
        None,
        max_length=20,
        description="Whose public holidays are days off too: ISO 3166, such as DE or US-CA",
        examples=["DE"],
    )


class RunwayBand(BaseModel):
    """Between when; null is beyond the horizon."""

    earliest: Time | None = Field(description="One in twenty courses has passed the limit by then")
    latest: Time | None = Field(description="Nineteen in twenty have", examples=["2026-04-20T10:00:00Z"])


class DayProbability(BaseModel):
    """How likely the bound has passed the limit by a day's end."""

    date: str = Field(examples=["2026-03-14"])
    probability: float = Field(examples=[0.31])


class RunwayLevels(BaseModel):
    """Of all courses: one in twenty is below the lower, and above the upper."""

    lower: float = Field(examples=[141.0])
    middle: float = Field(examples=[163.5])
    upper: float = Field(examples=[190.2])


class DayPeaks(BaseModel):
    """A day's greatest hour."""

    date: str = Field(examples=["2026-03-14"])
    load: RunwayLevels
    bound: RunwayLevels


class HourReplicas(BaseModel):
    """What an hour needs."""

    at: Time
    load: float = Field(description="That only one course in twenty is above", examples=[171.0])
    replicas: int | None = Field(description="That share it within the limit; null where none can", examples=[2])


class RunwayHistory(BaseModel):
    """What the forecast comes from."""

    dataset: str = Field(examples=["shop@1f3c9a2b7d10"])
    rows: int = Field(examples=[43200])
    days: float = Field(examples=[30.0])
    until: Time = Field(description="When it ends: the horizon is counted from there")
    weekly: bool = Field(description="Whether it is long enough to tell workdays from days off", examples=[True])
    growth_percent_per_month: float | None = Field(description="Null where it is too short to tell", examples=[4.1])
    growth_lower: float | None = Field(description="Nine in ten courses grow by between these", examples=[1.2])
    growth_upper: float | None = Field(examples=[7.0])
    growth_given: bool = Field(description="Whether the growth was stated", examples=[False])


class RunwayAnswer(BaseModel):
    """When the upper bound of the cost first passes the limit."""

    model_name: str = Field(examples=["cpu-utilization"])
    model_version: int = Field(examples=[3])
    model_type: str = Field(examples=["xgboost"])
    cost: str = Field(examples=["cpu_utilization"])
    unit: str = Field(examples=["percent"])
    vary: str = Field(examples=["request_rate"])
    limit: float = Field(examples=[80])
    confidence: float = Field(examples=[0.95])
    horizon_days: float = Field(examples=[30])
    first_exceeded_at: Time | None = Field(
        description="When half of the courses have passed the limit; null where that is beyond the horizon"
    )
    band: RunwayBand
    probability: float = Field(description="That it is passed within the horizon", examples=[0.82])
    probability_by_day: list[DayProbability]
    peaks_by_day: list[DayPeaks]
    replicas_by_hour: list[HourReplicas] = Field(description="Of the first seven days")
    history: RunwayHistory
    words: str = Field(
        description="The answer as a sentence",
        examples=["the upper bound first passes 80 percent on 2026-03-22, not before 2026-03-12"],
    )
    timestamp: Time


class AutoscaleAnswer(BaseModel):
    """What KEDA's `metrics-api` scaler reads at `$.value`."""

    value: float = Field(description="Upper bound of the predicted cost, in its unit", examples=[55.2])
    prediction: float = Field(examples=[49.6])
    confidence: float = Field(examples=[0.95])
    model_name: str = Field(examples=["cpu-utilization"])
    model_version: int = Field(examples=[3])
    cost: str = Field(examples=["cpu_utilization"])
    unit: str = Field(examples=["percent"])
    observed_at: Time = Field(description="When the load was measured; now where it came in the query")
    source: str = Field(description="Where the load comes from: `query`, or a dataset", examples=["shop@1f3c9a2b7d10"])
    features: dict[str, Any] = Field(description="The load", examples=[{"request_rate": 120, "active_users": 60}])
    timestamp: Time
