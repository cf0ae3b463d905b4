"""Which column of somebody's file is which feature: as told, by name, by an alias, or by a small slip in a name."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from perfcast.errors import InvalidData, InvalidDeclaration
from perfcast.tables._moments import Times, read_moments
from perfcast.tables._reader import TIME, TIMES, ColumnReader, Taken, plain_name, times_among
from perfcast.tables._values import ValueReader
from perfcast.workloads import TIMESTAMP, ArrayArithmetic, Expression, Refusal, Rows, Workload, evaluate, names, parse

_LONG = 5
"""Letters of a word in which one may be wrong; in shorter ones another letter makes another word (cpu, gpu; rx, tx)."""
_ALIASES: Mapping[str, Sequence[str]] = {
    TIME: TIMES[1:],
    "request_rate": ("requests per second", "requests per s", "rps", "req per s"),
    "db_connections": ("database connections",),
    "batch_size": ("batch",),
    "input_channels": ("in channels", "channels in"),
    "output_channels": ("out channels", "channels out"),
    "input_height": ("in height",),
    "input_width": ("in width",),
    "kernel_size": ("kernel",),
}


@dataclass(frozen=True)
class ColumnMap:
    """Where each of a workload's columns comes from.

    Attributes:
        sources: For each feature, the cost and `measured_at` the column taken as it is, or the expression of columns.
        how: The same in words, for people.
        ignored: Columns of the file that nothing uses.
        numbers, choices: Columns of the file that hold numbers (the cost's too), and one of several values.
    """

    sources: Mapping[str, str | Expression]
    how: Mapping[str, str]
    ignored: tuple[str, ...]
    numbers: frozenset[str]
    choices: frozenset[str]

    def columns(self, batch: Any, decimal: str, notes: Counter[str], unread: list[Refusal]) -> dict[str, Any]:
        """The columns of features, cost and `measured_at` in a batch of Arrow's; what is odd is added to the lists."""
        return {
            name: batch.column(source)
            if isinstance(source, str)
            else _computed(name, source, batch, decimal, notes, unread)
            for name, source in self.sources.items()
        }

    def with_recipe(self, refusal: Refusal) -> Refusal:
        """The refusal with what to do, where the value that it shows is a number with a mark."""
        return refusal.said(refusal.field, partial(self._advised, refusal.field))

    def _advised(self, field: str, message: str) -> str:
        source = self.sources.get(field)
        if not isinstance(source, str):
            return message
        halves = [name for name in self.ignored if _is_alias(TIME, name)] if field == TIME else []
        if halves and not message.endswith("got None"):
            return (
                f"{message}; where '{halves[0]}' and '{source}' are a date and its time, join them into one column, "
                "such as 2026-03-01T14:05:00"
            )
        if message.endswith("; give numbers"):
            return f"{message}; --map '{field}=COLUMN / 1' takes durations in seconds"
        shown = re.search(r"got '(.*)'$", message)
        if shown is None:
            return message
        column = source if source.isidentifier() else f"`{source}`"
        recipes = {
            r".*\d\s*%": f"--map '{field}={column} / 100' takes the number before the %",
            r"[\d.]+m": f"--map '{field}=1 * {column}' takes m as thousandths: 450m is 0.45",
            r"[+-]?\d{1,3}[.,]\d{3}": "this can be thousands or decimals; write it without a mark between thousands",
        }
        return next(
            (f"{message}; {recipe}" for pattern, recipe in recipes.items() if re.fullmatch(pattern, shown[1])), message
        )


class _Exactly(ArrayArithmetic):
    """In double precision: seconds since 1970 don't fit into float32."""

    def constant(self, value: float) -> Any:
        return np.asarray(value, dtype=np.float64)


def _computed(
    field: str, source: Expression, batch: Any, decimal: str, notes: Counter[str], unread: list[Refusal]
) -> npt.NDArray[np.float64]:
    """float64 [rows]; NaN where a column has no number."""
    used = {}
    for name in dict.fromkeys(names(source)):
        wrong: list[Refusal] = []
        reader = ValueReader(name, "s", None, decimal, notes, arithmetic=True)
        used[name] = reader.read(batch.column(name), wrong).astype(np.float64)
        unread += [bad.said(field, partial(_of_column, name)) for bad in wrong]
    return np.array(np.broadcast_to(evaluate(source, used, _Exactly()), batch.num_rows), dtype=np.float64)


def _of_column(name: str, message: str) -> str:
    return f"column '{name}': {message}"


def map_columns(
    workload: Workload, columns: Sequence[str], told: Mapping[str, str], *, measured: bool = True
) -> ColumnMap:
    """Find each of the workload's columns; the cost, where rows are measured, is never guessed.

    Args:
        workload: Whose columns are wanted.
        columns: The file's.
        told: By the name of a feature, the cost or `measured_at` (also called `timestamp`): a column's name, or
            arithmetic (`requests / 60`).
        measured: Whether the rows' costs are wanted.

    Raises:
        InvalidData: `told` names something unknown, a column that is required can't be found, or several are alike.
    """
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise InvalidData(f"there are several columns '{twice[0]}'; each needs a name of its own")
    cost = workload.cost.name
    wanted = (*workload.feature_names, cost, TIME)
    sources: dict[str, str | Expression] = {}
    how: dict[str, str] = {}
    for known, text in told.items():
        name = TIME if known == TIMESTAMP and known not in wanted else known  # as predictions call it
        if name not in wanted:
            raise InvalidData(f"'{known}' is neither a feature nor the cost of {workload.name}: {', '.join(wanted)}")
        sources[name], how[name] = _told(name, text, columns), f"{text} (as told)"
    for likeness, word in ((_is_same, ""), (_is_alias, " (alias)"), (_is_slip, " (closest name: please check)")):
        for name in wanted:
            if name in sources or (name == cost and likeness is _is_slip):
                continue
            free = [column for column in columns if column not in _used(sources)]
            found = [column for column in free if likeness(name, column)]
            found = times_among(found)[:1] if name == TIME and likeness is _is_alias else found
            if len(found) > 1 and likeness is _is_alias and (measured or name != cost):
                raise InvalidData(
                    f"'{name}' can be any of the columns {', '.join(found)}; say which with --map '{name}={found[0]}'"
                )
            if len(found) == 1:
                sources[name], how[name] = found[0], f"{found[0]}{word}"
    _require(workload, columns, sources, (cost,) if measured else ())
    used = numbers = _used(sources)
    if cost in sources and not measured:  # it only says how numbers are written, as it does to an import
        del sources[cost]
        used = _used(sources)
    ordered = {name: how[name] for name in wanted if name in sources}
    chosen = {feature.name for feature in workload.features if feature.declaration.values}
    choices = {source for name, source in sources.items() if name in chosen and isinstance(source, str)}
    ignored = tuple(column for column in columns if column not in used)
    other = choices | {source for source in [sources.get(TIME)] if isinstance(source, str)}
    return ColumnMap(sources, ordered, ignored, frozenset(numbers - other), frozenset(choices))


def _used(sources: Mapping[str, str | Expression]) -> set[str]:
    """The columns that have a use already: none is taken for a second feature by the likeness of its name."""
    return {used for source in sources.values() for used in ([source] if isinstance(source, str) else names(source))}


def _told(name: str, text: str, columns: Sequence[str]) -> str | Expression:
    if text in columns:
        return text
    try:
        expression = parse(text)
    except InvalidDeclaration as error:
        raise InvalidData(f"map of '{name}': {error}{_quoting(text, columns)}") from None
    for used in names(expression):
        if used not in columns:
            raise InvalidData(
                f"map of '{name}': the file has no column '{used}'; it has {', '.join(columns)}"
                f"{_quoting(text, columns)}"
            )
    return expression


def _quoted(columns: Sequence[str]) -> str:
    """How to name columns to a shell whose names aren't single words."""
    odd = [column for column in columns if " " in column]
    return f", names of several words in quotation marks: --map FEATURE='{odd[0]}'" if odd else ""


def _quoting(text: str, columns: Sequence[str]) -> str:
    """How to name columns whose names aren't single words."""
    alike = [column for column in columns if plain_name(column) == plain_name(text)]
    if alike:
        return f"; did you mean '{alike[0]}'?"
    odd = [column for column in columns if not column.isidentifier() and column in text]
    return f"; put a name that isn't one word in backticks: `{odd[0]}`" if odd else ""


def _is_same(name: str, column: str) -> bool:
    return name == column


def _is_alias(name: str, column: str) -> bool:
    """Whether it is the same name written otherwise, or a known other name."""
    return plain_name(column) in {plain_name(known) for known in (name, *_ALIASES.get(name, ()))}


def _is_slip(name: str, column: str) -> bool:
    """Whether one letter of one long word, not the first, is wrong, missing or too many.

    Nothing more: `inactive_users`, `gpu_utilization`, `tx_bytes` or `p95` are other quantities than their likes.
    """
    ours, theirs = _words(name), _words(column)
    other = [(a, b) for a, b in zip(ours, theirs, strict=False) if a != b]
    return len(ours) == len(theirs) and len(other) == 1 and _one_letter_off(*other[0])


def _one_letter_off(one: str, other: str) -> bool:
    if max(len(one), len(other)) < _LONG or one[0] != other[0] or abs(len(one) - len(other)) > 1:
        return False
    begin = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rests = (one[begin:], other[begin:])
    swapped = rests[0][:2] == rests[1][:2][::-1] and rests[0][2:] == rests[1][2:]
    short, long = sorted(rests, key=len)
    letters = not re.search(r"\d", one[begin : begin + 1] + other[begin : begin + 1])
    return letters and (swapped or (short[1:] if len(short) == len(long) else short) == long[1:])


def _words(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word]


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
            f"Say which it is with {' '.join(f'--map {name}=COLUMN' for name in missing)}{_quoted(columns)}"
        )


class BatchReader:
    """Reads batches of a file whose columns were mapped; times without an offset are in the zone."""

    def __init__(self, workload: Workload, columns: ColumnMap, zone: tzinfo) -> None:
        self._workload, self._columns, self._zone = workload, columns, zone
        self._reader = ColumnReader(workload, zone)
        clocks = [feature.name for feature in workload.features if feature.declaration.clock]
        self._timed = TIME in columns.sources and any(name not in columns.sources for name in clocks)

    def read(self, batch: Any, decimal: str, *, measured: bool) -> tuple[Taken, Rows | None, Times | None]:
        """Some rows, their costs where measured, and when that was.

        Args:
            batch: Arrow's.
            decimal: What stands before decimals in its texts.
            measured: Whether costs and times are wanted; else times only where features come from them.
        """
        notes, unread = Counter[str](), list[Refusal]()
        columns = self._columns.columns(batch, decimal, notes, unread)
        column, cost = columns.pop(TIME, None), columns.pop(self._workload.cost.name, None)
        times = None
        if column is not None and (measured or self._timed):
            times = read_moments(TIME, column, self._zone)
        taken, costs = self._reader.take(columns, times, cost, decimal=decimal)
        others = (self._columns.with_recipe(refusal.without(unread)) for refusal in taken.refusals)
        refusals = [*unread, *(refusal for refusal in others if len(refusal.rows))]
        return Taken(taken.rows, refusals, taken.notes + notes), costs, times


def check_kinds(schema: Any, used: Iterable[str]) -> None:
    """Refuse columns that can't hold a number, a text or a time.

    Raises:
        InvalidData: One is such.
    """
    import pyarrow as pa

    unreadable = (
        pa.types.is_nested,
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_binary_view,
        pa.types.is_fixed_size_binary,
        pa.types.is_decimal256,
        lambda kind: isinstance(kind, pa.BaseExtensionType),
    )
    for name in used:
        kind = schema.field(name).type
        inner = kind.value_type if pa.types.is_dictionary(kind) else kind
        if any(is_such(inner) for is_such in unreadable):
            raise InvalidData(f"column '{name}' holds {kind}, where numbers, texts or times are expected")
