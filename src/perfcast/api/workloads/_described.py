"""A workload as answers describe it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perfcast.errors import PerfcastError
from perfcast.registry import CHAMPION, ModelSummary, Registry
from perfcast.serving import Follower
from perfcast.workloads import (
    LARGEST,
    Catalogue,
    Cost,
    Feature,
    Workload,
    builtin_workloads,
    differences,
    workload_from_document,
)


@dataclass(frozen=True)
class Known:
    """A workload, who declares it (see `WorkloadEntry.declared`), and the models that predict it."""

    workload: Workload
    declared: str
    models: Sequence[ModelSummary]


def known_workloads(catalogue: Catalogue, registry: Registry, follower: Follower) -> Mapping[str, Known]:
    """Every workload by name: those that are declared, and those that only a model's version declares."""
    by_workload: dict[str, list[ModelSummary]] = {}
    for model in registry.models():
        by_workload.setdefault(model.workload, []).append(model)
    found = {
        name: Known(workload, "built-in" if name in builtin_workloads() else "yours", by_workload.get(name, []))
        for name, workload in catalogue.workloads.items()
    }
    for name, models in by_workload.items():
        if name not in found and (declared := _declared_by(models, registry, follower)) is not None:
            found[name] = Known(*declared, models)
    return dict(sorted(found.items()))


def outline(known: Known, default: str | None) -> dict[str, Any]:
    """A workload at a glance."""
    workload = known.workload
    return {
        **_heading(known),
        "features": list(workload.feature_names),
        "presets": len(workload.presets),
        "default_model": default,
        "models": [model.name for model in known.models],
    }


def details(known: Known, default: str | None, follower: Follower) -> dict[str, Any]:
    """All that is declared, and who answers."""
    workload, declared = known.workload, known.workload.declaration
    return {
        "name": workload.name,
        **_heading(known),
        "wrapper": declared.wrapper,
        "takes_timestamp": any(item.clock for item in declared.features),
        "features": [_feature(feature) for feature in workload.features],
        "derived": [
            {"name": item.name, "expression": item.expression, "trend": item.trend, "meaning": item.meaning}
            for item in declared.derived
        ],
        "rules": [{"check": rule.check, "field": rule.field, "message": rule.message} for rule in declared.rules],
        "presets": [
            {
                "name": item.name,
                "title": item.title,
                "group": item.group,
                "features": item.features,
                "stated": item.stated,
            }
            for item in workload.presets
        ],
        "default_model": default,
        "models": [
            {
                "name": model.name,
                "champion": model.aliases.get(CHAMPION),
                "differences": _differences(model, workload, follower),
            }
            for model in known.models
        ],
    }


def _heading(known: Known) -> dict[str, Any]:
    declared = known.workload.declaration
    return {
        "title": declared.title,
        "description": declared.description,
        "declared": known.declared,
        "cost": _cost(known.workload.cost, declared.cost.meaning if declared.cost else ""),
        "series": declared.series,
    }


def _cost(cost: Cost, meaning: str) -> dict[str, Any]:
    bounds = {"minimum": _bound(cost.minimum), "maximum": _bound(cost.maximum)}
    return {"name": cost.name, "unit": cost.unit, **bounds, "relative": cost.relative, "meaning": meaning}


def _feature(feature: Feature) -> dict[str, Any]:
    declared = feature.declaration
    bounded = not declared.values
    return {
        "name": feature.name,
        "type": declared.type,
        "unit": declared.unit,
        "minimum": _bound(feature.minimum) if bounded else None,
        "maximum": _bound(feature.maximum) if bounded else None,
        "required": feature.required,
        "default": _plain(declared.default),
        "values": list(declared.values),
        "trend": declared.trend,
        "clock": declared.clock,
        "meaning": declared.meaning,
    }


def _bound(value: float) -> float | None:
    return None if abs(value) >= LARGEST else value


def _plain(value: bool | float | str | None) -> bool | float | str | None:  # noqa: FBT001  # what YAML says
    """A default as it was written: whole numbers are read as 1.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _differences(model: ModelSummary, workload: Workload, follower: Follower) -> list[str]:
    champion = follower.routes.champions.get(model.name)
    return [] if champion is None else list(differences(champion.reader.workload, workload))


def _declared_by(models: Sequence[ModelSummary], registry: Registry, follower: Follower) -> tuple[Workload, str] | None:
    """What the first model says whose champion, or without one whose newest version, can be read; and which it is."""
    for model in models:
        slot = follower.routes.champions.get(model.name)
        if slot is not None:
            return slot.reader.workload, slot.name
        try:
            version = registry.version(model.name, model.aliases.get(CHAMPION, max(model.versions)))
            return workload_from_document(version.manifest.workload), version.reference
        except (PerfcastError, ValueError):
            continue
    return None
