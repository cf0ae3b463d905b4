"""How long to wait before a call is sent again."""

import random
from email.utils import parsedate_to_datetime
from time import time

_FIRST_SECONDS = 0.25
_LONGEST_SECONDS = 8.0
LONGEST_RETRY_AFTER = 60.0
"""A server that wants more patience than this is left alone, and the caller told."""


def growing(attempt: int) -> float:
    """Seconds before the `attempt`th repetition (from 0): doubled each time, each between half of it and all."""
    return float(min(_LONGEST_SECONDS, _FIRST_SECONDS * 2**attempt) * random.uniform(0.5, 1.0))


def retry_after(header: str | None) -> float | None:
    """Seconds that a `Retry-After` header asks for, which has a number or a date; None where it has neither."""
    if not header:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time())
    except ValueError:
        return None
