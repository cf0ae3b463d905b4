"""Moving windows in a process's memory.

The windows of the `limits` library's own memory are not used: they look through all callers again and again, and never
forget one.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import NamedTuple

MOST_CALLERS = 20_000
"""Callers whose windows are kept; beyond, the one that was silent for longest is forgotten."""


class Rate(NamedTuple):
    """So many requests in so many seconds."""

    amount: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.amount} in {self.seconds} s"


class Excess(NamedTuple):
    """A request too many: the rate it broke, and the seconds until there is room again."""

    rate: Rate
    wait: float


class Windows:
    """When each caller's last requests were admitted, of up to `most` callers; all rates hold for each of them."""

    def __init__(self, rates: Sequence[Rate], *, most: int = MOST_CALLERS) -> None:
        self._rates = tuple(rates)
        self._most = most
        self._callers: OrderedDict[str, tuple[deque[float], ...]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._callers)

    def hit(self, caller: str, now: float) -> Excess | None:
        """Admit a request, or say which rate it breaks; what is refused doesn't count. `now` is monotonic seconds."""
        windows = self._callers.get(caller)
        if windows is None:
            windows = self._callers[caller] = tuple(deque(maxlen=rate.amount) for rate in self._rates)
            if len(self._callers) > self._most:
                self._callers.popitem(last=False)
        else:
            self._callers.move_to_end(caller)
        if (excess := self._excess(windows, now)) is not None:
            return excess
        for window in windows:
            window.append(now)
        return None

    def room(self, caller: str, now: float) -> bool:
        """Whether a request would be admitted; counts nothing."""
        windows = self._callers.get(caller)
        return windows is None or self._excess(windows, now) is None

    def _excess(self, windows: tuple[deque[float], ...], now: float) -> Excess | None:
        for rate, window in zip(self._rates, windows, strict=True):
            if len(window) == rate.amount and window[0] > now - rate.seconds:
                return Excess(rate, window[0] + rate.seconds - now)
        return None
