"""What must not be told: values of secret settings, and passwords in addresses."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from perfcast.settings import Settings, is_secret_name

HIDDEN = "***"
_LEAST = 4
"""Shorter secrets are found in addresses and after `password=` only: taken out everywhere, they would tear words."""
_WORDS = frozenset({"", "true", "false", "none", "null"})
"""What is no secret, whatever the variable is called."""
_OWN = frozenset({"level", "logger", "timestamp"})
"""Whose values are ours alone."""
_ADDRESS = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@'\"]*:)[^\s/'\"]+(?=@)", re.IGNORECASE)
_NAMED = re.compile(
    r"""((?:password|passwd|pwd|secret|token|api[-_]?key|authorization)["']?\s*[=:]\s*)(?:["'][^"']*["']|(?:(?:bearer|basic)\s+)?[^\s,;&"'}]+)""",
    re.IGNORECASE,
)


class Redaction:
    """Takes secrets out of events.

    Args:
        secrets: Values that may appear nowhere.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret) if len(form) >= _LEAST}
        longest_first = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, _logger: object, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """The event without secrets: a processor of structlog."""
        return {name: value if name in _OWN else self._named(name, value) for name, value in event.items()}

    def text(self, text: str) -> str:
        """A text without secrets."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        if "://" in text:
            text = _ADDRESS.sub(rf"\g<1>{HIDDEN}", text)
        return _NAMED.sub(rf"\g<1>{HIDDEN}", text)

    def _clean(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(name)): self._named(str(name), inner) for name, inner in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._clean(inner) for inner in value]
        return self.text(repr(value))

    def _named(self, name: str, value: Any) -> Any:
        return HIDDEN if is_secret_name(name) and isinstance(value, (str, bytes)) else self._clean(value)


def secrets_of(settings: Settings, environment: Mapping[str, str] = os.environ) -> set[str]:
    """Every secret of the settings, and of what libraries read from the environment."""
    found: set[str] = set()
    for name, value in settings:
        if isinstance(value, SecretStr):
            found |= _keys(value.get_secret_value())
        elif isinstance(value, str):
            found |= _passwords(value, whole=is_secret_name(name.upper()))
    for name, value in environment.items():
        found |= _passwords(value, whole=is_secret_name(name.upper()))
        if name.upper().endswith("_HEADERS"):  # OTEL_EXPORTER_OTLP_HEADERS: name=value, separated by commas
            given = [unquote(pair.partition("=")[2].strip()) for pair in value.split(",")]
            found |= {*given, *(words.rpartition(" ")[2] for words in given)}  # without `Bearer`
    return found - _WORDS


def _keys(text: str) -> set[str]:
    """The keys of `API_KEY`, which has scopes beside them."""
    return {text, *(part.strip().partition(":")[0] for part in text.split(","))}


def _passwords(text: str, *, whole: bool) -> set[str]:
    """The password of an address, or all of a value that is a secret."""
    found = {text} if whole else set()
    if "://" in text:
        try:
            password = urlsplit(text).password
        except ValueError:
            password = None
        if password:
            found |= {password, unquote(password)}
    return found


def _forms(secret: str) -> set[str]:
    """How a secret may stand in a line: as it is, as `repr` has it, as JSON has it."""
    return {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]}
