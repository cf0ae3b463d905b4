"""Live accuracy beside what is known of versions and arms."""

from collections.abc import Mapping
from typing import Any

import msgspec

from perfcast.monitoring import Arm, compare_arms, read_accuracy
from perfcast.registry import CHAMPION, ModelSummary
from perfcast.serving import Follower
from perfcast.storage import Database


def live_of(database: Database, model: str, version: int) -> dict[str, Any]:
    """A version's live accuracy by arm and window."""
    with database.read() as connection:
        found = read_accuracy(connection, model, version)
    return {arm.arm: msgspec.to_builtins(windows) for arm, windows in found.items()}


def live_arms(database: Database, follower: Follower, summary: ModelSummary) -> Mapping[str, dict[str, Any]]:
    """By alias, the live accuracy of the version that it points to, and how that compares with the champion's."""
    arms = {alias: Arm(summary.name, number, alias) for alias, number in summary.aliases.items()}
    champion = arms.get(CHAMPION)
    answering = follower.routes.pointed.get((summary.name, CHAMPION))
    told: dict[str, dict[str, Any]] = {}
    with database.read() as connection:
        found = {number: read_accuracy(connection, summary.name, number) for number in set(summary.aliases.values())}
        for alias, arm in arms.items():
            told[alias] = {"live": msgspec.to_builtins(found[arm.version].get(arm, {}))}
            if champion is not None and answering is not None and alias != CHAMPION:
                relative = answering.reader.workload.cost.relative
                compared = compare_arms(connection, arm, champion, relative=relative)
                told[alias]["against_champion"] = msgspec.to_builtins(compared)
    return told
