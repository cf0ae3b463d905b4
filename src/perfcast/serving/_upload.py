"""Versions that were made elsewhere: what a graph and a manifest must be like to be registered."""

import time
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from math import isfinite, sqrt
from typing import Annotated, Any

import msgspec
import numpy as np
import onnxruntime as ort

from perfcast.errors import BrokenVersion, InvalidDeclaration, InvalidInput, UnknownModel, UnknownWorkload
from perfcast.manifest import COVERAGES, Calibration, Draft, GraphFacts, Manifest, Origin
from perfcast.registry import Registry, Version, check_label, check_name
from perfcast.serving._foreign import open_foreign, try_rows
from perfcast.serving._predictor import check_signature
from perfcast.sessions import COST, SPREAD, row_us, run
from perfcast.workloads import LARGEST, Rows, Workload, find_workload, workload_from_document

LARGEST_MANIFEST = 1_000_000
_REPEATS = 100
_CALLED = "upload"
_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_Text = Annotated[str, msgspec.Meta(max_length=2000)]

_wrong = InvalidInput.of


class Statement(Origin, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the sender says of a graph. Any part may be left out; a whole manifest of another installation will do.

    Attributes:
        workload: A known workload's name, or a whole declaration; that of the model where it is left out.
        type: What made it, such as `xgboost`.
        label: A name for the version, such as `v1.2.0`.
        note: Anything worth remembering.
        ranges: For each feature the least and the greatest value it was trained on; the declared bounds otherwise.
        created_at: As in a manifest.
        graph, parity, model, version: Taken for what a manifest says, and found out anew.
        reference: Taken likewise, and left out: what was usual there needn't be here.
    """

    workload: str | dict[str, Any] | None = None
    type: _Name = "onnx"
    label: str | None = None
    note: _Text = ""
    ranges: Mapping[str, tuple[float, float]] = {}
    inputs: tuple[_Text, ...] = ()
    notes: tuple[_Text, ...] = ()
    created_at: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")] | None = None
    graph: Any = None
    parity: Any = None
    model: Any = None
    version: Any = None
    reference: Any = None


def read_statement(data: bytes) -> Statement:
    """Read the manifest that comes with a graph; nothing at all is an empty one.

    Raises:
        InvalidInput: It is no JSON, or a part of it is wrong.
    """
    if len(data) > LARGEST_MANIFEST:
        raise _wrong("manifest", f"must have at most {LARGEST_MANIFEST:,} bytes, has {len(data):,}")
    try:
        return msgspec.json.decode(data, type=Statement) if data.strip() else Statement()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _wrong("manifest", str(error)) from None


def upload(
    registry: Registry, model: str, graph: bytes, statement: Statement, workloads: Mapping[str, Workload]
) -> Version:
    """Register a graph that was made elsewhere, as a candidate; uncalibrated unless the statement brings a calibration.

    Args:
        registry: Where to.
        model: Name of the model; made where there is none.
        graph: Serialised ONNX, from `features` float32 [rows, features] to `cost` and, maybe, `spread`, float32 [rows].
        statement: What its sender says of it.
        workloads: Those that it may name.

    Raises:
        InvalidInput: Something is wrong with the model's name, the graph or the statement; names the part.
        Refused: The model answers for another workload.
        Conflict: The label is taken.
    """
    check_name(model)
    if statement.label is not None:
        check_label(statement.label)
    workload = _workload(registry, model, statement, workloads)
    _check_ranges(statement.ranges, workload)
    _check_path(statement.path, workload)
    if statement.calibration is not None:
        _check_calibration(statement.calibration)
    facts = examine(graph, workload, statement.ranges, statement.calibration)
    draft = Draft(graph, _manifest(statement, workload, facts))
    return registry.add(model, draft, label=statement.label, note=statement.note)


def examine(
    graph: bytes,
    workload: Workload,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    calibration: Calibration | None = None,
) -> GraphFacts:
    """Find out whether a graph can serve a workload with these intervals, and how fast.

    Raises:
        InvalidInput: It can't; the field is `graph`.
    """
    anatomy, session = open_foreign(graph)
    try:
        check_signature(session, len(workload.features), _CALLED, calibration)
    except BrokenVersion as error:
        raise _wrong("graph", str(error).removeprefix(f"{_CALLED}: ")) from None
    row = np.array([_middle(workload, ranges or {})], dtype=np.float32)
    _check_answers(session, row)
    took = row_us(partial(run, session), row, _REPEATS)
    return GraphFacts(sha256(graph).hexdigest(), len(graph), anatomy.opset, anatomy.ir, took)


def _workload(registry: Registry, model: str, statement: Statement, workloads: Mapping[str, Workload]) -> Workload:
    field = "manifest.workload"
    given = statement.workload
    try:
        if given is None:
            return workload_from_document(registry.versions(model)[-1].manifest.workload)
        return find_workload(given, workloads) if isinstance(given, str) else workload_from_document(given)
    except (UnknownModel, IndexError):
        raise _wrong(field, "is required for a new model: a workload's name, or its whole declaration") from None
    except (UnknownWorkload, InvalidDeclaration) as error:
        raise _wrong(field, str(error)) from None


def _check_ranges(ranges: Mapping[str, tuple[float, float]], workload: Workload) -> None:
    for name, (low, high) in ranges.items():
        if name not in workload.feature_names:
            raise _wrong("manifest.ranges", f"'{name}' is no feature of {workload.name}")
        if not (isfinite(low) and isfinite(high) and low <= high):
            raise _wrong("manifest.ranges", f"'{name}' must lead from a number to one that is not less")


def _check_path(path: Mapping[str, Mapping[str, float]], workload: Workload) -> None:
    for load, slopes in path.items():
        for name in (load, *slopes):
            if name not in workload.feature_names:
                raise _wrong("manifest.path", f"'{name}' is no feature of {workload.name}")
        if not all(map(isfinite, slopes.values())):
            raise _wrong("manifest.path", f"what follows '{load}' must rise by numbers")


def _check_calibration(table: Calibration) -> None:
    field, least = "manifest.calibration", 1.0 if table.relative else 0.0
    for edges in (table.edges, *table.spreads):
        if list(edges) != sorted(set(edges)) or not all(map(isfinite, edges)):
            raise _wrong(field, "edges, and each band's spreads, must be numbers that rise")
    if table.spreads and len(table.spreads) != len(table.edges) + 1:
        raise _wrong(field, f"needs spreads for each of {len(table.edges) + 1} bands of cost, or for none")
    if not table.minimum <= table.maximum:
        raise _wrong(field, "minimum must not be greater than maximum")
    if table.below:
        raise _wrong(field, "below is made from actuals, not uploaded; widths stand for both bounds")
    for coverage, widths in table.widths.items():
        if coverage not in map(str, COVERAGES):
            raise _wrong(field, f"knows the coverages {', '.join(map(str, COVERAGES))}, not '{coverage}'")
        if len(widths) != table.bands:
            raise _wrong(field, f"needs one width for each of {table.bands} bands at coverage {coverage}")
        if not all(isfinite(width) and width >= least for width in widths):
            raise _wrong(field, f"widths must be at least {least:g}; at coverage {coverage} one is not")


def _check_answers(session: ort.InferenceSession, row: Rows) -> None:
    for name, values in zip((COST, SPREAD), try_rows(session, np.repeat(row, 2, axis=0)), strict=False):
        if values.shape != (2,):
            raise _wrong("graph", f"must give a {name} of shape [rows], but gives {list(values.shape)} for 2 rows")
        if not np.isfinite(values).all():
            raise _wrong("graph", f"gives no finite {name} in the middle of the features' bounds, {row[0].tolist()}")


def _middle(workload: Workload, ranges: Mapping[str, tuple[float, float]]) -> list[float]:
    """A row that the graph must be able to answer, one number a feature."""
    found = []
    for feature in workload.features:
        low, high = ranges.get(feature.name, (feature.minimum, feature.maximum))
        if low <= -LARGEST or high >= LARGEST:  # not bounded on some side: near the other one
            value = high - 1 if high < LARGEST else low + 1 if low > -LARGEST else 0.0
        else:
            value = sqrt(low * high) if low > 0 else (low + high) / 2
        found.append(float(round(value)) if feature.whole else value)
    return found


def _manifest(statement: Statement, workload: Workload, facts: GraphFacts) -> Manifest:
    bare = "uploaded: its graph was checked for its shape; what stands in its manifest is its sender's word"
    declared = {feature.name: (feature.minimum, feature.maximum) for feature in workload.features}
    said = {name: getattr(statement, name) for name in (*Origin.__struct_fields__, "type")}
    found = {
        "workload": dict(workload.document()),
        "ranges": {**declared, **statement.ranges},
        "graph": facts,
        "created_at": statement.created_at or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "notes": (*statement.notes, *([] if bare in statement.notes else [bare])),
    }
    return Manifest(**said | found)
