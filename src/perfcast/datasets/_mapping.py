"""Which column of somebody's file is which feature: as told, by name, or by the closest name."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from perfcast.datasets._files import TIME
from perfcast.errors import InvalidData, InvalidDeclaration
from perfcast.workloads import TIMESTAMP, Expression, Workload, names, parse

_ALIKE = 0.8
_TIMES = (TIME, TIMESTAMP, "time", "datetime", "date")


@dataclass(frozen=True)
class ColumnMap:
    """Where each of a workload's columns comes from.

    Attributes:
        sources: For each feature, the cost and `measured_at` the column taken as it is, or the expression of columns.
        how: The same in words, for people.
        ignored: Columns of the file that nothing uses.
    """

    sources: Mapping[str, str | Expression]
    how: Mapping[str, str]
    ignored: tuple[str, ...]


def map_columns(
    workload: Workload, columns: Sequence[str], told: Mapping[str, str], *, measured: bool = True
) -> ColumnMap:
    """Find each of the workload's columns.

    Args:
        workload: Whose columns are wanted.
        columns: The file's.
        told: By the name of a feature, the cost or `measured_at`: a column's name, or arithmetic over columns such
            as `requests / 60`.
        measured: Whether the rows have a cost; it isn't looked for else.

    Raises:
        InvalidData: `told` names something unknown, or a column that is required can't be found.
    """
    cost = (workload.cost.name,) if measured else ()
    wanted = (*workload.feature_names, *cost, TIME)
    sources: dict[str, str | Expression] = {}
    how: dict[str, str] = {}
    for name, text in told.items():
        if name not in wanted:
            raise InvalidData(f"'{name}' is neither a feature nor the cost of {workload.name}: {', '.join(wanted)}")
        sources[name], how[name] = _told(name, text, columns), f"{text} (as told)"
    for name in wanted:
        if name not in sources and name in columns:
            sources[name], how[name] = name, name
    for name in wanted:
        free = [column for column in columns if column not in _used(sources)]
        found = None if name in sources else _time(free) if name == TIME else _closest(name, free)
        if found is not None:
            sources[name], how[name] = found, f"{found} (closest name)"
    _require(workload, columns, sources, cost)
    used = _used(sources)
    ordered = {name: how[name] for name in wanted if name in how}
    return ColumnMap(sources, ordered, tuple(column for column in columns if column not in used))


def _used(sources: Mapping[str, str | Expression]) -> set[str]:
    """The columns that have a use already: none is taken for a second feature by the likeness of its name."""
    return {used for source in sources.values() for used in ([source] if isinstance(source, str) else names(source))}


def _told(name: str, text: str, columns: Sequence[str]) -> str | Expression:
    if text in columns:
        return text
    try:
        expression = parse(text)
    except InvalidDeclaration as error:
        raise InvalidData(f"map of '{name}': {error}") from None
    for used in names(expression):
        if used not in columns:
            raise InvalidData(f"map of '{name}': the file has no column '{used}'; it has {', '.join(columns)}")
    return expression


def _time(columns: Sequence[str]) -> str | None:
    return next((column for known in _TIMES for column in columns if _plain(column) == _plain(known)), None)


def _closest(name: str, columns: Sequence[str]) -> str | None:
    alike = sorted((SequenceMatcher(None, _plain(name), _plain(column)).ratio(), column) for column in columns)
    best = [(score, column) for score, column in alike if score >= _ALIKE]
    if not best or (len(best) > 1 and best[-1][0] == best[-2][0]):
        return None
    return best[-1][1]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _require(
    workload: Workload, columns: Sequence[str], sources: Mapping[str, str | Expression], cost: Sequence[str]
) -> None:
    required = [
        feature.name
        for feature in workload.features
        if feature.required and not (feature.declaration.clock and TIME in sources)
    ]
    missing = [name for name in (*required, *cost) if name not in sources]
    if missing:
        raise InvalidData(
            f"the file has no column for {', '.join(missing)}; it has {', '.join(columns)}. "
            f"Say which it is with --map {missing[0]}=COLUMN"
        )
