"""What a schedule and its history are: plain data, as the tables keep it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import msgspec

from perfcast.jobs.queue import Asked, Effort

SignalKind: TypeAlias = Literal["drift", "accuracy"]
"""What a signal may be about: the inputs have moved, or the live errors have grown."""
SIGNALS: tuple[SignalKind, ...] = ("drift", "accuracy")


class Retrain(Effort, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a schedule trains: on the newest rows of a line of datasets; None for the model's own."""

    dataset: str | None = None

    def asked(self, model: str) -> Asked:
        """The same as a request for a job."""
        return Asked(model_name=model, **msgspec.structs.asdict(self))


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator sets: triggers, limits, and how to train.

    Attributes:
        cron: Five fields, in the service's time zone; None for never by the clock.
        new_rows: Fires when there are at least so many rows that the last run didn't learn from; None for never.
        drift: Whether it fires on signals.
        enabled: Whether it fires at all.
        minimum_interval_seconds: Least seconds from one run's submission to the next, so that a trigger that flaps
            is held back.
        most_per_day: Most runs that signals alone begin within 24 hours.
        least_new_rows: Signals alone begin none before there are so many rows that the last run didn't learn from.
        request: How to train.
    """

    cron: str | None = None
    new_rows: int | None = None
    drift: bool = False
    enabled: bool = True
    minimum_interval_seconds: float = 3600.0
    most_per_day: int = 4
    least_new_rows: int = 0
    request: Retrain = Retrain()


@dataclass(frozen=True)
class Schedule:
    """A model's schedule.

    Attributes:
        plan: What was set.
        updated_at: When it was last changed; cron counts from then, or from the last run if that is later.
        signal: Kind of a signal that hasn't been acted on yet.
        signal_reason: What it said.
        held_back: Why it waits although it is due.
        last_fired_at, last_reason, last_job: Its last run.
        last_digest, last_rows: The rows that run was given, and how many.
        last_until: When the newest of them was measured; None where they have no times.
    """

    model: str
    plan: Plan
    updated_at: str
    signal: str | None
    signal_reason: str | None
    held_back: str | None
    last_fired_at: str | None
    last_reason: str | None
    last_job: str | None
    last_digest: str | None
    last_rows: int | None
    last_until: str | None

    @property
    def counted_from(self) -> datetime:
        """After this time the cron expression has to come about for the schedule to be due."""
        return datetime.fromisoformat(max(self.updated_at, self.last_fired_at or ""))

    @property
    def not_before(self) -> datetime | None:
        """Until this time it is rate-limited; None if it never ran."""
        if self.last_fired_at is None:
            return None
        return datetime.fromisoformat(self.last_fired_at) + timedelta(seconds=self.plan.minimum_interval_seconds)
