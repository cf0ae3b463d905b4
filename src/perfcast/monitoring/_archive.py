"""Where the records of predictions go before they are deleted: Parquet files in a folder or a store of objects."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from perfcast.errors import InvalidSetting, MissingDependency, PerfcastError, Unavailable
from perfcast.files import appearing

if TYPE_CHECKING:
    import pyarrow as pa
    from fsspec import AbstractFileSystem  # type: ignore[import-untyped]

_BLOCKS = b"perfcast.blocks"
"""Key of a file's metadata: which blocks are in it."""


class Archive:
    """Parquet files `MODEL/DAY/FIRST-LAST.parquet`, which are there whole or not at all.

    Each tells in its metadata which blocks it holds, so that none is written twice, whoever dies between the file and
    the deletion of the blocks.

    Args:
        url: A folder, or an address that fsspec knows.

    Raises:
        InvalidSetting: No store has such an address.
        MissingDependency: The library that reaches this kind of store is not installed.
    """

    def __init__(self, url: str) -> None:
        from fsspec import get_filesystem_class
        from fsspec.core import split_protocol  # type: ignore[import-untyped]

        protocol, _ = split_protocol(url)
        try:
            get_filesystem_class(protocol or "file")
        except ImportError as error:
            raise MissingDependency(f"PREDICTION_EXPORT_URL: {error}") from None
        except ValueError as error:
            raise InvalidSetting(f"PREDICTION_EXPORT_URL: {error}") from None
        self._url, self._local = url, protocol in (None, "file", "local")

    @cached_property
    def _store(self) -> "tuple[AbstractFileSystem, str]":
        """What reaches the files, and the folder there; some kinds connect as soon as they are made."""
        from fsspec.core import url_to_fs

        files, root = url_to_fs(self._url)
        return files, str(root).rstrip("/")

    def held(self, model: str, day: str, blocks: Sequence[int]) -> set[int]:
        """Which of these blocks, given in order, are in files already."""
        found: set[int] = set()
        with self._reached("read"):
            files, _ = self._store
            for path in files.glob(f"{self._folder(model, day)}/*.parquet"):
                first, _, last = Path(path).stem.partition("-")
                if first.isdigit() and last.isdigit() and int(first) <= blocks[-1] and blocks[0] <= int(last):
                    found.update(self._blocks_in(path))
        return found & set(blocks)

    def write(
        self, model: str, day: str, blocks: Sequence[int], schema: "pa.Schema", tables: "Iterable[pa.Table]"
    ) -> str:
        """Write the blocks, given in order; gives the file's path once it is there."""
        import pyarrow.parquet as pq

        with self._reached("written"):
            path = f"{self._folder(model, day)}/{blocks[0]:012d}-{blocks[-1]:012d}.parquet"
        told = schema.with_metadata({_BLOCKS: json.dumps(list(blocks)).encode()})
        with self._reached("written"), self._file(path) as file, pq.ParquetWriter(file, told, compression="zstd") as to:
            for table in tables:
                to.write_table(table.replace_schema_metadata(told.metadata))
        with self._reached("read"):
            if set(self._blocks_in(path)) != set(blocks):
                raise Unavailable(f"{path}: is not what was written to it; the blocks stay")
        return path

    def _folder(self, model: str, day: str) -> str:
        _, root = self._store
        return f"{root}/{model}/{day}"

    def _blocks_in(self, path: str) -> list[int]:
        import pyarrow.parquet as pq

        with self._store[0].open(path, "rb") as file:
            blocks: list[int] = json.loads((pq.read_schema(file).metadata or {}).get(_BLOCKS, b"[]"))
        return blocks

    @contextmanager
    def _file(self, path: str) -> Iterator[IO[bytes]]:
        """A file to write to; stores of objects show it when it is closed, a folder when it has been renamed."""
        if not self._local:
            with self._store[0].open(path, "wb") as file:
                yield file
            return
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with appearing(Path(path)) as unfinished, unfinished.open("wb") as file:
            yield file

    @contextmanager
    def _reached(self, verb: str) -> Iterator[None]:
        import pyarrow as pa

        errors: Any = (OSError, pa.ArrowException) if self._local else Exception
        try:
            yield
        except PerfcastError:
            raise
        except errors as error:  # libraries of object stores raise errors of their own kind
            raise Unavailable(
                f"PREDICTION_EXPORT_URL can't be {verb}: {error}; records stay in the database until it can be"
            ) from error
