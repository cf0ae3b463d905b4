"""Who a caller is: by the key it sent, as `API_KEY` has it, else by its address, also behind trusted proxies."""

import hashlib
import hmac
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from perfcast.errors import InvalidSetting

ADMIN = "admin"
ALL = frozenset({"read", "predict", "train", ADMIN})
"""The scopes. `admin` includes the others."""
_SHOWN = 8
_NETWORK_BITS = 64
_LEAST_LENGTH, _LEAST_DIFFERENT = 24, 8
"""Of a secret that nobody guesses: 24 characters of `openssl rand -hex` are 96 bits."""
_WELL_KNOWN = ("admin", "changeme", "default", "example", "key", "password", "perfcast", "secret", "test", "token")


@dataclass(frozen=True)
class Key:
    """One key; of its secret only the SHA-256 is kept. Its owner is called by the beginning of that."""

    digest: bytes
    scopes: frozenset[str]
    caller: str


def find(keys: tuple[Key, ...], secret: bytes) -> Key | None:
    """The key with that secret.

    Digests are compared in constant time, and always with every key, so that the time of an answer says nothing about
    how much of which key was right.
    """
    digest = hashlib.sha256(secret).digest()
    found = None
    for key in keys:
        if hmac.compare_digest(key.digest, digest):
            found = key
    return found


def parse_keys(text: str) -> tuple[Key, ...] | None:
    """Read `API_KEY`: `SECRET` (all scopes) or `SECRET:SCOPE+SCOPE`, several separated by commas. Blank: None.

    Raises:
        InvalidSetting: A part can't be used; the text names its place, never its secret.
    """
    if not text.strip():
        return None
    keys = tuple(_key(part.strip(), place) for place, part in enumerate(text.split(","), 1))
    if len({key.digest for key in keys}) < len(keys):
        raise InvalidSetting("API_KEY: two keys are the same; give each secret once, with all its scopes")
    return keys


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


def weak_keys(text: str) -> dict[int, str]:
    """Keys of `API_KEY` that somebody may guess: their places, each with the reason, which never shows them."""
    secrets = (part.strip().partition(":")[0] for part in text.split(",") if part.strip())
    reasons = {place: _weakness(secret) for place, secret in enumerate(secrets, 1)}
    return {place: reason for place, reason in reasons.items() if reason}


def _weakness(secret: str) -> str:
    if secret.lower().rstrip("0123456789") in _WELL_KNOWN:
        return "is a well-known word"
    if len(secret) < _LEAST_LENGTH:
        return f"has {len(secret)} characters, fewer than {_LEAST_LENGTH}"
    return "repeats few characters" if len(set(secret)) < _LEAST_DIFFERENT else ""


def address_of(client: tuple[str, int] | None) -> str:
    """The caller's address; of IPv6 the first 64 bits, since one caller commonly has all the others."""
    host = client[0] if client else ""
    if ":" not in host:
        return f"address:{host}"
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return f"address:{host[:64]}"
    if not isinstance(address, IPv6Address):
        return f"address:{address}"
    if address.ipv4_mapped is not None:
        return f"address:{address.ipv4_mapped}"
    return f"address:{ip_network((address, _NETWORK_BITS), strict=False)}"


def parse_proxies(text: str) -> list[str]:
    """Read `TRUSTED_PROXIES`: addresses and networks, separated by commas.

    Raises:
        InvalidSetting: A part is neither.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        try:
            ip_network(part)
        except ValueError as error:
            raise InvalidSetting(
                f"TRUSTED_PROXIES: {error}; give addresses or networks such as 10.0.0.5, 10.1.0.0/16"
            ) from None
    return parts
