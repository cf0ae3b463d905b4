"""Continuous training over HTTP: set, look at and remove schedules, and their history."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._reply import Json, held
from perfcast.api.http._schemas import example_of, problems, said
from perfcast.api.training._answers import ScheduleEntry, ScheduleHistory, ScheduleList
from perfcast.jobs import Plan, Schedules

router = APIRouter(prefix="/schedules", tags=["training"])


class RetrainBody(BaseModel):
    """How to train; the rows are the newest at that time."""

    model_config = ConfigDict(extra="forbid", strict=True)

    n_trials: int = Field(20, ge=1, le=10_000, description="Most trials of the search.")
    families: list[str] = Field([], max_length=20, description="Which to try; all by default.")
    timeout_seconds: float | None = Field(None, ge=1, le=604_800, description="Most seconds of training.")
    dataset: str | None = Field(None, max_length=128, description="Line to learn from; the model's own by default.")
    promote: Literal["auto", "never"] = Field("auto", description="Whether the gate may make the best the champion.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Of the search.")
    newest_rows: int | None = Field(
        None, ge=250, le=1_000_000_000, description="Learn from so many of the newest rows only; all by default."
    )
    base: str | None = Field(None, max_length=256, description="Version to start from: a model reference.")
    trends: Literal["prefer", "require", "ignore"] = Field(
        "prefer",
        description="Versions that keep the declared trends come first, or only they come, or none is held to them.",
    )


class ScheduleBody(BaseModel):
    """When and how to train; at least one of `cron`, `new_rows` and `drift` is needed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    cron: str | None = Field(
        None, max_length=128, description="Five fields: minute, hour, day, month, weekday, in SERVICE_TIMEZONE."
    )
    new_rows: int | None = Field(
        None, ge=1, le=1_000_000_000, description="When there are so many more rows than the last run learnt from."
    )
    drift: bool = Field(default=False, description="When monitoring signals drift or lost accuracy.")
    enabled: bool = Field(default=True, description="Whether it fires at all.")
    minimum_interval_seconds: float = Field(
        3600, ge=1, le=31_622_400, description="Least seconds from one run to the next, whatever triggers it."
    )
    most_per_day: int = Field(4, ge=1, le=1000, description="Most runs that signals alone begin within 24 hours.")
    least_new_rows: int = Field(
        0, ge=0, le=1_000_000_000, description="So many more rows must there be for a signal alone to begin a run."
    )
    request: RetrainBody = Field(default_factory=lambda: RetrainBody.model_validate({}), description="How to train.")


_SCHEDULE = example_of(ScheduleEntry)
_BODIES: dict[str, Any] = {
    "nightly": {"summary": "Every night at three", "value": {"cron": "0 3 * * *"}},
    "rows": {"summary": "With every 5,000 new rows", "value": {"new_rows": 5000, "request": {"n_trials": 50}}},
    "all": {"summary": "Everything said", "value": {key: _SCHEDULE[key] for key in Plan.__struct_fields__}},
}
Held = Annotated[Schedules, held(Schedules)]
Asked = Annotated[ScheduleBody, Body(openapi_examples=_BODIES)]
Most = Annotated[int, Query(ge=1, le=500, description="Most events")]


@router.get("", summary="List the schedules", **said(ScheduleList, "Schedules, sorted by model", 503))
def list_schedules(schedules: Held) -> Json:
    """Every model's schedule: its triggers, its last run, and why it waits if it does."""
    listed = [schedules.document(schedule) for schedule in schedules.every()]
    return Json({"schedules": listed, "total": len(listed), "timestamp": timestamp()})


@router.get("/{model}", summary="A model's schedule", **said(ScheduleEntry, "As asked", 404, 422, 503))
def show(model: str, schedules: Held) -> Json:
    """When the model is trained anew, and its last run."""
    return Json(schedules.document(schedules.find(model)))


@router.put("/{model}", summary="Set a model's schedule", **said(ScheduleEntry, "As asked", 404, 413, 422, 503))
def put(model: str, schedules: Held, body: Asked) -> Json:
    """Make or replace it; what is left out has its default. Putting the same again changes nothing."""
    return Json(schedules.document(schedules.put(model, msgspec.convert(body.model_dump(), Plan))))


@router.delete(
    "/{model}",
    status_code=204,
    summary="Remove a model's schedule",
    response_class=Response,
    responses={204: {"description": "Removed; its history stays"}, **problems(404, 422, 503)},
)
def remove(model: str, schedules: Held) -> Response:
    """Train the model no longer by itself. A job that is queued or running goes on."""
    schedules.remove(model)
    return Response(status_code=204)


@router.get(
    "/{model}/history", summary="What a schedule did", **said(ScheduleHistory, "Events, newest first", 404, 422, 503)
)
def history(model: str, schedules: Held, limit: Most = 50) -> Json:
    """When it fired and why, which job and what the promotion gate said, or why it was held back."""
    return Json({"events": schedules.history(model, limit=limit), "timestamp": timestamp()})
