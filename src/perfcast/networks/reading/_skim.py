"""An ONNX file without the data of its weights, taken from its bytes: what is left out is never read.

A file of 240 MB holds 0.2 MB of nodes and shapes. Its encoding is Protocol Buffers': a message is fields, each a key
(number · 8 + wire type) and a value, which for messages and bytes is a length and so many bytes
(https://protobuf.dev/programming-guides/encoding).
"""

from collections.abc import Iterator, Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TypeAlias

LARGEST_DATA = 2048
"""Bytes of data that are kept of a tensor."""
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5
_Parts: TypeAlias = "Mapping[int, _Parts | None]"
# By field numbers of the published onnx.proto: messages to look into, and None for what is left out if it is large.
_TENSOR: _Parts = dict.fromkeys((4, 5, 7, 9, 10, 11))
_SPARSE: _Parts = {1: _TENSOR, 2: _TENSOR}
_NODE: _Parts = {5: {5: _TENSOR, 22: _SPARSE}}
_MODEL: _Parts = {7: {1: _NODE, 5: _TENSOR, 15: _SPARSE}}


def skim(source: Path | bytes) -> bytes:
    """The file without the data of large tensors, whose shapes stay.

    Raises:
        ValueError: It isn't a file of Protocol Buffers.
        OSError: It can't be read.
    """
    if isinstance(source, bytes):
        return _without(source, 0, len(source), _MODEL)
    with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        return _without(data, 0, len(data), _MODEL)


def _without(data: bytes | mmap, at: int, end: int, parts: _Parts) -> bytes:
    """A message, from `at` to `end`, without what `parts` leaves out."""
    found = list[bytes]()
    for number, start, value, after in _fields(data, at, end):
        if after - value <= LARGEST_DATA or number not in parts:
            found.append(data[start:after])
        elif (inner := parts[number]) is not None:
            message = _without(data, value, after, inner)
            found.extend((_varint(number << 3 | _LENGTH), _varint(len(message)), message))
    return b"".join(found)


def _fields(data: bytes | mmap, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Of each field its number, where it starts, where its value starts, and where it ends."""
    while at < end:
        start = at
        key, at = _number(data, at, end)
        kind, value = key & 7, at
        if kind == _VARINT:
            _, at = _number(data, at, end)
        elif kind == _LENGTH:
            length, value = _number(data, at, end)
            at = value + length
        elif kind in {_EIGHT, _FOUR}:
            at += 8 if kind == _EIGHT else 4
        else:
            raise ValueError(f"no wire type {kind}")
        if at > end:
            raise ValueError("a field is cut off")
        yield (key >> 3 if kind == _LENGTH else 0), start, value, at


def _number(data: bytes | mmap, at: int, end: int) -> tuple[int, int]:
    """A variable-length number, and where it ends."""
    number = 0
    for shift in range(0, 64, 7):
        if at >= end:
            break
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise ValueError("a number is cut off")


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
