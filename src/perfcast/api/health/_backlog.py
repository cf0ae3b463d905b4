"""Whether anybody looks at what was predicted and what turned out true."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from perfcast.monitoring import Backlog

LONGEST = timedelta(minutes=5)
"""How long predictions may wait for a worker, which looks every few seconds."""


def backlog_problems(backlog: Backlog | None, now: datetime | None = None) -> Mapping[str, str]:
    """What has waited for too long, in words; nothing where nothing is known.

    Actuals that wait say nothing of workers: one that nobody predicted waits for a day.
    """
    since = None if backlog is None else backlog.blocks_since
    if since is None or datetime.fromisoformat(since) >= (now or datetime.now(UTC)) - LONGEST:
        return {}
    told = f"predictions wait to be looked at, the oldest since {since}, and no actual is joined"
    return {"predictions": f"{told}; start `perfcast worker`, or look why it doesn't come to it"}
