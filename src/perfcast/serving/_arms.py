"""Who answers a caller: the champion, the challenger with its share of the callers, and a shadow beside them."""

from collections.abc import Callable
from hashlib import blake2b

from perfcast.registry import CHALLENGER
from perfcast.serving._cache import Slot

NAMED = "named"
"""The arm of a version that the caller named by number, label or alias: it bypasses the split and has no shadow."""

Key = Callable[[], str]
"""Gives what a caller is known by; asked only where callers are split."""


class Arm:
    """One way to be answered; made once for each snapshot, shared by all requests.

    A fixed share of callers goes to the challenger, each caller always to the same side: a caller's key and the model's
    name make a point between 0 and 100 %, and the challenger has the points below its share. So who moves when the
    share changes are just those between the old and the new one, and two models' callers are parted independently.

    Args:
        name: `champion`, `challenger` or `named`.
        slot: The version that answers.
        shadow: The version that is asked for the same rows afterwards.
        challenger: The version that answers its share of the callers.
        share: Percent of the callers that it answers.

    Attributes:
        challenger: Its arm; None where this one answers everybody.
        labels: Model, arm and version, as they are counted.
    """

    __slots__ = ("_salt", "_threshold", "challenger", "labels", "name", "shadow", "slot")

    def __init__(
        self, name: str, slot: Slot, shadow: Slot | None = None, challenger: Slot | None = None, share: float = 0
    ) -> None:
        self.name = name
        self.slot = slot
        self.shadow = shadow
        self.challenger = Arm(CHALLENGER, challenger, shadow) if challenger is not None and share > 0 else None
        self.labels = (slot.model, name, slot.number)
        self._salt = slot.model.encode()
        self._threshold = share / 100 * 2**64

    def pick(self, key: Key) -> "Arm":
        """Who answers the caller that is known by this key: 1.3 µs; without a challenger the key isn't asked."""
        if self.challenger is None:
            return self
        digest = blake2b(b"%b\0%b" % (self._salt, key().encode("utf-8", "replace")), digest_size=8).digest()
        return self.challenger if int.from_bytes(digest) < self._threshold else self
