"""Files that are there whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def appearing(path: Path, mode: int = 0o666) -> Iterator[Path]:
    """A path to write to; once the body is through and the bytes are on the disk, the file takes the place of `path`.

    Where the body fails, nothing is left and `path` is as it was.

    Args:
        path: In a folder that there is.
        mode: The file's permissions, from its first byte on.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}.unfinished")
    try:
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
