"""Who answers a caller: the champion, the challenger with its share of the callers, and a shadow beside them."""

from collections.abc import Callable
from hashlib import blake2b

from perfcast.registry import CHALLENGER, CHAMPION
from perfcast.serving._slot import Slot

NAMED = "named"
"""The arm of a version that the caller named by number, label or alias: it bypasses the split and has no shadow."""

Key = Callable[[], str]
"""Gives what a caller is known by; asked only where callers are split."""


class Arm:
    """One way to be answered; made once for each snapshot, shared by all requests.

    Attributes:
        name: `champion`, `challenger` or `named`.
        slot: The version that answers.
        shadow: The version that is asked for the same rows afterwards.
        split: Decides between this arm and the challenger's; None where this one answers everybody.
        labels: Model, arm and version, as they are counted.
    """

    __slots__ = ("labels", "name", "shadow", "slot", "split")

    def __init__(self, name: str, slot: Slot, shadow: Slot | None = None) -> None:
        self.name = name
        self.slot = slot
        self.shadow = shadow
        self.split: Split | None = None
        self.labels = (slot.model, name, slot.number)


class Split:
    """Sends a fixed share of callers to the challenger, each caller always to the same side.

    A caller's key and the model's name make a point between 0 and 100 %; the challenger has the points below its share.
    So who moves when the share changes are just those between the old and the new one, and two models' callers are
    parted independently of each other.

    Args:
        champion, challenger: The two arms.
        share: Percent of the callers that the challenger answers.
    """

    __slots__ = ("_champion", "_salt", "_threshold", "challenger")

    def __init__(self, champion: Arm, challenger: Arm, share: float) -> None:
        self._champion = champion
        self._salt = champion.slot.model.encode()
        self._threshold = share / 100 * 2**64
        self.challenger = challenger

    def pick(self, key: str) -> Arm:
        """The arm of the caller that is known by this key; 1.3 µs."""
        digest = blake2b(b"%b\0%b" % (self._salt, key.encode("utf-8", "replace")), digest_size=8).digest()
        return self.challenger if int.from_bytes(digest) < self._threshold else self._champion


def champions_arm(champion: Slot, challenger: Slot | None, shadow: Slot | None, share: float) -> Arm:
    """What answers to a model's bare name.

    Args:
        champion: The version that answers.
        challenger: The version that answers its share of the callers.
        shadow: The version that is asked beside them.
        share: Percent of the callers that the challenger answers.
    """
    arm = Arm(CHAMPION, champion, shadow)
    if challenger is not None and share > 0:
        arm.split = Split(arm, Arm(CHALLENGER, challenger, shadow), share)
    return arm
