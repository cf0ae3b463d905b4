"""Whether anybody looks at what was predicted and what turned out true."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from perfcast.monitoring import Backlog

LONGEST = timedelta(minutes=5)
"""How long something may wait for a worker, which looks every few seconds."""


def backlog_problems(backlog: Backlog | None, now: datetime | None = None) -> Mapping[str, str]:
    """What has waited for too long, in words; nothing where nothing is known."""
    until = (now or datetime.now(UTC)) - LONGEST
    if backlog is None:
        return {}
    waiting = {
        "actuals": (backlog.actuals_since, f"{backlog.actuals:,} true costs wait to be joined with their predictions"),
        "predictions": (backlog.blocks_since, "predictions wait to be looked at"),
    }
    return {
        name: f"{what}, the oldest since {since}; start `perfcast worker`, or look why it doesn't come to it"
        for name, (since, what) in waiting.items()
        if since is not None and datetime.fromisoformat(since) < until
    }
