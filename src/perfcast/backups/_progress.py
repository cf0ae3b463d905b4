"""How those who wait are told how far it is."""

from collections.abc import Callable

OnProgress = Callable[[str, int, int], None]
"""Called with what is being done, how many things are done, and of how many."""


def in_silence(_what: str, _done: int, _of: int) -> None:
    """For those who don't wait."""
