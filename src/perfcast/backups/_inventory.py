"""What is in a backup: its last member, `inventory.json`, written when all the others are."""

import re
from collections.abc import Mapping
from typing import Annotated

import msgspec

from perfcast.errors import InvalidData

FORMAT = 1
"""Of the members and of this file; a change that older code can't read raises it."""
FOLDER = f"perfcast-backup-{FORMAT}"
NAME = f"{FOLDER}/inventory.json"
_DIGEST = "[0-9a-f]{64}"
_MEMBER = re.compile(rf"{FOLDER}/(?:artifacts/(?P<digest>{_DIGEST})|database/(?P<table>[a-z_]{{1,64}})/[0-9]{{6,9}})")

_MiB = 2**20
_MOST = {"artifacts": 2**31, "database": 512 * _MiB, "inventory.json": 256 * _MiB}
"""Most bytes of a member, by the word after the folder."""


class Entry(msgspec.Struct, frozen=True):
    """A member's length in bytes and sha256."""

    bytes: Annotated[int, msgspec.Meta(ge=0)]
    sha256: str


class Inventory(msgspec.Struct, frozen=True):
    """What a backup holds.

    Attributes:
        format: `FORMAT` of who wrote it.
        perfcast: Its version.
        migration: The last one that was run on the database.
        made_at: When the database was as the backup has it: ISO 8601, UTC.
        rows: How many of each table.
        members: Each of the others by its name.
        missing: Digests of bytes that the database names and that weren't there, or were altered.
    """

    format: int
    perfcast: str
    migration: str
    made_at: str
    rows: Mapping[str, int]
    members: Mapping[str, Entry]
    missing: tuple[str, ...] = ()

    @property
    def artifacts(self) -> int:
        """How many graphs and datasets there are."""
        return sum(name.startswith(f"{FOLDER}/artifacts/") for name in self.members)


class Member(msgspec.Struct, frozen=True):
    """One of a backup's files; `digest` names a graph or a dataset, else these are rows of `table`."""

    name: str
    data: bytes
    digest: str = ""
    table: str = ""


def artifact_name(digest: str) -> str:
    """Where a graph or a dataset stands."""
    return f"{FOLDER}/artifacts/{digest}"


def rows_name(table: str, number: int) -> str:
    """Where a part of a table stands."""
    return f"{FOLDER}/database/{table}/{number:06}"


def most_bytes(name: str) -> int:
    """The bound of a member's length.

    Raises:
        InvalidData: No member is called so.
    """
    if name != NAME and not _MEMBER.fullmatch(name):
        raise InvalidData(f"it has a member {name[:100]!r}, which no backup of format {FORMAT} has")
    return _MOST[name.split("/")[1]]


def as_member(name: str, data: bytes) -> Member:
    """A member whose name `most_bytes` has let pass."""
    found = _MEMBER.fullmatch(name)
    return Member(name, data, found["digest"] or "" if found else "", found["table"] or "" if found else "")


def read_inventory(data: bytes) -> Inventory:
    """An inventory from its bytes.

    Raises:
        InvalidData: They are none.
    """
    try:
        return msgspec.json.decode(data, type=Inventory)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidData(f"its inventory can't be read: {error}") from None
