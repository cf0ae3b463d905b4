"""What an Arrow stream says of its messages, looked at before any of them is unpacked.

A compressed message of some kilobytes may unpack to gigabytes, and PyArrow has no bound for it. Whether one is
compressed stands in its head, a FlatBuffer: tables whose first four bytes point back to a list of where each field lies
(Arrow's format/Message.fbs and FlatBuffers' "Internals").
"""

import struct

import pyarrow as pa

from perfcast.errors import InvalidInput

_VERSION, _KIND, _HEAD = 0, 1, 2
"""Fields of a message: of the format, what its head is, and the head."""
_V5 = 4
"""Since Arrow 1.0; before that, compression was said in a message's metadata."""
_DICTIONARY, _BATCH = 2, 3
"""Kinds of heads."""
_INSIDE = 1
"""Field of a dictionary's head: the record batch that it is made of."""
_COMPRESSION = 3
"""Field of a record batch."""


def refuse_compressed(stream: pa.Buffer) -> None:
    """Refuse a stream of which any message is compressed.

    Raises:
        InvalidInput: One is, or its head can't be read.
        pa.ArrowException: It is no stream.
    """
    for message in pa.ipc.MessageReader.open_stream(stream):
        try:
            compressed = is_compressed(message.metadata.to_pybytes())
        except struct.error:
            raise InvalidInput.of("body", "a message of the stream has no readable head") from None
        if compressed:
            told = "the stream is compressed, and none is unpacked; write it without compression, by Arrow 1.0 or newer"
            raise InvalidInput.of("body", told)


def is_compressed(head: bytes) -> bool:
    """Whether the message with this head is compressed, or so old that it may say so elsewhere.

    Raises:
        struct.error: It is no head.
    """
    message = _target(head, 0)
    version_at = _field(head, message, _VERSION)
    version = struct.unpack_from("<h", head, version_at)[0] if version_at is not None else 0
    kind_at, at = _field(head, message, _KIND), _field(head, message, _HEAD)
    kind = head[kind_at] if kind_at is not None and kind_at < len(head) else 0
    if kind not in (_DICTIONARY, _BATCH) or at is None:
        return False
    if version < _V5:
        return True
    batch = _target(head, at)
    if kind == _DICTIONARY:
        inside = _field(head, batch, _INSIDE)
        if inside is None:
            return False
        batch = _target(head, inside)
    return _field(head, batch, _COMPRESSION) is not None


def _target(head: bytes, at: int) -> int:
    """Where the table lies that is pointed to from there."""
    (distance,) = struct.unpack_from("<I", head, at)
    return at + int(distance)


def _field(head: bytes, table: int, number: int) -> int | None:
    """Where a field of a table lies; None where the table hasn't it."""
    (back,) = struct.unpack_from("<i", head, table)
    listed = table - int(back)
    if listed < 0:
        raise struct.error("it points before the beginning")
    (size,) = struct.unpack_from("<H", head, listed)
    place = 4 + 2 * number
    if place >= size:
        return None
    (offset,) = struct.unpack_from("<H", head, listed + place)
    return table + int(offset) if offset else None
