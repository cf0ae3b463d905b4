"""Instants at which queries are asked: whole multiples of the step since 1970."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Instants = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Span:
    """Instants from `first` to `last`, both included, `step` apart; seconds since 1970. Empty where last < first."""

    first: int
    last: int
    step: int

    @classmethod
    def within(cls, since: float, until: float, step: int) -> "Span":
        """The multiples of the step from `since` to `until`."""
        return cls(-int(-since // step) * step, int(until // step) * step, step)

    def __len__(self) -> int:
        return max(0, (self.last - self.first) // self.step + 1)

    @property
    def instants(self) -> Instants:
        """Seconds since 1970, int64 [n]."""
        return np.arange(self.first, self.last + 1, self.step, dtype=np.int64)

    def beginning(self, most: int) -> "Span":
        """At most so many instants from the first on."""
        return Span(self.first, min(self.last, self.first + (most - 1) * self.step), self.step)

    def without(self, known: Instants) -> Iterator["Span"]:
        """The stretches of it that hold no known instant, oldest first."""
        left = np.setdiff1d(self.instants, known)
        if not len(left):
            return
        for run in np.split(left, np.flatnonzero(np.diff(left) > self.step) + 1):
            yield Span(int(run[0]), int(run[-1]), self.step)

    def column(self, moments: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """A value for each instant, float64 [n]; NaN where none was given for just that instant."""
        found = np.full(len(self), np.nan)
        places = np.rint((moments - self.first) / self.step).astype(np.int64)
        there = (places >= 0) & (places < len(self)) & (np.abs(self.first + places * self.step - moments) < 0.5)
        found[places[there]] = values[there]
        return found
