"""Telling a Perfcast server what came: each row's features and what they cost, so that its models are judged."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from perfcast.collect._collection import Collection
from perfcast.collect._journal import Journal
from perfcast.collect._rows import Taken
from perfcast.errors import InvalidInput, PerfcastError

log = structlog.stdlib.get_logger("perfcast.collect")
_AT_ONCE = 500
_MOST_WAITING = 10_080
"""A week of minutes; older rows are left unsent, since nobody's live accuracy waits for them."""

Send = Callable[[list[dict[str, Any]]], dict[str, Any]]
"""Posts a list to `/feedback` and gives the answer. Raises `InvalidInput` where the list is wrong, or too long."""


class Feedback:
    """Sends a journal's rows, and keeps those that couldn't be sent for the next time.

    Attributes:
        sent: How many rows the server took.
    """

    def __init__(self, collection: Collection, journal: Journal, send: Send) -> None:
        self._collection, self._journal, self._send = collection, journal, send
        self._failed = self._refusal = ""
        self.sent = 0

    def send_waiting(self) -> None:
        """Send what waits, oldest first, until none is left or the server can't take more just now."""
        self._journal.give_up(_MOST_WAITING)
        try:
            while len(rows := self._journal.waiting(_AT_ONCE)):
                self._deliver(rows.at.tolist(), items(self._collection, rows))
            if self._failed:
                log.info("feedback goes on", sent=self.sent)
            self._failed = ""
        except PerfcastError as error:
            if str(error) != self._failed:  # once, not every step
                log.warning("feedback waits", reason=str(error), rows=self._journal.count_waiting())
            self._failed = str(error)

    def _deliver(self, at: list[int], rows: list[dict[str, Any]]) -> None:
        """Send rows; where the server refuses a list as a whole, its halves are sent each by itself."""
        try:
            results = self._send(rows).get("results", [])
        except InvalidInput as error:
            if len(rows) > 1:
                half = len(rows) // 2
                self._deliver(at[:half], rows[:half])
                self._deliver(at[half:], rows[half:])
                return
            results = [{"status": "refused", "error": str(error)}]
        reasons = [str(result.get("error")) for result in results if result.get("status") == "refused"]
        if reasons and reasons[0] != self._refusal:  # once, not every step
            log.warning("feedback refused", rows=len(reasons), reason=reasons[0])
        self._refusal = reasons[0] if reasons else ""
        self.sent += len(rows) - len(reasons)
        self._journal.sent(at)


def items(collection: Collection, rows: Taken) -> list[dict[str, Any]]:
    """Rows as `POST /feedback` takes them."""
    features = collection.workload.features
    return [
        {
            "model_name": collection.document.model,
            "features": {
                feature.name: _value(feature.declaration.values, value, whole=feature.whole)
                for feature, value in zip(features, row, strict=True)
            },
            "actual": actual,
            "measured_at": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for at, row, actual in zip(rows.at.tolist(), rows.features.tolist(), rows.cost.tolist(), strict=True)
    ]


def _value(choices: Sequence[str | float], value: float, *, whole: bool) -> str | float:
    if choices:
        return choices[int(value)]
    return int(value) if whole else value
