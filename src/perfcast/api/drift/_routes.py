"""What has moved: `GET /models/{ref}/drift`."""

from typing import Annotated

from fastapi import APIRouter

from perfcast.api.drift._answers import DriftReport
from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._reply import Json, Registered, held
from perfcast.api.http._schemas import said
from perfcast.monitoring.drift import describe_drift
from perfcast.registry import DEFAULT_WORKLOAD, parse_reference
from perfcast.storage import Database

router = APIRouter(prefix="/models", tags=["models"])


@router.get("/{ref}/drift", summary="What has moved", **said(DriftReport, "What is watched", 404, 422, 503))
def show_drift(ref: str, registry: Registered, database: Annotated[Database, held(Database)]) -> Json:
    """Whether errors, coverage, inputs and data are as usual, by what the worker found up to the last whole hour.

    Errors and coverage are consequences (`pages`); inputs explain them, and are no reason to wake anybody.
    """
    asked = parse_reference(ref)
    if asked.number is None and asked.label is None and asked.alias is None:
        model, version = registry.model(asked.model or registry.defaults().get(DEFAULT_WORKLOAD, "")).name, None
    else:
        named = registry.resolve(ref)
        model, version = named.model, named.number
    with database.read() as connection:
        found = describe_drift(connection, model, version=version)
    return Json({"model_name": model, **found, "timestamp": timestamp()})
