"""One workload's features, from JSON to a row of numbers."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Annotated, Any

import msgspec

from perfcast.errors import InvalidInput
from perfcast.tables import ColumnReader
from perfcast.workloads import EXACT, TIMESTAMP, Feature, RowReader, Workload

BESIDE: tuple[tuple[str, Any, Any], ...] = (
    ("model_name", str | None, None),
    ("coverage", float | None, None),
    ("device", str | None, None),
)
"""What may stand beside the features in a body, as `msgspec.defstruct` takes it."""
ENVELOPE = tuple(name for name, _, _ in BESIDE)


class Reader:
    """Reads features, quickly where they are as declared, and otherwise naming all that is wrong.

    A struct type made from the workload lets msgspec check types and bounds while it parses. Whatever that refuses goes
    to `RowReader`, which accepts a little more (3.0 for an integer, `timestamp` for the clock features) and explains.

    Args:
        workload: Whose features to read.
        zone: Time zone in which a `timestamp` becomes time features.
    """

    def __init__(self, workload: Workload, zone: tzinfo) -> None:
        self.workload = workload
        self.wrapper = workload.declaration.wrapper
        self.names = frozenset(workload.feature_names)
        self.accepted = self.names | ({TIMESTAMP} if any(f.declaration.clock for f in workload.features) else set())
        self._required = frozenset(feature.name for feature in workload.features if feature.required)
        self._rows = RowReader(workload, zone)
        self.columns = ColumnReader(workload, zone)
        self._width = len(workload.features)
        self._codes = _codes(workload)
        self._ruled = bool(workload.rules)
        fields = [_field(feature) for feature in workload.features]
        self.nested = msgspec.json.Decoder(_struct(workload.name, fields))
        beside = [(name, Any, None) for name in ENVELOPE if name not in self.names]
        self.flat = msgspec.json.Decoder(_struct(workload.name, [*fields, *beside]))

    def decode(self, features: msgspec.Raw) -> Sequence[float]:
        """The row in a JSON object of features.

        Raises:
            msgspec.MsgspecError: It is not quite as declared; `read` tells.
            InvalidInput: The values break a rule together.
        """
        return self.row(self.nested.decode(features))

    def row(self, struct: Any) -> Sequence[float]:
        """The row in what `flat` decoded.

        Raises:
            msgspec.ValidationError: A choice has none of its values.
            InvalidInput: The values break a rule together.
        """
        row: Any = msgspec.structs.astuple(struct)[: self._width]
        if self._codes:
            row = self._encoded(row)
        if None in row:
            row = self._rows.fill(row)
        if self._ruled and (broken := self._rows.broken_rules(row)):
            raise InvalidInput(broken)
        values: Sequence[float] = row
        return values

    def read(self, features: Mapping[str, object]) -> Sequence[float]:
        """The row in a mapping.

        Raises:
            InvalidInput: Names every field that is wrong.
        """
        return self._rows.read(features)

    def fits(self, names: frozenset[str]) -> bool:
        """Whether there are names, and this workload knows every one."""
        return bool(names) and names <= self.accepted

    def likeness(self, names: frozenset[str]) -> tuple[int, int]:
        """How well these names fit this workload: greater is better, (0, 0) where none is known."""
        known = len(names & self.accepted)
        return known, -len(names - self.accepted) - len(self._required - names) if known else 0

    def _encoded(self, row: tuple[Any, ...]) -> list[Any]:
        values = list(row)
        for position, codes in self._codes:
            if values[position] is not None:
                code = codes.get(values[position])
                if code is None:
                    raise msgspec.ValidationError(f"{self.workload.feature_names[position]} is none of its values")
                values[position] = code
        return values


def _struct(name: str, fields: Sequence[tuple[str, Any, Any] | tuple[str, Any]]) -> type[msgspec.Struct]:
    return msgspec.defstruct(name.replace("-", "_"), fields, kw_only=True, forbid_unknown_fields=True, gc=False)


def _field(feature: Feature) -> tuple[str, Any, Any] | tuple[str, Any]:
    kind = _type(feature)
    return (feature.name, kind) if feature.required else (feature.name, kind | None, None)


def _type(feature: Feature) -> Any:
    if feature.declaration.type == "choice":
        return str | int | float
    if feature.whole:  # beyond EXACT, `RowReader` looks whether float32 can hold it
        low, high = max(feature.minimum, -EXACT), min(feature.maximum, EXACT)
        return Annotated[int, msgspec.Meta(ge=int(low), le=int(high))]
    return Annotated[float, msgspec.Meta(ge=feature.minimum, le=feature.maximum)]


def _codes(workload: Workload) -> list[tuple[int, Mapping[object, float]]]:
    """For each choice, its position in the row and the number of each of its values."""
    return [(at, feature.codes) for at, feature in enumerate(workload.features) if feature.declaration.values]
