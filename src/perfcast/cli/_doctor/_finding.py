"""What a check gives, and how checks are run."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

Verdict: TypeAlias = Literal["ok", "warning", "wrong"]
Given = TypeVar("Given")


@dataclass(frozen=True)
class Finding:
    """What one look found.

    Attributes:
        what: Was looked at.
        verdict: `ok`, `warning` (works, but could be better, or can't be seen from here) or `wrong`.
        found: What is there; never a secret.
        do: What to do about it; empty where there is nothing to do.
    """

    what: str
    verdict: Verdict
    found: str
    do: str = ""


Check: TypeAlias = Callable[[Given], Iterator[Finding]]


def findings_of(checks: Iterable[Check[Given]], given: Given) -> list[Finding]:
    """What all checks find, in order."""
    return [finding for check in checks for finding in _guarded(check, given)]


def _guarded(check: Check[Given], given: Given) -> Iterator[Finding]:
    """A check that fails is itself a finding."""
    try:
        yield from check(given)
    except Exception as error:  # noqa: BLE001  # whatever is broken here is what the user wants to know
        yield Finding(check.__name__.replace("_", " ").strip(), "wrong", f"{type(error).__name__}: {error}")
