"""Looking through a folder for model files and what lies beside them; nothing is opened."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path, PurePosixPath

from perfcast.discovery._naming import Naming, age, is_model, naming
from perfcast.errors import InvalidSetting, Refused

HINTS = "model.yaml"
"""Beside a model, names its inputs."""
_POINTER = b"version https://git-lfs.github.com/spec/"
LARGEST_FILE = 1_000_000_000
"""Bytes that a model's file may have."""

Stamp = tuple[str, int, int, int]


@dataclass(frozen=True)
class Found:
    """A model file.

    Attributes:
        path: Relative to the folder of models.
        naming: What it is called.
        files: Where each file is: the model, then `model.yaml` and scalers where they lie beside it.
        problem: Why it must not be read.
    """

    path: PurePosixPath
    naming: Naming
    files: Mapping[str, Path]
    problem: str | None = None


@dataclass(frozen=True)
class Scan:
    """What a folder holds.

    Attributes:
        found: The model files; of each model the oldest release first and the present file last.
        signature: Changes whenever one of the files does.
    """

    found: tuple[Found, ...]
    signature: tuple[Stamp, ...]


def scan(folder: Path) -> Scan:
    """Look through the folder and all below it; links to folders are not followed.

    Raises:
        InvalidSetting: It is no folder that can be read.
    """
    if not folder.is_dir():
        raise InvalidSetting(f"MODELS_DIR: {folder} is not a folder; name the one that holds the models")
    root = folder.resolve()
    found = [_found(root, path) for path in _model_files(root)]
    found.sort(key=lambda item: (item.naming.model, age(item.naming.label), str(item.path)))
    stamps = [stamp for item in found for path in item.files.values() if (stamp := _stamp(path)) is not None]
    return Scan(tuple(_without_rivals(found)), tuple(stamps))


def read_files(found: Found) -> tuple[dict[str, bytes], str]:
    """The contents of a model's files by name, and the sha256 of all of them together.

    Raises:
        Refused: One can't be read, is no regular file, too large, empty, or only points to the file.
    """
    contents = {name: _content(name, path) for name, path in found.files.items()}
    digest = sha256()
    for name, data in contents.items():
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    (only, *others) = contents.values()
    return contents, digest.hexdigest() if others else sha256(only).hexdigest()


def _content(name: str, path: Path) -> bytes:
    """What a file holds; it may become another at any time."""
    try:
        _size(name, path.lstat())
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            data = file.read(_size(name, os.fstat(file.fileno())))
    except OSError as error:
        raise Refused(f"{name} can't be read: {error.strerror}") from None
    if data.startswith(_POINTER):
        raise Refused(f"{name} is a Git LFS pointer, not the file: run git lfs pull")
    if not data and name != HINTS:
        raise Refused(f"{name} is empty")
    return data


def _size(name: str, status: os.stat_result) -> int:
    """Of a file that may be opened and read: opening a pipe or a device may wait for ever, or do something."""
    if not stat.S_ISREG(status.st_mode):
        raise Refused(f"{name} is no regular file")
    if status.st_size > LARGEST_FILE:
        raise Refused(f"{name} is larger than {LARGEST_FILE:,} bytes")
    return status.st_size


def _model_files(root: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(names) if is_model(PurePosixPath(name)))


def _found(root: Path, path: Path) -> Found:
    relative = PurePosixPath(path.relative_to(root).as_posix())
    files = {path.name: path}
    hints = path.with_name(HINTS)
    if hints.exists():
        files[HINTS] = hints
    files |= {other.name: other for other in sorted(path.parent.iterdir()) if _is_scaler(other.name)}
    real = {name: other.resolve() for name, other in files.items()}
    leaving = [name for name, other in real.items() if not other.is_relative_to(root)]
    problem = f"{', '.join(leaving)} is a link that leaves the folder of models; copy the file" if leaving else None
    return Found(relative, naming(relative), real, problem)


def _is_scaler(name: str) -> bool:
    lowered = name.lower()
    named = "scaler_x" in lowered or "scaler_y" in lowered
    return named and "fold" not in lowered and lowered.endswith((".joblib", ".pkl"))


def _without_rivals(found: list[Found]) -> Iterator[Found]:
    """Two files of one name can't both be the model: the first is, the others are told of."""
    first: dict[Naming, PurePosixPath] = {}
    for item in found:
        taken = first.setdefault(item.naming, item.path)
        if taken == item.path or item.problem is not None:
            yield item
        else:
            reason = f"{taken} is called {item.naming.model} too; keep one of them, or move one to a release folder"
            yield replace(item, problem=reason)


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (str(path), status.st_size, status.st_mtime_ns, status.st_ino)
