"""API keys: what `API_KEY` says, and whose key a caller sent."""

import hashlib
import hmac
from dataclasses import dataclass

from perfcast.errors import InvalidSetting

ADMIN = "admin"
ALL = frozenset({"read", "predict", "train", ADMIN})
"""The scopes. `admin` includes the others."""
_SHOWN = 8


@dataclass(frozen=True)
class Key:
    """One key; its secret is not kept.

    Attributes:
        digest: SHA-256 of the secret.
        scopes: What it may do; for `admin` the other scopes stand here too.
        caller: What its owner is called: `key:` and the beginning of the digest in hex.
    """

    digest: bytes
    scopes: frozenset[str]
    caller: str


class Keys:
    """All keys that are let in."""

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, secret: bytes) -> Key | None:
        """The key with that secret.

        Digests are compared in constant time, and always with every key, so that the time of an answer says nothing
        about how much of which key was right.
        """
        digest = hashlib.sha256(secret).digest()
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found


def parse_keys(text: str) -> Keys | None:
    """Read `API_KEY`.

    Args:
        text: `SECRET` (all scopes) or `SECRET:SCOPE+SCOPE`, several separated by commas.

    Returns:
        None where the text is blank.

    Raises:
        InvalidSetting: A part can't be used; the text names its place, never its secret.
    """
    if not text.strip():
        return None
    keys = tuple(_key(part.strip(), place) for place, part in enumerate(text.split(","), 1))
    if len({key.digest for key in keys}) < len(keys):
        raise InvalidSetting("API_KEY: two keys are the same; give each secret once, with all its scopes")
    return Keys(keys)


def _key(part: str, place: int) -> Key:
    secret, colon, named = part.partition(":")
    if not secret or not all("!" <= character <= "~" for character in secret):
        raise InvalidSetting(f"API_KEY: key {place} is empty or holds blanks or letters beyond ASCII")
    scopes = frozenset(named.split("+")) if colon else ALL
    if not scopes <= ALL:
        raise InvalidSetting(
            f"API_KEY: what follows the colon of key {place} is no list of scopes; they are {', '.join(sorted(ALL))}, "
            "joined by +, as in SECRET:read+predict (a secret itself holds no colon and no comma)"
        )
    digest = hashlib.sha256(secret.encode("ascii")).digest()
    return Key(digest, ALL if ADMIN in scopes else scopes, f"key:{digest.hex()[:_SHOWN]}")
