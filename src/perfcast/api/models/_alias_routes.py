"""Challenger and shadow, the callers between champion and challenger, and the history of it all."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Body, Header, Query
from pydantic import BaseModel, Field

from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._lifetime import Lifetime
from perfcast.api.http._reply import Alive, Following, Json, Registered, Stored, held
from perfcast.api.http._schemas import example_of, said
from perfcast.api.metrics import Durations, Tally
from perfcast.api.models._answers import AliasHistory, AliasMoved, Traffic, TrafficMoved
from perfcast.api.models._live import live_of_arms
from perfcast.api.models._moves import Expected, model_name, moved
from perfcast.errors import InvalidInput, UnknownVersion
from perfcast.registry import ANY, CHALLENGER, CHAMPION, ModelSummary
from perfcast.serving import Follower

router = APIRouter(prefix="/models", tags=["models"])
Alias = Literal["challenger", "shadow"]
Counted = Annotated[Tally, held(Tally)]
IfSplit = Annotated[
    str | None, Header(alias="If-Match", description='The expected present split, such as "90:10", champion first')
]
Weights = Annotated[
    dict[str, float],
    Body(description="Percent of the callers by alias, 100 together", examples=[{"champion": 90, "challenger": 10}]),
]
_SET = example_of(AliasMoved, alias="challenger", before=None, after=4)
_CLEARED = example_of(AliasMoved, alias="shadow", before=4, after=None)


class Pointer(BaseModel):
    """Where an alias shall point."""

    version: int | str = Field(description="Number or label", examples=[4])


@router.put(
    "/{name}/aliases/{alias}",
    summary="Set the challenger or the shadow",
    **said(AliasMoved, "Before and after", 404, 409, 413, 422, 503, example=_SET),
)
def set_alias(
    name: str, alias: Alias, pointer: Pointer, registry: Registered, follower: Following, expect: Expected
) -> Json:
    """Point an alias to a version. It is loaded first: one that can't be loaded is refused, and nothing changes.

    The champion is moved by `POST /models/{ref}/activate`.
    """
    model = model_name(registry, name)
    registry.model(model)
    try:
        version = registry.resolve(f"{model}:{pointer.version}")
    except UnknownVersion as error:
        raise InvalidInput.of("version", str(error)) from None
    follower.load(version)
    change = registry.point(model, alias, version.number, expect=expect, actor="api")
    return moved(follower, change)


@router.delete(
    "/{name}/aliases/{alias}",
    summary="Clear the challenger or the shadow",
    **said(AliasMoved, "Before and after", 404, 409, 422, 503, example=_CLEARED),
)
def clear_alias(name: str, alias: Alias, registry: Registered, follower: Following, expect: Expected) -> Json:
    """Let an alias point nowhere. Without a challenger the champion answers everybody."""
    change = registry.point(model_name(registry, name), alias, None, expect=expect, actor="api")
    return moved(follower, change)


@router.get(
    "/{name}/traffic",
    summary="How callers are split",
    **said(Traffic, "The split and what each arm did", 404, 422, 503),
)
def show_traffic(
    name: str, registry: Registered, follower: Following, tally: Counted, lifetime: Alive, database: Stored
) -> Json:
    """Percent of the callers by alias, how many predictions each made in this process, how fast, and how true.

    How true comes of `POST /feedback`. `against_champion` may be looked at as often as one likes: it calls a difference
    significant by chance in at most one of twenty comparisons.

    The `ETag` is the split, for `If-Match`.
    """
    summary = registry.model(model_name(registry, name))
    live = live_of_arms(database, follower, summary)
    return Json(_traffic(summary, follower, tally, lifetime, live), headers={"ETag": _etag(summary)})


@router.put(
    "/{name}/traffic",
    summary="Split callers between champion and challenger",
    **said(TrafficMoved, "The split before and now", 404, 409, 413, 422, 503),
)
def set_traffic(
    name: str,
    weights: Weights,
    registry: Registered,
    follower: Following,
    tally: Counted,
    lifetime: Alive,
    database: Stored,
    if_match: IfSplit = None,
) -> Json:
    """Give the challenger its share of the callers; each keeps its side as long as the share allows.

    A caller is known by its `X-Request-Key`, else by its API key or address. Model references with a version or an
    alias bypass the split.
    """
    model = model_name(registry, name)
    before, _ = registry.set_traffic(model, weights, expect=_expected_split(if_match), actor="api")
    follower.refresh()
    summary = registry.model(model)
    live = live_of_arms(database, follower, summary)
    document = _traffic(summary, follower, tally, lifetime, live) | {"before": dict(before), "status": "success"}
    return Json(document, headers={"ETag": _etag(summary)})


@router.get(
    "/{name}/history", summary="What happened to a model's aliases", **said(AliasHistory, "Newest first", 404, 422, 503)
)
def show_history(name: str, registry: Registered, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Json:
    """Every move of an alias and every change of the split, newest first: when, why and by whom."""
    model = model_name(registry, name)
    events = registry.history(model)
    listed = [msgspec.to_builtins(event) for event in events[:limit]]
    history = [{key: value for key, value in event.items() if key != "model"} for event in listed]
    return Json({"model_name": model, "total_events": len(events), "history": history, "timestamp": timestamp()})


def _traffic(
    summary: ModelSummary, follower: Follower, tally: Tally, lifetime: Lifetime, live: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    notes = follower.routes.notes
    observed = dict([*tally.arms.items(), *tally.shadows.items()])
    arms = {
        alias: {
            "version": number,
            "share": summary.traffic.get(alias, 0.0),
            **_figures(observed.get((summary.name, alias, number))),
            **live[alias],
            **({"note": note} if (note := notes.get(f"{summary.name}@{alias}")) else {}),
        }
        for alias, number in sorted(summary.aliases.items())
    }
    return {
        "model_name": summary.name,
        **summary.traffic,
        "arms": arms,
        "counted_for_seconds": lifetime.uptime_seconds,
        "timestamp": timestamp(),
    }


def _figures(durations: Durations | None) -> dict[str, Any]:
    count = durations.answers if durations is not None else 0
    mean = round(durations.total / count * 1000, 4) if durations is not None and count else None
    return {"predictions": count, "mean_ms": mean}


def _etag(summary: ModelSummary) -> str:
    return f'"{summary.traffic[CHAMPION]:g}:{summary.traffic[CHALLENGER]:g}"'


def _expected_split(if_match: str | None) -> Any:
    if if_match is None or if_match.strip() == "*":
        return ANY
    champion, _, challenger = if_match.strip().removeprefix("W/").strip('"').partition(":")
    try:
        return {CHAMPION: float(champion), CHALLENGER: float(challenger)}
    except ValueError:
        raise InvalidInput.of("If-Match", 'expected the present split such as "90:10"') from None
