"""How much time a search has, and how much of it a trial may take."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

FINAL_FIT = 1.05
"""A final fit's time relative to its trial's: a fifth more rows, but nothing to validate, and other slots idle."""
SECOND_FIT = 1.4
"""A final fit's time when it learns from the calibrating rows too, relative to its trial's."""
_FITS = FINAL_FIT + SECOND_FIT
"""Both together."""
START_SHARE = 0.75
"""Share of the time left that a start may take while other families have not been tried."""
AFTERWARDS = 1.2
"""Seconds that summing up a search and loading what drafts need take, once."""
DRAFT_SECONDS, DRAFTED_ROWS = 0.25, 20_000
"""What evaluating, exporting and checking one version takes: so much, and a second for so many rows learnt from."""
MOST_RESERVED = 0.6
STARTS_UNTIL = 0.5
"""Share of the time within which a start still begins, though what follows may then be hurried."""
LEAST_TRIAL = 1.0
"""Seconds that every trial may take."""


def drafting(versions: int, rows: int) -> float:
    """About how many seconds it takes from the end of a search to its drafts, final fits aside.

    For so many versions, and so many rows that a trial learnt from.
    """
    return AFTERWARDS + versions * (DRAFT_SECONDS + rows / DRAFTED_ROWS)


@dataclass(frozen=True)
class Budget:
    """How much a search may spend.

    Attributes:
        trials: Most trials, the families' starts included.
        timeout: Seconds for everything, final fits and drafts included; None for no limit.
    """

    trials: int
    timeout: float | None = None


@dataclass
class Clock:
    """Counts the seconds of one search, and sets some aside for what must follow it.

    Attributes:
        budget: How much may be spent.
        begun: `time.monotonic()` when the search began.
        took: Seconds of each family's best trial, of one of its fits where it has several.
        members: How many final fits a family makes, where more than one.
        slots: How many fits run at a time.
        rows: How many rows a trial learns from.
        folds: How many fits make a trial.
    """

    budget: Budget
    begun: float = field(default_factory=time.monotonic)
    took: dict[str, float] = field(default_factory=dict)
    members: Mapping[str, int] = field(default_factory=dict)
    slots: int = 1
    rows: int = 0
    folds: int = 1

    @property
    def seconds(self) -> float:
        """Seconds since the search began."""
        return time.monotonic() - self.begun

    def left(self) -> float:
        """Seconds that trials may still take; infinite without a limit."""
        return self._left(self.took, len(self.took))

    def early(self) -> bool:
        """Whether so much time is left that each family's start should still have its turn, however short."""
        return self.budget.timeout is None or self.seconds < STARTS_UNTIL * self.budget.timeout

    def trial_seconds(self, family: str, *, starts_left: int) -> float:
        """How long a trial of this family may take.

        Its own final fits must have time too, and a part of what there is stays for starts that have not been tried.
        """
        others = {name: seconds for name, seconds in self.took.items() if name != family}
        fits = _FITS * max(1, self.members.get(family, 1) / self.slots)
        share = max(LEAST_TRIAL, self._left(others, len(others) + 1) * self.folds / (self.folds + fits))
        return share * (START_SHARE if starts_left else 1)

    def _left(self, took: Mapping[str, float], versions: int) -> float:
        if self.budget.timeout is None:
            return float("inf")
        total = sum(seconds * self.members.get(name, 1) for name, seconds in took.items())
        fits = _FITS * max(max(took.values(), default=0.0), total / self.slots)
        reserved = fits + drafting(versions, self.rows)
        return self.budget.timeout - self.seconds - min(reserved, MOST_RESERVED * self.budget.timeout)
