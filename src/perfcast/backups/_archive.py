"""A backup as a file: a tar of members, compressed, and encrypted if asked; its last member lists the others.

Nothing is ever unpacked into files: a member's name leads to a table or to a digest, or it is refused.
"""

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from perfcast.backups._encryption import MARK, decrypting, encrypting
from perfcast.backups._inventory import FORMAT, NAME, Entry, Inventory, Member, as_member, most_bytes, read_inventory
from perfcast.errors import InvalidData, InvalidSetting, Unavailable
from perfcast.files import appearing
from perfcast.storage import sha256

_FAST = 1
"""Of gzip's levels: most of a backup is compressed already."""
_PART = 2**20
_DAMAGED = (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, OverflowError)
"""What reading raises where bytes aren't those that were written."""


class Writer:
    """Adds members, and remembers them for the inventory."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.members: dict[str, Entry] = {}

    def add(self, name: str, data: bytes) -> None:
        """Add one."""
        self._write(name, data)
        self.members[name] = Entry(len(data), sha256(data))

    def end(self, inventory: Inventory) -> None:
        """Add the last one."""
        self._write(NAME, msgspec.json.encode(inventory))

    def _write(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(data), 0o600
        self._tar.addfile(member, io.BytesIO(data))


@contextmanager
def writing(path: Path, passphrase: str | None) -> Iterator[Writer]:
    """A new backup, for its owner's eyes only; it appears under its name once it is whole and on the disk.

    Raises:
        Unavailable: It can't be written.
    """
    try:
        with appearing(path, 0o600) as unfinished, unfinished.open("wb") as file, _packed(file, passphrase) as tar:
            yield Writer(tar)
    except OSError as error:
        raise Unavailable(f"{path} can't be written: {error.strerror or error}; nothing is left of it") from error


@contextmanager
def _packed(file: BinaryIO, passphrase: str | None) -> Iterator[tarfile.TarFile]:
    with ExitStack() as layers:
        out = layers.enter_context(encrypting(file, passphrase)) if passphrase is not None else file
        compressed = layers.enter_context(gzip.GzipFile(fileobj=out, mode="wb", filename="", compresslevel=_FAST))
        yield layers.enter_context(tarfile.open(fileobj=compressed, mode="w|", format=tarfile.PAX_FORMAT))


class Reader:
    """Gives a backup's members one after another, each once it is whole, and the inventory when all have been given."""

    def __init__(self, content: BinaryIO, file: BinaryIO) -> None:
        self._content, self._file = content, file
        self._seen: dict[str, Entry] = {}
        self._inventory: Inventory | None = None

    @property
    def position(self) -> int:
        """How many bytes of the file have been read."""
        return self._file.tell()

    def __iter__(self) -> Iterator[Member]:
        try:
            yield from self._members()
        except _DAMAGED as error:
            raise InvalidData(f"it is none, or it was cut or altered ({error})") from error

    def _members(self) -> Iterator[Member]:
        tar = tarfile.open(fileobj=self._content, mode="r|")  # noqa: SIM115 - closes nothing that isn't closed anyway
        for info in tar:
            if self._inventory is not None:
                raise InvalidData(f"something follows its inventory: {info.name[:100]!r}")
            data = _read(tar, info)
            if info.name == NAME:
                self._inventory = read_inventory(data)
                continue
            if info.name in self._seen:
                raise InvalidData(f"it has {info.name} twice")
            self._seen[info.name] = Entry(len(data), sha256(data))
            yield as_member(info.name, data)
        while self._content.read(_PART):
            pass  # checksums stand at the end

    @property
    def inventory(self) -> Inventory:
        """What it holds, compared with what was read.

        Raises:
            InvalidData: The two differ, or there is no inventory.
        """
        if self._inventory is None:
            raise InvalidData("its end is missing")
        if self._inventory.format != FORMAT:
            raise InvalidData(f"its format is {self._inventory.format}, this Perfcast reads {FORMAT}")
        written = self._inventory.members
        if wrong := sorted(
            name for name in written.keys() | self._seen.keys() if written.get(name) != self._seen.get(name)
        ):
            raise InvalidData(f"{len(wrong)} of its members are missing or altered, the first is {wrong[0]}")
        return self._inventory


@contextmanager
def reading(path: Path, passphrase: str | None) -> Iterator[Reader]:
    """A backup, to be read from beginning to end.

    Raises:
        InvalidData: It is none, or it is damaged; the text says how.
        InvalidSetting: It is encrypted, and there is no passphrase or another one.
    """
    try:
        with path.open("rb") as file, ExitStack() as layers:
            out: BinaryIO = file
            if file.peek(len(MARK))[: len(MARK)] == MARK:
                file.read(len(MARK))
                out = layers.enter_context(decrypting(file, _required(passphrase, path)))
            unpacked = layers.enter_context(gzip.GzipFile(fileobj=out, mode="rb"))
            yield Reader(cast(BinaryIO, unpacked), file)
    except InvalidData as error:
        raise InvalidData(_sentence(path, str(error))) from None


def _required(passphrase: str | None, path: Path) -> str:
    if passphrase is None:
        raise InvalidSetting(
            f"{path} is encrypted; set BACKUP_PASSPHRASE or name the file of its passphrase with --passphrase-file"
        )
    return passphrase


def _sentence(path: Path, why: str) -> str:
    return f"{path} can't be used as a backup: {why}; take another one"


def _read(tar: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    most = most_bytes(info.name)
    if not info.isreg() or info.issparse():
        raise InvalidData(f"its member {info.name} is no file")
    if info.size > most:
        raise InvalidData(f"its member {info.name} has {info.size:,} bytes, more than {most:,}")
    file = tar.extractfile(info)
    data = b"" if file is None else file.read()
    if len(data) != info.size:
        raise InvalidData(f"it ends within {info.name}")
    return data
