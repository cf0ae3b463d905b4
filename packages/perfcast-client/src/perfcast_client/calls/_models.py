"""Models and versions: which there are, how good they are, and which answer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from perfcast_client._call import JSON, Call, Repeat, json, part, reading
from perfcast_client.answers import (
    AliasHistory,
    AliasMoved,
    Benchmark,
    DriftReport,
    ModelDetails,
    ModelList,
    Traffic,
    TrafficMoved,
    VersionAdded,
    VersionDeleted,
    VersionMetrics,
)

Expected = int | Literal["none"] | None
"""The version that an alias points to at present, else `Conflict`; None doesn't ask."""


def list_models() -> Call[ModelList]:
    """Every model by name: what it predicts from what, which version answers, how good that is."""
    return Call("GET", "/models", reading(ModelList))


def get_model(name: str) -> Call[ModelDetails]:
    """A model with all its versions."""
    return Call("GET", _of(name), reading(ModelDetails))


def version_metrics(ref: str) -> Call[VersionMetrics]:
    """Held-out metrics of a version, its live accuracy, how its intervals are corrected, and how it was found."""
    return Call("GET", f"{_of(ref)}/metrics", reading(VersionMetrics))


def drift(ref: str) -> Call[DriftReport]:
    """Whether errors, coverage, inputs and data are as usual."""
    return Call("GET", f"{_of(ref)}/drift", reading(DriftReport))


def card(ref: str) -> Call[str]:
    """A version's model card, in Markdown: what it is for, made of what, how good, and where not to trust it."""
    return Call("GET", f"{_of(ref)}/card", bytes.decode)


def activate(ref: str, *, expect: Expected = None) -> Call[AliasMoved]:
    """Make a version the champion, for instance `NAME:2`; one that can't be loaded is refused.

    Args:
        ref: NAME:VERSION or NAME@ALIAS.
        expect: The champion at present, else `Conflict`.
    """
    return Call("POST", f"{_of(ref)}/activate", reading(AliasMoved), headers=_if(expect), repeat=Repeat.UNSENT)


def deactivate(ref: str, *, expect: Expected = None) -> Call[AliasMoved]:
    """Return the champion to the one before, or to none. Where `ref` names a version, it must be the champion."""
    return Call("POST", f"{_of(ref)}/deactivate", reading(AliasMoved), headers=_if(expect), repeat=Repeat.UNSENT)


def set_alias(
    name: str, alias: Literal["challenger", "shadow"], version: int | str, *, expect: Expected = None
) -> Call[AliasMoved]:
    """Point the challenger or the shadow to a version, by number or label."""
    return Call(
        "PUT",
        f"{_of(name)}/aliases/{part(alias)}",
        reading(AliasMoved),
        body=json({"version": version}),
        headers=_if(expect),
        repeat=_repeat(expect),
    )


def clear_alias(name: str, alias: Literal["challenger", "shadow"], *, expect: Expected = None) -> Call[AliasMoved]:
    """Let the challenger or the shadow point nowhere."""
    path = f"{_of(name)}/aliases/{part(alias)}"
    return Call("DELETE", path, reading(AliasMoved), headers=_if(expect), repeat=_repeat(expect))


def traffic(name: str) -> Call[Traffic]:
    """How callers are split between champion and challenger, and what each arm did."""
    return Call("GET", f"{_of(name)}/traffic", reading(Traffic))


def set_traffic(name: str, weights: Mapping[str, float], *, expect: str | None = None) -> Call[TrafficMoved]:
    """Split the callers between champion and challenger.

    Args:
        name: Of the model.
        weights: Percent by alias, 100 together, such as `{"champion": 90, "challenger": 10}`.
        expect: The split at present, champion first, such as `90:10`, else `Conflict`.
    """
    return Call(
        "PUT",
        f"{_of(name)}/traffic",
        reading(TrafficMoved),
        body=json(weights),
        headers=_if(expect),
        repeat=_repeat(expect),
    )


def model_history(name: str, *, limit: int = 100) -> Call[AliasHistory]:
    """Every move of an alias and every change of the split, newest first."""
    return Call("GET", f"{_of(name)}/history", reading(AliasHistory), query={"limit": limit})


def upload_version(name: str, graph: bytes | Path, *, manifest: Mapping[str, Any] | None = None) -> Call[VersionAdded]:
    """Register a graph that was made elsewhere, as a candidate.

    Args:
        name: Of the model, which is new if there is none.
        graph: ONNX: from `features` float32 [rows, features] to `cost` float32 [rows]; or the file that has it.
        manifest: What is known of it, such as `{"workload": "cpu-utilization", "label": "v1.3.0"}`.
    """
    parts = {"graph": ("model.onnx", graph.read_bytes() if isinstance(graph, Path) else graph, "application/onnx")}
    if manifest is not None:
        parts["manifest"] = ("manifest.json", json(manifest), JSON)
    return Call("POST", f"{_of(name)}/versions", reading(VersionAdded), files=parts, repeat=Repeat.UNSENT)


def delete_version(name: str, version: int | str) -> Call[VersionDeleted]:
    """Forget a version and its graph, for good, by number or label. `Conflict` while an alias points to it."""
    path = f"{_of(name)}/versions/{part(str(version))}"
    return Call("DELETE", path, reading(VersionDeleted), repeat=Repeat.UNSENT)


def benchmark(model: str, *, iterations: int = 100, fresh: bool = False) -> Call[Benchmark]:
    """Latencies of single predictions inside the server, and the version's held-out metrics.

    Args:
        model: NAME, NAME:VERSION or NAME@ALIAS.
        iterations: Rows to predict, one after another; 10,000 at most.
        fresh: Measure, even if the same was measured before.
    """
    query = {"iterations": iterations, "fresh": fresh}
    return Call("GET", f"/benchmark/{part(model)}", reading(Benchmark), query=query)


def _of(ref: str) -> str:
    return f"/models/{part(ref)}"


def _if(expect: int | str | None) -> dict[str, str]:
    return {} if expect is None else {"If-Match": f'"{expect}"'}


def _repeat(expect: int | str | None) -> Repeat:
    """What is expected is no longer so once it was done."""
    return Repeat.FREELY if expect is None else Repeat.UNSENT
