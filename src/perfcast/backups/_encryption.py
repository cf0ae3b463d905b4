"""Encryption under a passphrase, with age's format (https://age-encryption.org/v1) as pyrage has it.

An encrypted file is a line that says what it is, then a key, encrypted under the passphrase (scrypt) as text, then the
content, encrypted for that key (X25519, ChaCha20-Poly1305 in parts of 64 KiB, of which none can be altered, moved or
left out). Two steps, since pyrage under a passphrase alone has all of it in memory; `age` itself opens both.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO

from perfcast.errors import InvalidData, InvalidSetting

MARK = b"perfcast backup, encrypted\n"
_END = b"-----END AGE ENCRYPTED FILE-----\n"
_LINES = 40
_LEAST = 8
"""Shorter passphrases are guessed, however slow each try is."""


def read_passphrase(given: str, file: Path | None) -> str:
    """The passphrase: the first line of a file, or what the environment has.

    Raises:
        InvalidSetting: There is none, or it is too short; the text doesn't show it.
    """
    where = f"the first line of {file}" if file is not None else "BACKUP_PASSPHRASE"
    passphrase = given
    if file is not None:
        with file.open(encoding="utf-8", errors="replace") as lines:
            passphrase = lines.readline().rstrip("\r\n")
    if len(passphrase) < _LEAST:
        is_short = f"is shorter than {_LEAST} characters" if passphrase else "is empty"
        raise InvalidSetting(f"{where} {is_short}; set BACKUP_PASSPHRASE or name a file with --passphrase-file")
    return passphrase


@contextmanager
def encrypting(out: BinaryIO, passphrase: str) -> Iterator[BinaryIO]:
    """What is written to it goes to a file, encrypted."""
    import pyrage
    from pyrage import passphrase as under_passphrase
    from pyrage import x25519

    key = x25519.Identity.generate()
    out.write(MARK)
    out.write(under_passphrase.encrypt(str(key).encode(), passphrase, armored=True))
    given, taken = _pipe()
    with _beside(lambda: pyrage.encrypt_io(given, out, [key.to_public()]), given), taken:
        yield taken


@contextmanager
def decrypting(file: BinaryIO, passphrase: str) -> Iterator[BinaryIO]:
    """The content of a file that `encrypting` wrote and whose mark has been read.

    Raises:
        InvalidData: The file is damaged.
        InvalidSetting: The passphrase is another one.
    """
    import pyrage

    key = _open_key(file, passphrase)
    given, taken = _pipe()
    left = Event()

    def decrypt() -> None:
        try:
            pyrage.decrypt_io(file, taken, [key])
        except (pyrage.DecryptError, OSError) as error:
            if not left.is_set():  # else nobody reads on, so that nothing more can be written
                raise InvalidData(f"it was cut or altered after it was encrypted ({error})") from None

    with _beside(decrypt, taken), given:
        try:
            yield given
        finally:
            left.set()


def _open_key(file: BinaryIO, passphrase: str) -> object:
    import pyrage
    from pyrage import passphrase as under_passphrase
    from pyrage import x25519

    lines: list[bytes] = []
    while len(lines) < _LINES and (not lines or lines[-1] != _END):
        lines.append(file.readline(200))
    try:
        key = under_passphrase.decrypt(b"".join(lines), passphrase)
        return x25519.Identity.from_str(key.decode())
    except (pyrage.DecryptError, pyrage.IdentityError, ValueError):
        raise InvalidSetting(
            "the passphrase is not the one that the backup was encrypted under, or its first lines were altered"
        ) from None


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    """Where to read what is written, and where to write it."""
    given, taken = os.pipe()
    return os.fdopen(given, "rb"), os.fdopen(taken, "wb")


@contextmanager
def _beside(work: Callable[[], object], end: BinaryIO) -> Iterator[None]:
    """Work in a thread on its end of a pipe, while the body uses the other one and closes it; then what broke it."""
    failed: list[BaseException] = []

    def do() -> None:
        try:
            with end:
                work()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            failed.append(error)

    thread = Thread(target=do, name="perfcast-backup-age", daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        if failed:
            raise failed[0]
