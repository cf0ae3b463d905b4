"""ONNX files without the data of their weights, which say nothing of what a network costs.

The format is Protocol Buffers: a message is fields one after the other, each a key (its number and its kind) and a
value. Only the messages on the way to weights are looked into; nothing of the onnx package is needed.
"""

from collections.abc import Iterator, Mapping

_LARGEST = 4096
"""Bytes of data that stay: shapes, axes and bounds are smaller, and decide what is computed."""
_VARINT, _EIGHT, _MESSAGE, _FOUR = 0, 1, 2, 5
"""Kinds of fields: a number of as many bytes as it needs, eight bytes, anything with its length before it, four."""
_TENSOR_DATA = frozenset({4, 5, 6, 7, 9, 10, 11})
_INSIDE: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""By message, which of its fields are messages to look into (onnx.proto3)."""
_DEEPEST = 20


def without_weights(content: bytes) -> bytes:
    """An ONNX file's content without large weights; as it is, if it can't be read: the server says what is wrong."""
    try:
        return b"".join(_kept(memoryview(content), "model", 0))
    except (IndexError, ValueError):
        return content


def _kept(content: memoryview, message: str, depth: int) -> Iterator[bytes | memoryview]:
    """The parts of a message that stay."""
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    at, inside = 0, _INSIDE[message]
    while at < len(content):
        start = at
        key, at = _number(content, at)
        field, kind = key >> 3, key & 7
        if kind != _MESSAGE:
            at = _beyond(content, at, kind)
            yield content[start:at]
            continue
        length, at = _number(content, at)
        value, at = content[at : at + length], at + length
        if at > len(content):
            raise ValueError("cut off")
        if field in inside:
            shorter = b"".join(_kept(value, inside[field], depth + 1))
            yield _varint(key) + _varint(len(shorter)) + shorter
        elif message != "tensor" or field not in _TENSOR_DATA or length <= _LARGEST:
            yield content[start:at]


def _beyond(content: memoryview, at: int, kind: int) -> int:
    """Where a field without a length ends."""
    if kind == _VARINT:
        return _number(content, at)[1]
    end = at + {_EIGHT: 8, _FOUR: 4}.get(kind, len(content))
    if end > len(content):
        raise ValueError("cut off, or no such kind of field")
    return end


def _number(content: memoryview, at: int) -> tuple[int, int]:
    """A number, seven bits a byte and the lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("no number")


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
