"""The one way in which times are written to the database."""

from datetime import UTC, datetime


def now() -> str:
    """The present time: ISO 8601, UTC, with microseconds and `Z`, so that text order is time order."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
