"""Live accuracy beside what is known of versions and arms."""

from collections.abc import Mapping
from typing import Any

import msgspec

from perfcast.monitoring import live_arms, read_accuracy
from perfcast.registry import CHAMPION, ModelSummary
from perfcast.serving import Follower
from perfcast.storage import Database


def live_of_version(database: Database, model: str, version: int) -> dict[str, Any]:
    """A version's live accuracy by arm and window."""
    with database.read() as connection:
        found = read_accuracy(connection, model, version)
    return {arm.arm: msgspec.to_builtins(windows) for arm, windows in found.items()}


def live_of_arms(database: Database, follower: Follower, summary: ModelSummary) -> Mapping[str, dict[str, Any]]:
    """By alias, live accuracy and how it compares with the champion's."""
    answering = follower.routes.pointed.get((summary.name, CHAMPION))
    relative = None if answering is None else answering.reader.workload.cost.relative
    with database.read() as connection:
        return live_arms(connection, summary.name, summary.aliases, relative=relative)
