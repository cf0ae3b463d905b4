"""How tests wait: until something comes about, however busy the machine is."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE_SECONDS = 60
"""After so long it is broken, not slow."""


def until(look: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """What `look` gives once it gives something."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)
