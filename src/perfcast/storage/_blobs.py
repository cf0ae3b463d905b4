"""Bytes that are kept under their own sha256, behind fsspec."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit, urlunsplit

from perfcast.errors import BrokenVersion, InvalidSetting, MissingDependency, PerfcastError, Unavailable
from perfcast.files import appearing

_DIGEST = re.compile(r"[0-9a-f]{64}")


def sha256(data: bytes) -> str:
    """The digest under which bytes are kept, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class Blobs:
    """Content-addressed bytes: `<url>/<first two hex digits>/<sha256>`.

    Bytes are there whole or not at all, whatever is killed on the way: a folder gets them by rename after they have
    reached the disk, object stores take an object as one request. At worst an unfinished file whose name begins with
    a dot stays behind. All methods raise `Unavailable` where the store can't be read or written.
    """

    def __init__(self, url: str) -> None:
        """Open the store; a folder is made with the first bytes.

        Args:
            url: A folder, or an address that fsspec knows, such as `s3://bucket/prefix`.

        Raises:
            InvalidSetting: No store has such an address.
            MissingDependency: The library that reaches this kind of store is not installed.
        """
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        self.address = _without_credentials(url)
        try:
            self._files, root = url_to_fs(url)
        except ImportError as error:
            raise MissingDependency(f"ARTIFACTS_URL {self.address}: {error}") from None
        except ValueError as error:
            raise InvalidSetting(f"ARTIFACTS_URL {self.address}: {error}") from None
        self._root = str(root).rstrip("/")
        protocol = self._files.protocol  # one word or several
        self._local = "file" in ([protocol] if isinstance(protocol, str) else protocol)
        self._errors = OSError if self._local else Exception

    def put(self, data: bytes) -> str:
        """Keep bytes, and give their sha256; the same ones twice are kept once, altered or half-lost ones mended."""
        digest = sha256(data)
        try:
            self.get(digest)
        except BrokenVersion:
            with self._reached("written"):
                self._write(self._path(digest), data)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes of a digest, checked against it.

        Raises:
            BrokenVersion: They are missing or altered; the text says which.
        """
        path = self._path(digest)
        with self._reached("read"):
            try:
                data = bytes(self._files.cat_file(path))
            except FileNotFoundError:
                raise self._missing(digest) from None
        if (found := sha256(data)) != digest:
            raise BrokenVersion(
                f"the bytes {digest[:12]}… in {self.address} were altered: they are {len(data)} bytes with sha256 "
                f"{found[:12]}…; restore them from a backup, or delete the version and register it again"
            )
        return data

    @contextmanager
    def opened(self, digest: str) -> Iterator[BinaryIO]:
        """The bytes as a file, to read parts of them; what is read isn't checked against the digest.

        Raises:
            BrokenVersion: They are missing.
        """
        path = self._path(digest)
        with self._reached("read"):
            try:
                file = self._files.open(path, "rb")
            except FileNotFoundError:
                raise self._missing(digest) from None
            with file:
                yield file

    def exists(self, digest: str) -> bool:
        """Whether something is kept under this digest; its content is checked only by `get`."""
        with self._reached("read"):
            return bool(self._files.exists(self._path(digest)))

    def delete(self, digest: str) -> None:
        """Forget bytes; nothing happens where there are none."""
        with self._reached("written"), suppress(FileNotFoundError):
            self._files.rm_file(self._path(digest))

    def _missing(self, digest: str) -> BrokenVersion:
        return BrokenVersion(
            f"the bytes {digest[:12]}… are missing from {self.address}; restore them from a backup, "
            "or delete the version and register it again"
        )

    def _path(self, digest: str) -> str:
        if not _DIGEST.fullmatch(digest):
            raise BrokenVersion(f"{digest!r} is no sha256 of bytes in {self.address}; 64 hexadecimal digits are")
        return f"{self._root}/{digest[:2]}/{digest}"

    def _write(self, path: str, data: bytes) -> None:
        if self._local:
            _write_file(Path(path), data)
        else:
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(path, data)

    @contextmanager
    def _reached(self, verb: str) -> Iterator[None]:
        try:
            yield
        except PerfcastError:
            raise
        except self._errors as error:  # libraries of object stores raise errors of their own kind, such as botocore's
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Unavailable(
                f"{self.address} can't be {verb}: {reason}; check ARTIFACTS_URL, its permissions and the free space"
            ) from error


def _write_file(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with appearing(path) as unfinished:
        unfinished.write_bytes(data)
    for folder in (path.parent, path.parent.parent):
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Make names in a folder survive a loss of power (POSIX only; other systems do it by themselves)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2], query=""))
