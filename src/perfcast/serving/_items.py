"""A list of `/predict` bodies of one workload, all read at once."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from perfcast.manifest import COVERAGES, DEFAULT_COVERAGE
from perfcast.serving._reader import BESIDE, Reader

FEATURES = "features"


class Items(NamedTuple):
    """What many bodies ask.

    Attributes:
        asked: For each the model reference, None for the workload's default model, and the coverage.
        rows: float64 [bodies, features], defaults filled in.
    """

    asked: list[tuple[str | None, float]]
    rows: npt.NDArray[np.float64]


class ItemReader:
    """Reads lists whose bodies are all right and all of one form: 1 µs a body, where `BodyReader` takes 5.

    Args:
        reader: Of the workload that the bodies are about.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        places = [reader.wrapper, FEATURES] if reader.wrapper else [FEATURES]
        self._forms: tuple[tuple[str | None, msgspec.json.Decoder[Any]], ...] = (
            (None, msgspec.json.Decoder(list[reader.flat.type])),  # type: ignore[name-defined]
            *((place, msgspec.json.Decoder(list[_item(place, reader)])) for place in places),  # type: ignore[misc]
        )
        self._readable = not reader.workload.indicators and not any(
            feature.declaration.values for feature in reader.workload.features
        )
        self._stray_device = "device" not in reader.names

    def read(self, bodies: bytes) -> Items | None:
        """Read a JSON list; None where some body needs to be looked at by itself."""
        if not self._readable:
            return None
        for form in self._forms:  # replaced as a whole, since several threads may read
            place, decoder = form
            try:
                items = decoder.decode(bodies)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            self._forms = (form, *(other for other in self._forms if other is not form))  # the next is alike
            return self._items(items, place)
        return None

    def _items(self, items: Sequence[Any], place: str | None) -> Items | None:
        asked = [(item.model_name, DEFAULT_COVERAGE if item.coverage is None else item.coverage) for item in items]
        if self._stray_device and any(item.device is not None for item in items):
            return None
        if any(coverage not in COVERAGES for _, coverage in set(asked)):
            return None
        if not all(name is None or isinstance(name, str) for name, _ in set(asked)):
            return None
        width = len(self.reader.workload.features)
        values = [msgspec.structs.astuple(item if place is None else getattr(item, place))[:width] for item in items]
        rows = np.array(values, dtype=np.float64).reshape(len(items), width)
        self.reader.columns.fill(rows)
        return Items(asked, rows) if self.reader.columns.keeps_rules(rows.astype(np.float32)) else None


def _item(place: str, reader: Reader) -> type[msgspec.Struct]:
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [(place, reader.nested.type), *BESIDE]
    return msgspec.defstruct("Item", fields, forbid_unknown_fields=True, kw_only=True, gc=False)
