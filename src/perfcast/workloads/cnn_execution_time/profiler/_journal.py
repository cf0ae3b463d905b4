"""The append-only record of a profiling run, from which it resumes and from which data sets are written.

One JSON object a line: a header, the configurations (once, more when a run is extended) and one line for each
measured block. A line is on disk before the next block starts; a torn last line is ignored and cut off.
"""

import fcntl
import os
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field
from itertools import starmap
from pathlib import Path
from typing import Any, BinaryIO, Self

import msgspec

from perfcast.errors import Conflict, InvalidData

from ._configurations import ConvConfig
from ._fingerprint import Fingerprint

SUFFIX = ".journal.jsonl"
_LONGEST_HEADER = 1 << 16


class Block(msgspec.Struct, frozen=True):
    """Some configurations measured one after another, with the sentinel measured before them."""

    round: int  # number of the round, from 1
    at: str  # ISO 8601 UTC time of the block's end
    sentinel_ms: float  # the sentinel convolution's time just before the block, in ms
    rows: tuple[tuple[int, float], ...]  # (index of the configuration, ms per call)
    failed: tuple[tuple[int, str], ...] = ()  # (index of the configuration, reason it can't be measured)
    seconds: float = 0.0  # how long the block took
    paths: tuple[tuple[int, str], ...] = ()  # (index of the configuration, which way the runtime takes), once each


class Addition(msgspec.Struct, frozen=True, omit_defaults=True):
    """Configurations that were added together."""

    configurations: tuple[tuple[int | str, ...], ...]  # each its values; of convolutions, ten in older journals
    command: str = ""  # the command that added them
    guide: str = ""  # the model whose doubts chose them, if one did


@dataclass(slots=True)
class JournalContents:
    """All that a journal holds; `configuration` is the class of its configurations."""

    configuration: type[Any] = ConvConfig
    header: dict[str, Any] = field(default_factory=dict)
    configurations: list[Any] = field(default_factory=list)
    additions: list[Addition] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(**self.header["fingerprint"])

    def take(self, addition: Addition) -> None:
        self.additions.append(addition)
        self.configurations += starmap(self.configuration, addition.configurations)


def read_journal(path: Path, configuration: type[Any] = ConvConfig) -> JournalContents:
    """Read a journal up to its last whole line.

    Raises:
        InvalidData: A whole line is not what a profiler writes.
    """
    contents = JournalContents(configuration)
    for number, line in enumerate(_whole_lines(path.read_bytes()), start=1):
        _read_line(path, number, line, contents)
    return contents


def read_header(path: Path) -> dict[str, Any]:
    """What a journal begins with; nothing where it has no whole line.

    Raises:
        InvalidData: It is not what a profiler writes.
    """
    contents = JournalContents()
    for line in _whole_lines(path.read_bytes()[:_LONGEST_HEADER]):
        _read_line(path, 1, line, contents)
        break
    return contents.header


def _read_line(path: Path, number: int, line: bytes, contents: JournalContents) -> None:
    try:
        _take_line(contents, msgspec.json.decode(line))
    except (msgspec.MsgspecError, TypeError) as error:
        message = f"{path}, line {number}, is no line of a profiler's journal ({error!r}); move the file away"
        raise InvalidData(message) from error


def _take_line(contents: JournalContents, entry: dict[str, Any]) -> None:
    if "header" in entry:
        contents.header = entry["header"]
    elif "configurations" in entry:
        contents.take(msgspec.convert(entry, Addition))
    else:
        contents.blocks.append(msgspec.convert(entry, Block))


class Journal:
    """A journal open for appending by this process alone."""

    def __init__(self, path: Path, file: BinaryIO, contents: JournalContents) -> None:
        self.path = path
        self.contents = contents
        self._file = file

    @classmethod
    def open(cls, path: Path, header: dict[str, Any], configuration: type[Any] = ConvConfig) -> Self:
        """Open a journal, creating it with a header if it does not exist or is empty.

        Raises:
            Conflict: Another process has it open.
            InvalidData: It holds a line that no profiler wrote.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise Conflict(f"{path} is being written by another profiler; wait or stop it") from error
        file.truncate(sum(map(len, _whole_lines(path.read_bytes()))))
        journal = cls(path, file, read_journal(path, configuration))
        if not journal.contents.header:
            journal._append({"header": header})
            journal.contents.header = header
        return journal

    def add_configurations(self, configurations: Sequence[Any], command: str, *, guide: str = "") -> None:
        """Their indices go on from those already there."""
        addition = Addition(tuple(map(astuple, configurations)), command, guide)
        self._append(addition)
        self.contents.take(addition)

    def add_block(self, block: Block) -> None:
        self._append(block)
        self.contents.blocks.append(block)

    def close(self) -> None:
        """Close the file, which lets others open it."""
        self._file.close()

    def _append(self, entry: object) -> None:
        self._file.write(msgspec.json.encode(entry) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _whole_lines(data: bytes) -> Iterable[bytes]:
    """The lines that end with a newline, with their newlines."""
    return (line for line in data.splitlines(keepends=True) if line.endswith(b"\n"))
