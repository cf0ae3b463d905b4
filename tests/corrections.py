"""Actuals for tests, taken in as the worker does."""

from collections.abc import Sequence
from typing import Any

from perfcast.monitoring import Corrections, Judged, Record
from perfcast.registry import Registry
from perfcast.storage import Database


def take_in(database: Database, registry: Registry, judged: Sequence[Judged]) -> None:
    """What the observer does once it has joined actuals with their predictions."""
    with database.begin() as connection:
        Corrections(registry.version).judged(connection, judged)


def truths(answer: dict[str, Any], error: float, count: int = 60) -> list[Judged]:
    """So many actuals that lie so far above an answer of `/predict`, as if it had been given as often."""
    cost, at = answer["cpu_utilization"], answer["prediction_timestamp"]
    version, name = answer["model_version"], answer["prediction_id"]
    return [
        Judged(Record(f"{name}-{n}", answer["model_name"], version, [], cost, None, None, at), cost + error, at)
        for n in range(count)
    ]
