"""Models and their versions: what there is, how good it is, and which answers."""

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import PlainTextResponse

from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._reply import Following, Json, Registered, Stored, held
from perfcast.api.http._schemas import problems, said
from perfcast.api.models._answers import AliasMoved, ModelDetails, ModelList, VersionMetrics
from perfcast.api.models._corrections import corrections_of, shown_correction
from perfcast.api.models._live import live_of_version
from perfcast.api.models._moves import Expected, described, etag, model_name, moved, shown
from perfcast.discovery import Records
from perfcast.errors import BrokenVersion, Conflict
from perfcast.manifest import Manifest
from perfcast.registry import ANY, CHAMPION, ModelSummary, Registry, Version, parse_reference
from perfcast.reports import card
from perfcast.serving import Follower

router = APIRouter(prefix="/models", tags=["models"])
_CARD: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The card",
        "content": {"text/markdown": {"schema": {"type": "string"}, "example": "# cpu-utilization:3\n\n…"}},
    },
    **problems(404, 422, 503),
}
_SHOWN = ("metrics", "search", "settings", "importance", "parity", "data", "graph")


class Markdown(PlainTextResponse):
    """Text with headings and tables."""

    media_type = "text/markdown"


@router.get("", summary="List the models", **said(ModelList, "All models", 503))
def list_models(registry: Registered, follower: Following, records: Annotated[Records, held(Records)]) -> Json:
    """Every model by name: what it predicts from what, which version answers, how good that is.

    `not_loaded` lists the files of `MODELS_DIR` that could not be converted, and why.
    """
    summaries = sorted(registry.models(), key=lambda summary: summary.name)
    models = {summary.name: _entry(registry, follower, summary) for summary in summaries}
    not_loaded = [{"path": failed.path, "model": failed.model, "reason": failed.reason} for failed in records.failed()]
    return Json({"models": models, "total_models": len(models), "not_loaded": not_loaded, "timestamp": timestamp()})


@router.get("/{name}", summary="One model", **said(ModelDetails, "The model", 404, 422, 503))
def show_model(name: str, registry: Registered, follower: Following, database: Stored) -> Json:
    """A model with all its versions. The `ETag` is the champion's number, for `If-Match`."""
    summary = registry.model(model_name(registry, name))
    versions = [_read(registry, summary.name, number) for number in summary.versions]
    corrections = corrections_of(database, [(summary.name, number) for number in summary.versions])
    document = {
        "name": summary.name,
        **_entry(registry, follower, summary),
        "dataset": summary.dataset,
        "created_at": summary.created_at,
        "features": next((v.manifest.workload["features"] for v in versions[::-1] if isinstance(v, Version)), []),
        "versions": [
            _version(number, version, summary) | shown_correction(version, corrections)
            for number, version in zip(summary.versions, versions, strict=True)
        ],
        "timestamp": timestamp(),
    }
    return Json(document, headers={"ETag": etag(summary.aliases.get(CHAMPION))})


@router.get("/{ref}/metrics", summary="How good a version is", **said(VersionMetrics, "Its metrics", 404, 422, 503))
def show_metrics(ref: str, registry: Registered, database: Stored) -> Json:
    """Held-out metrics, live accuracy in each of its arms, how intervals are corrected, and how it was found."""
    version = registry.resolve(ref)
    corrections = corrections_of(database, [(version.model, version.number)])
    document = {
        **described(version),
        **{name: getattr(version.manifest, name) for name in _SHOWN},
        "live": live_of_version(database, version.model, version.number),
        **shown_correction(version, corrections),
        "created_at": version.created_at,
        "timestamp": timestamp(),
    }
    return Json(document)


@router.get("/{ref}/card", summary="A version's model card", response_class=Markdown, responses=_CARD)
def show_card(ref: str, registry: Registered) -> Markdown:
    """What it is, how good, how sure, what it was learnt from: Markdown for people, made when it is asked for."""
    return Markdown(card(registry.resolve(ref)))


@router.post(
    "/{ref}/activate",
    summary="Make a version the champion",
    **said(AliasMoved, "Before and after", 404, 409, 413, 422, 503),
)
def activate(ref: str, registry: Registered, follower: Following, expect: Expected) -> Json:
    """Move the champion. This process has loaded and switched before it answers; others follow within two seconds.

    A version that can't be loaded is refused, and the champion stays. With `If-Match`, 409 where somebody else was
    faster.
    """
    version = registry.resolve(ref)
    follower.load(version)
    change = registry.point(version.model, CHAMPION, version.number, expect=expect, actor="api")
    return moved(follower, change)


@router.post(
    "/{ref}/deactivate",
    summary="Return to the champion before",
    **said(AliasMoved, "Before and after", 404, 409, 413, 422, 503),
)
def deactivate(ref: str, registry: Registered, follower: Following, expect: Expected) -> Json:
    """Return the champion to the one before, or to none. Where `ref` names a version, it must be the champion."""
    name = model_name(registry, ref)
    named = _named_version(registry, ref)
    if named is not None:
        present = registry.model(name).aliases.get(CHAMPION)
        if named != present:
            raise Conflict(f"{name}:{named} is not the champion, {shown(present)} is; nothing was changed")
        expect = named if expect is ANY else expect
    change = registry.step_back(name, expect=expect, actor="api")
    return moved(follower, change)


def _entry(registry: Registry, follower: Follower, summary: ModelSummary) -> dict[str, Any]:
    champion = summary.aliases.get(CHAMPION)
    loaded = follower.routes.champions.get(summary.name)
    version = _shown_version(registry, follower, summary)
    manifest = version.manifest if isinstance(version, Version) else None
    entry: dict[str, Any] = {
        "type": manifest.type if manifest else None,
        "input_features": _input_features(manifest) if manifest else [],
        "workload": summary.workload,
        "champion": champion,
        "versions": list(summary.versions),
        "metrics": manifest.metrics if manifest else None,
        "loaded": loaded is not None and loaded.predictor is not None and loaded.number == champion,
        "aliases": dict(summary.aliases),
        "traffic": dict(summary.traffic),
    }
    problem = follower.routes.problems.get(summary.name)
    if problem is None and isinstance(version, BrokenVersion):
        problem = str(version)
    if problem:
        entry["problem"] = problem
    notes = {alias: follower.routes.notes.get(f"{summary.name}@{alias}") for alias in summary.aliases}
    return entry | ({"notes": told} if (told := {alias: note for alias, note in notes.items() if note}) else {})


def _input_features(manifest: Manifest) -> list[str]:
    return list(manifest.inputs) or [item["name"] for item in manifest.workload["features"]]


def _shown_version(registry: Registry, follower: Follower, summary: ModelSummary) -> Version | BrokenVersion | None:
    """The champion, or without one the newest version."""
    number = summary.aliases.get(CHAMPION, max(summary.versions, default=None))
    loaded = follower.routes.champions.get(summary.name)
    if loaded is not None and loaded.number == number:
        return loaded.version
    return _read(registry, summary.name, number) if number is not None else None


def _read(registry: Registry, model: str, number: int) -> Version | BrokenVersion:
    """A version, or why it can't be read: one such must not hide the others."""
    try:
        return registry.version(model, number)
    except BrokenVersion as error:
        return error


def _version(number: int, version: Version | BrokenVersion, summary: ModelSummary) -> dict[str, Any]:
    aliases = sorted(alias for alias, held in summary.aliases.items() if held == number)
    if isinstance(version, BrokenVersion):
        return {"version": number, "aliases": aliases, "problem": str(version)}
    return {
        "version": number,
        "label": version.label,
        "type": version.type,
        "created_at": version.created_at,
        "note": version.note,
        "notes": version.manifest.notes,
        "aliases": aliases,
        "metrics": version.manifest.metrics,
        "graph": version.manifest.graph,
        "calibrated": version.manifest.calibration is not None,
    }


def _named_version(registry: Registry, ref: str) -> int | None:
    reference = parse_reference(ref)
    named = reference.number is not None or reference.label or reference.alias
    return registry.resolve(ref).number if named else None
