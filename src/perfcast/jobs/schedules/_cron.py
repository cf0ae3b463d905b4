"""Cron expressions of five fields, as Debian's cron reads them, also across changes of daylight saving."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from perfcast.errors import InvalidInput

LONGEST = 128
"""Characters of an expression."""
_FIELDS = 5
_EXAMPLE = "; an example is '0 3 * * *' for every night at three"


def check_cron(expression: str) -> str:
    """The expression with single blanks, if it is one and ever comes about.

    Raises:
        InvalidInput: It can't be used; the field is called `cron`.

    Example:
        >>> check_cron("0  3 * * mon-fri")
        '0 3 * * mon-fri'
    """
    words = expression.split()
    if len(words) != _FIELDS or len(expression) > LONGEST:
        told = f"must have five fields (minute, hour, day, month, weekday), got {len(words)}{_EXAMPLE}"
        raise InvalidInput.of("cron", told)
    normal = " ".join(words)
    try:
        next(CronSim(normal, datetime.now(UTC)))
    except CronSimError as error:
        raise InvalidInput.of("cron", str(error).replace("Bad ", "can't read the field ") + _EXAMPLE) from None
    except StopIteration:
        raise InvalidInput.of("cron", f"never comes about{_EXAMPLE}") from None
    return normal


def next_occurrence(expression: str, after: datetime, zone: ZoneInfo) -> datetime:
    """When an expression, as `check_cron` gives it, comes about next after an aware time, in UTC.

    What falls into the hour that daylight saving skips happens right after it; what falls into the hour that comes
    twice happens once (unless it is of every hour or minute), as in Debian's cron.
    """
    # In the hour that comes twice, the library may answer with the first of the two, which has passed.
    occurrences = (found.astimezone(UTC) for found in CronSim(expression, after.astimezone(zone)))
    return next(found for found in occurrences if found > after)
