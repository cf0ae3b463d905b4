"""Cutting a long JSON list into short ones, so that no single call holds the interpreter for long."""

import re
from collections.abc import Iterator

_BLANK = b" \t\r\n"


def pieces(text: bytes | bytearray | memoryview, separator: re.Pattern[bytes], size: int) -> Iterator[bytes]:
    """The text of a JSON list as shorter lists; joined, they are the list.

    The cut is where the separator's comma is, and may fall into a string or an inner list. If it does, a piece is no
    JSON. Whenever each piece is a list by itself, their joined items are the list's items, by JSON's grammar.

    Args:
        text: JSON text; where it isn't in brackets, it is given back whole.
        separator: What stands between two items, with one comma.
        size: Least bytes of a piece.
    """
    view = memoryview(text)
    begin, end = 0, len(view)
    while begin < end and view[begin] in _BLANK:
        begin += 1
    while end > begin and view[end - 1] in _BLANK:
        end -= 1
    if end - begin < 2 or view[begin] != 0x5B or view[end - 1] != 0x5D:
        yield bytes(view)
        return
    begin, end = begin + 1, end - 1
    while (match := separator.search(view, min(begin + size, end), end)) is not None:
        comma = match.start() + match.group().index(b",")
        yield b"[" + view[begin:comma] + b"]"
        begin = comma + 1
    yield b"[" + view[begin:end] + b"]"
