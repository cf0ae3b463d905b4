"""What answers about datasets look like, for the OpenAPI document; tests hold real answers against these."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from perfcast.api.http._schemas import Time, example_of

Name = Annotated[str, Field(examples=["shop"])]
Workload = Annotated[str, Field(examples=["cpu-utilization"])]
Digest = Annotated[
    str,
    Field(
        description="sha256 of the rows; NAME@DIGEST, or the beginning of it, means exactly these",
        examples=["4be1f09c2d7a4be1f09c2d7a4be1f09c2d7a4be1f09c2d7a4be1f09c2d7a4be1"],
    ),
]
Rows = Annotated[int, Field(description="How many it has", examples=[43_200])]
Source = Annotated[
    str, Field(description="Where the rows come from; empty where unknown", examples=["perfcast collect"])
]


class DatasetEntry(BaseModel):
    """A dataset at a glance."""

    name: Name
    workload: Workload
    digest: Digest
    rows: Rows
    created_at: Time
    source: Source
    newest: bool = Field(description="Whether it is the newest of its name", examples=[True])
    measured_from: Time | None = Field(description="The first row's time; null where rows have none")
    measured_until: Time | None = Field(description="The last row's time")
    problem: str | None = Field(None, description="Why its rows can't be read")


class DatasetList(BaseModel):
    """Datasets, newest first."""

    datasets: list[DatasetEntry]
    total: int = Field(examples=[1])
    limit: int = Field(examples=[50])
    offset: int = Field(examples=[0])
    timestamp: Time


class ColumnValues(BaseModel):
    """How the values of a column lie."""

    name: str = Field(examples=["request_rate"])
    unit: str = Field(examples=["requests/s"])
    meaning: str = Field(examples=["Requests that arrive per second"])
    minimum: float | None = Field(None, examples=[1.0])
    maximum: float | None = Field(None, examples=[310.8])
    quantiles: dict[str, float] | None = Field(
        None,
        description="Of a number, by share of the rows",
        examples=[{"0": 1.0, "0.05": 21.1, "0.25": 36.2, "0.5": 77.1, "0.75": 124.6, "0.95": 160.5, "1": 310.8}],
    )
    shares: dict[str, float] | None = Field(None, description="Of a choice: share of the rows that have each value")


class DatasetDetails(BaseModel):
    """A dataset, where it comes from and what its columns hold."""

    name: Name
    workload: Workload
    digest: Digest
    rows: Rows
    created_at: Time
    source: Source
    newest: bool = Field(examples=[True])
    measured_from: Time | None
    measured_until: Time | None
    provenance: dict[str, Any] = Field(
        description="The data card's facts: source, device, file, licence and the like, as they were given",
        examples=[{"source": "perfcast collect", "file": "minutes.csv"}],
    )
    cost: str = Field(description="Which column is the cost", examples=["cpu_utilization"])
    columns: list[ColumnValues] = Field(
        description="Each feature in declared order, then the cost", examples=[[example_of(ColumnValues)]]
    )
    timestamp: Time


class DatasetRows(BaseModel):
    """Some rows, in columns."""

    name: Name
    workload: Workload
    digest: Digest
    rows: Rows
    shown: int = Field(description="How many are here", examples=[2])
    cost: str = Field(description="Which column is the cost", examples=["cpu_utilization"])
    columns: dict[str, list[Any]] = Field(
        description="Each feature and the cost",
        examples=[{"request_rate": [21.5, 120.0], "cpu_utilization": [11.4, 52.8]}],
    )
    measured_at: list[str] | None = Field(
        description="When each row was measured; null where rows have no time",
        examples=[["2026-03-01T10:30:00.000000Z", "2026-03-01T14:05:00.000000Z"]],
    )
    timestamp: Time
