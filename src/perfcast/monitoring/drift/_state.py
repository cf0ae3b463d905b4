"""What watching a model goes on from: plain data that lies in the database as JSON."""

from typing import Literal, NamedTuple, TypeAlias

import msgspec

Kind: TypeAlias = Literal["inputs", "error", "coverage", "quality", "unexplained"]
KINDS: tuple[Kind, ...] = ("inputs", "error", "coverage", "quality", "unexplained")
COST = ""
"""The feature of findings about the cost, and of charts that are about none."""


class Hour(msgspec.Struct, omit_defaults=True):
    """Sums over the predictions of an hour, or over those whose truth is known.

    Attributes:
        rows: How many.
        outside: Of them, with a feature outside what was trained.
        width, intervals: Sum of the intervals' widths, and how many have one at the default coverage.
        error, signed: Sums of the error without and with its sign (actual − predicted).
        misses: Actuals outside their interval.
        logs, nonzero: By feature (the cost's under its own name) sums of log10 |value|, and of how many.
        missing: By feature, how many are no number.
    """

    rows: int = 0
    outside: int = 0
    width: float = 0.0
    intervals: int = 0
    error: float = 0.0
    signed: float = 0.0
    misses: int = 0
    logs: dict[str, float] = {}
    nonzero: dict[str, int] = {}
    missing: dict[str, int] = {}

    def add(self, other: "Hour") -> None:
        """Take the sums of another in."""
        for name in self.__struct_fields__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, dict):
                setattr(self, name, {key: mine.get(key, 0) + theirs.get(key, 0) for key in mine | theirs})
            else:
                setattr(self, name, mine + theirs)


class Means(NamedTuple):
    """Of an hour's actuals: the error without and with its sign, and the share outside their intervals."""

    error: float
    signed: float
    missed: float


class Run(msgspec.Struct):
    """A value that was repeated: how often, since when, and what all others were as it began."""

    value: float
    count: int
    since: str
    others: float = 0.0
    moved: bool = False


class Stretch(msgspec.Struct):
    """Rows of large error that came close together.

    Attributes:
        first_at, last_at: When they were measured, ISO 8601.
        rows, error: How many, and the sum of their errors.
        burst, usual: What was large, and what was usual, for the version that answered as it began.
        after_rows, after_error: The same of the rows since the last large one.
        switched_at: When another version took over meanwhile; empty where none did.
    """

    first_at: str
    last_at: str
    rows: int
    error: float
    burst: float
    usual: float
    after_rows: int = 0
    after_error: float = 0.0
    switched_at: str = ""


class Alarm(msgspec.Struct):
    """Something that isn't as usual: since when, how far beyond its threshold, in words.

    Attributes:
        score: What was measured ÷ its threshold.
        quiet: Hours in a row in which it was as usual again.
    """

    kind: Kind
    feature: str
    since: str
    score: float
    words: str
    quiet: int = 0


class State(msgspec.Struct, omit_defaults=True):
    """What watching a model goes on from.

    Attributes:
        version: Whose reference it is watched by.
        since: When that began.
        inputs, outcomes: The open hours of predictions and of actuals, by when they begin.
        closed_inputs, closed_outcomes: The newest hour that is closed.
        pending: Actuals of closed hours that are too few by themselves.
        sums: Each chart's sum.
        recent: The last closed hours of actuals, oldest first.
        beyond: By feature, how many hours in a row it was beyond its threshold.
        scores: By feature, its last distance ÷ threshold.
        alarms: What isn't as usual now, by kind and feature.
        begun: By kind, how often an alarm of it has begun.
        levels: By feature, mean of log10 |value| in the last hour that was as usual.
        powers: By feature, by which power of ten it has jumped.
        runs: By feature, what is repeated just now.
        stretch: Large errors that haven't ended yet.
    """

    version: int
    since: str
    inputs: dict[str, Hour] = {}
    outcomes: dict[str, Hour] = {}
    closed_inputs: str = ""
    closed_outcomes: str = ""
    pending: Hour = msgspec.field(default_factory=Hour)
    sums: dict[str, float] = {}
    recent: list[Means] = []
    beyond: dict[str, int] = {}
    scores: dict[str, float] = {}
    alarms: dict[str, Alarm] = {}
    begun: dict[str, int] = {}
    levels: dict[str, float] = {}
    powers: dict[str, int] = {}
    runs: dict[str, Run] = {}
    stretch: Stretch | None = None
