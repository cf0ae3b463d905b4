"""What two declarations of a workload make of the same row of numbers: the one comparison that all use."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from perfcast.errors import InvalidData, InvalidDeclaration
from perfcast.workloads._catalogue import workload_from_document
from perfcast.workloads._feature import Feature
from perfcast.workloads._workload import Rows, Workload

_FOR_PEOPLE = {"name", "meaning", "trend", "clock", "derived_only", "basis"}
"""Parts of a declaration that don't change what a number means."""


def differences(before: Workload, now: Workload) -> tuple[str, ...]:
    """How features, derived quantities and cost differ, a clause each, for people; empty where they are alike."""
    return tuple(_differences(before, now))


def document_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """The same for two documents as manifests carry them; empty where one of them can't be read."""
    try:
        return () if before == now else differences(workload_from_document(before), workload_from_document(now))
    except InvalidDeclaration:
        return ()


def same_rows(one: Workload, other: Workload) -> bool:
    """Whether a row of numbers, and the cost, mean the same under both; bounds and defaults may differ."""
    return one == other or _layout(one) == _layout(other)


def encoded_for(rows: Rows, source: Workload, target: Workload) -> Rows:
    """Rows, float32 [rows, features], of one declaration as another would have read them: by names and choices' values.

    Raises:
        InvalidData: The target knows a feature, a unit or a value that the source doesn't, or predicts something else.
    """
    if _cost(source) != _cost(target):
        raise InvalidData(f"one predicts {_cost(source)}, the other {_cost(target)}")
    given = {feature.name: (feature, rows[:, at]) for at, feature in enumerate(source.features)}
    columns = []
    for feature in target.features:
        if feature.name not in given:
            raise InvalidData(f"the rows have no '{feature.name}'")
        columns.append(_column(feature, *given[feature.name]))
    return np.stack(columns, axis=1)


def _column(feature: Feature, theirs: Feature, column: Rows) -> Rows:
    ours, other = feature.declaration, theirs.declaration
    if ours.unit != other.unit or bool(ours.values) != bool(other.values):
        kinds = [f"{item.type} {item.unit}".rstrip() for item in (ours, other)]
        raise InvalidData(f"'{feature.name}' is declared as {kinds[0]} by one and as {kinds[1]} by the other")
    if ours.values == other.values:
        return column
    present = np.unique(column).astype(int).tolist()
    positions = np.zeros(len(other.values), dtype=np.float32)
    try:
        positions[present] = [feature.encode(other.values[code]) for code in present]
    except ValueError as error:
        raise InvalidData(f"'{feature.name}': {error}") from None
    encoded: Rows = positions[column.astype(int)]
    return encoded


def _layout(workload: Workload) -> tuple[object, ...]:
    features = ((item.name, item.unit, tuple(map(str, item.values))) for item in workload.declaration.features)
    return (_cost(workload), *features)


def _cost(workload: Workload) -> str:
    return f"{workload.cost.name} in {workload.cost.unit or 'no unit'}"


def _differences(before: Workload, now: Workload) -> Iterator[str]:
    old, new = _parts(before), _parts(now)
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            yield f"'{name}' is gone"
        elif name not in old:
            yield f"'{name}' is new"
        else:
            yield from _of_part(name, old[name], new[name])
    if [name for name in before.feature_names if name in new] != [name for name in now.feature_names if name in old]:
        yield f"the features stood in the order {', '.join(before.feature_names)}; now {', '.join(now.feature_names)}"


def _parts(workload: Workload) -> dict[str, dict[str, Any]]:
    declared = workload.declaration
    parts = [*declared.features, *declared.derived, *([declared.cost] if declared.cost else [])]
    return {part["name"]: part for part in map(msgspec.structs.asdict, parts)}


def _of_part(name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for aspect in sorted((old.keys() | new.keys()) - _FOR_PEOPLE):
        was, is_now = old.get(aspect), new.get(aspect)
        if was != is_now:
            yield f"'{name}' had the {aspect} {_said(was)}; now {_said(is_now)}"


def _said(value: object) -> str:
    return (", ".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)) or "none"
