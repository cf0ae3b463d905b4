"""Where the result goes: drafted in a hidden folder beside it, so that it appears whole; what may be replaced."""

import os
import re
import shutil
import sys
from pathlib import Path
from typing import IO, Self
from uuid import uuid4

from perfcast.errors import InvalidData, InvalidSetting, Unavailable
from perfcast.scoring._plan import input_files
from perfcast.scoring._rows import COLUMNS

SUFFIX = ".parquet"
_EARLIER = "earlier"
_GONE = ".gone"
_PART = re.compile(r"part-[0-9]{5,}\.parquet")


def part_name(number: int) -> str:
    """The name of a part of a folder."""
    return f"part-{number:05d}{SUFFIX}"


class Target:
    """The output, which nothing may be lost for.

    Args:
        path: A file, when its name ends with `.parquet`, else a folder of parts; links are followed.
        source: The input.
        overwrite: Whether an earlier output there may be replaced.

    Attributes:
        path: Its real place.
        is_file: Whether it shall be a file.
    """

    def __init__(self, path: Path, source: Path, *, overwrite: bool) -> None:
        self.path = _real(path)
        self.is_file = path.suffix == SUFFIX
        self._source, self._overwrite = source, overwrite

    def check(self) -> None:
        """Make sure that it can be written without the loss of anything but an earlier output.

        Raises:
            InvalidData: There is no input.
            InvalidSetting: It and the input lie inside each other, or something is there that may not be replaced, or
                can't be looked at.
        """
        try:
            if not self._source.exists():
                raise InvalidData(f"{self._source}: there is no such file or folder")
            self._check_apart()
            if self.path.exists():
                self._check_present()
        except OSError as error:  # too long a name, or a folder that may not be entered
            raise InvalidSetting(f"{error.filename}: {error.strerror}") from None

    def _check_apart(self) -> None:
        source = _real(self._source)
        reads = [source, *(_real(path) for path in input_files(self._source))]
        if any(_is_same(self.path, read) for read in reads):
            raise InvalidSetting("input and output are the same; the scored rows need a place of their own")
        if any(_is_same(self.path, folder) for folder in {folder for read in reads for folder in read.parents}):
            raise InvalidSetting(f"{self.path} holds the input {source}; the scored rows need a place of their own")
        if source.is_dir() and any(_is_same(source, folder) for folder in self.path.parents):
            raise InvalidSetting(f"{self.path} lies inside the input folder; the scored rows need a place outside")

    def _check_present(self) -> None:
        if not self._overwrite:
            raise InvalidSetting(f"{self.path} exists already; choose another name or add --overwrite")
        if self.is_file:
            if self.path.is_dir():
                raise InvalidSetting(f"{self.path} is a folder, which a file doesn't replace; choose another name")
            return
        if not self.path.is_dir():
            raise InvalidSetting(f"{self.path} is a file, which a folder of parts doesn't replace; choose another name")
        foreign = next((path.name for path in sorted(self.path.iterdir()) if not _is_own(path)), None)
        if foreign is not None:
            raise InvalidSetting(
                f"{self.path} holds '{foreign}', which is no part of an earlier output; a folder is replaced only "
                "where it holds nothing else: choose another name, or remove it yourself"
            )


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        raise InvalidSetting(f"{path}: its links lead in a circle") from None


def _is_same(one: Path, other: Path) -> bool:
    """Whether both names lead to the same: also where upper and lower case do, or a file has several names."""
    try:
        return one == other or one.samefile(other)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _is_own(path: Path) -> bool:
    """Whether it is a part that scoring has written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not _PART.fullmatch(path.name) or path.is_symlink() or not path.is_file():
        return False
    try:
        return tuple(pq.read_schema(path).names[-len(COLUMNS) :]) == COLUMNS
    except (OSError, pa.ArrowException):
        return False


class Draft:
    """A hidden folder beside the target, on the same disk, which is gone in the end whatever happens.

    A lock says that its process lives, so that the next run for the same target can remove what a killed one left.

    Args:
        target: Where the result goes.

    Attributes:
        file: Where to write the result, for a target that is a file.
        parts: Where to write the parts.

    Raises:
        InvalidSetting: The target's folder can't be written.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        path, name = target.path, uuid4().hex[:12]
        self._folder = path.with_name(f".{path.name}.{name}.partial")
        self.file, self.parts = self._folder / f"scored{SUFFIX}", self._folder / "parts"
        self._earlier = self._folder / _EARLIER
        unlocked = path.with_name(f".{path.name}.{name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unlocked.mkdir()
            (unlocked / self.parts.name).mkdir()
            self._lock = _locked(unlocked)
            unlocked.rename(self._folder)  # so that nobody sees it without its lock
        except OSError as error:
            shutil.rmtree(unlocked, ignore_errors=True)
            raise InvalidSetting(f"{path}: can't be written: {error.strerror} ({error.filename})") from None

    def put(self) -> None:
        """Let the result appear under its name.

        Raises:
            InvalidSetting: What is there now may not be replaced.
            Unavailable: It can't be put there.
        """
        path = self._target.path
        try:
            for file in [self.file] if self._target.is_file else sorted(self.parts.iterdir()):
                _settle(file)
            self._target.check()  # last, since the disk may take long
            if self._target.is_file:
                self.file.replace(path)
            else:
                if path.exists():
                    path.rename(self._earlier)
                self.parts.rename(path)
        except OSError as error:
            raise Unavailable(f"{path}: can't be put there: {error}") from None

    def __enter__(self) -> Self:
        self._tidy()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            _give_back(self._earlier, self._target.path)
            _remove(self._folder)

    def _tidy(self) -> None:
        """Remove the drafts for this target whose processes are dead."""
        if sys.platform == "win32":
            return
        import fcntl

        path = self._target.path
        try:
            beside = list(path.parent.iterdir())
        except OSError:  # a folder that may be written, but not listed
            return
        named = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{12}}\.partial(\.gone)?")
        for folder in beside:
            if not named.fullmatch(folder.name) or folder == self._folder:
                continue
            if folder.suffix == _GONE:
                shutil.rmtree(folder, ignore_errors=True)
                continue
            try:
                with (folder / "lock").open("r+b") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    _give_back(folder / _EARLIER, path)
                    _remove(folder)
            except OSError:  # it lives, or somebody else removes it
                continue


def _give_back(earlier: Path, path: Path) -> None:
    """Put back the output that a run had moved away when it was ended, just before it put its own there."""
    if earlier.exists() and not path.exists():
        earlier.rename(path)


def _locked(folder: Path) -> IO[bytes]:
    lock = (folder / "lock").open("w+b")
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _settle(path: Path) -> None:
    """Wait until its bytes are on the disk, so that a machine that dies leaves no name without them."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _remove(folder: Path) -> None:
    """Remove a folder in which workers may still begin files: under another name they don't find it any more."""
    away = folder.with_name(f"{folder.name}{_GONE}")
    try:
        folder.rename(away)
    except OSError:
        away = folder
    shutil.rmtree(away, ignore_errors=True)
