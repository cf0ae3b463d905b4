"""The one way in which times are written to the database."""

from datetime import UTC, datetime


def now() -> str:
    """The present time as the database keeps it."""
    return time_text(datetime.now(UTC))


def time_text(at: datetime) -> str:
    """A time as the database keeps it: ISO 8601, UTC, with microseconds and `Z`, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
