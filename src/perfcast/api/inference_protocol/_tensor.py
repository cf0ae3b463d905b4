"""Tensors and their two forms: a list in JSON, or little-endian bytes."""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf, prod
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from perfcast.errors import InvalidInput

BYTES = "BYTES"
DTYPES: Mapping[str, np.dtype[Any]] = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
"""The protocol's datatypes of fixed size; `BYTES`, texts of any length, stands beside them."""
_ELEMENTS: Mapping[str, type] = {"b": bool, "i": int, "u": int, "f": float, "O": str}
_MEANINGS = {bool: "true or false", int: "whole numbers", float: "finite numbers", str: "texts"}
wrong = InvalidInput.of


@dataclass(frozen=True)
class Tensor:
    """A named array of one of `DTYPES`, of any shape; of texts (objects) for `BYTES`."""

    name: str
    datatype: str
    values: npt.NDArray[Any]

    def to_bytes(self) -> bytes:
        """Little-endian, row after row, without gaps; each text with its length (4 bytes) before it."""
        if self.datatype != BYTES:
            return self.values.astype(DTYPES[self.datatype], copy=False).tobytes()
        texts = [str(text).encode() for text in self.values.ravel()]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)

    def to_list(self) -> list[Any]:
        """The elements row after row, as JSON has them; each float in the fewest digits that give it back."""
        flat = self.values.ravel()
        if flat.dtype == np.float32:
            flat = flat.astype(np.str_).astype(np.float64)
        elements: list[Any] = flat.tolist()
        return elements


def from_bytes(name: str, datatype: str, shape: Sequence[int], data: memoryview) -> Tensor:
    """The tensor that lies in these bytes.

    Raises:
        InvalidInput: There are too few or too many of them, or a text isn't UTF-8.
    """
    dtype = _dtype(name, datatype)
    if datatype == BYTES:
        texts = np.empty(_count(name, shape, len(data) // 4), dtype=object)
        texts[:] = list(_texts(name, data, len(texts)))
        return Tensor(name, datatype, texts.reshape(shape))
    expected = prod(shape) * dtype.itemsize
    if expected != len(data):
        raise wrong(name, f"shape {list(shape)} of {datatype} takes {expected:,} bytes, got {len(data):,}")
    return Tensor(name, datatype, np.frombuffer(data, dtype=dtype).reshape(shape))


def from_json(name: str, datatype: str, shape: Sequence[int], data: object) -> Tensor:
    """The tensor that a JSON list holds, flat or nested as its shape.

    Raises:
        InvalidInput: It holds other elements, or too few or too many of them.
    """
    dtype = _dtype(name, datatype)
    elements = _elements(name, datatype, data)
    _count(name, shape, len(elements), exactly=True)
    try:
        with np.errstate(over="ignore"):  # what becomes infinite is refused with its row
            values = np.array(elements, dtype=dtype)
    except OverflowError:
        raise wrong(name, f"holds a number that {datatype} can't hold") from None
    return Tensor(name, datatype, values.reshape(shape))


def check_elements(name: str, datatype: str, data: object) -> None:
    """Refuse a list, flat or of rows, by the first element that its datatype can't hold."""
    kind = _ELEMENTS[_dtype(name, datatype).kind]
    for row, item in enumerate(data if isinstance(data, list) else []):
        for column, element in enumerate(item if isinstance(item, list) else [item]):
            if not _fits(element, kind):
                place = f"[{row}][{column}]" if isinstance(item, list) else f"[{row}]"
                told = f"'data'{place} is {json.dumps(element)[:40]}, but {datatype} holds {_MEANINGS[kind]}"
                raise wrong(name, f"{told} (places are counted from 0)")


def _dtype(name: str, datatype: str) -> np.dtype[Any]:
    if datatype == BYTES:
        return np.dtype(object)
    dtype = DTYPES.get(datatype)
    if dtype is None:
        raise wrong(name, f"datatype must be one of {', '.join(DTYPES)}, {BYTES}")
    return dtype


def _count(name: str, shape: Sequence[int], given: int, *, exactly: bool = False) -> int:
    """The number of elements of that shape, which can't be more than were given."""
    expected = prod(shape)
    if expected > given or (exactly and expected != given):
        raise wrong(name, f"shape {list(shape)} takes {expected:,} elements, got {given:,}")
    return expected


def _elements(name: str, datatype: str, data: object) -> list[Any]:
    """The list's elements, row after row."""
    kind: Any = _ELEMENTS[_dtype(name, datatype).kind]
    with suppress(msgspec.ValidationError):
        flat: list[Any] = msgspec.convert(data, list[kind])
        return flat
    with suppress(msgspec.ValidationError):
        return [element for row in msgspec.convert(data, list[list[kind]]) for element in row]
    check_elements(name, datatype, data)
    raise wrong(name, f"'data' must be a list, or a list of rows, of {_MEANINGS[kind]}")


def _fits(element: object, kind: type) -> bool:
    if kind is float:
        return type(element) in (int, float) and abs(element) < inf  # type: ignore[arg-type]
    return type(element) is kind or (kind is int and isinstance(element, float) and element.is_integer())


def _texts(name: str, data: memoryview, count: int) -> Iterator[str]:
    position = 0
    for _ in range(count):
        begin = position + 4
        position = begin + (struct.unpack_from("<I", data, position)[0] if begin <= len(data) else 0)
        if position > len(data) or begin > len(data):
            raise wrong(name, f"its bytes end before its {count:,} elements do")
        try:
            yield str(data[begin:position], "utf-8")
        except UnicodeDecodeError:
            raise wrong(name, "an element is not UTF-8 text") from None
    if position != len(data):
        raise wrong(name, f"{len(data) - position:,} bytes are left after its {count:,} elements")
