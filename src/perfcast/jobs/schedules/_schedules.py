"""The schedules: set, shown and removed by operators, told by the monitoring what has moved."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from perfcast.errors import FieldError, InvalidInput, UnknownSchedule
from perfcast.jobs.queue import Submissions
from perfcast.jobs.schedules import _repository as repository
from perfcast.jobs.schedules._cron import check_cron, next_occurrence
from perfcast.jobs.schedules._schedule import SIGNALS, Plan, Schedule, SignalKind
from perfcast.storage import Database, time_text

MOST_ROWS = 1_000_000_000
MOST_A_DAY = 1000
LONGEST_SECONDS = 366 * 24 * 3600.0
_LONGEST_REASON = 500


@dataclass(frozen=True)
class Schedules:
    """The schedules of all models; cron is meant in a zone, and submissions say whether a plan makes a job."""

    database: Database
    submissions: Submissions
    zone: ZoneInfo

    def put(self, model: str, plan: Plan, at: datetime | None = None) -> Schedule:
        """Make or change a model's schedule, whose cron counts from now. Putting the same again changes nothing.

        Raises:
            UnknownModel: There is no such model.
            InvalidInput: Something is wrong; names every field.
        """
        self.submissions.registry.model(model)
        checked = _check(plan)
        self.submissions.complete(checked.request.asked(model))
        with self.database.begin() as connection:
            repository.keep(connection, model, checked, time_text(at or datetime.now(UTC)))
            return _require(connection, model)

    def find(self, model: str) -> Schedule:
        """A model's schedule; raises `UnknownSchedule`."""
        with self.database.read() as connection:
            return _require(connection, model)

    def every(self) -> list[Schedule]:
        """All schedules, sorted by model."""
        with self.database.read() as connection:
            return repository.every(connection)

    def remove(self, model: str) -> None:
        """Delete a schedule; its history and its jobs stay. Raises `UnknownSchedule`."""
        with self.database.begin() as connection:
            _require(connection, model)
            repository.remove(connection, model)

    def history(self, model: str = "", *, limit: int = 50) -> list[dict[str, Any]]:
        """What schedules did, newest first, of one model or of all, with what became of each job."""
        with self.database.read() as connection:
            found = repository.history(connection, model, limit)
        if model and not found:
            self.submissions.registry.model(model)
        return found

    def signal(self, model: str, kind: SignalKind, reason: str) -> bool:
        """Say that a model's inputs or its accuracy have moved, what was measured; gives whether a schedule listens.

        As often as one likes: it is noted once until acted on, and not where none listens.
        """
        if kind not in SIGNALS:
            raise InvalidInput.of("kind", f"must be one of {', '.join(SIGNALS)}, got '{kind}'")
        with self.database.begin() as connection:
            return repository.note_signal(connection, model, kind, reason[:_LONGEST_REASON])

    def document(self, schedule: Schedule) -> dict[str, Any]:
        """A schedule as the HTTP contract shows it; `next_at` is when its cron expression comes about next."""
        cron, later = schedule.plan.cron, None
        if cron is not None and schedule.plan.enabled:
            later = time_text(next_occurrence(cron, schedule.counted_from, self.zone))
        kept = {name: value for name, value in vars(schedule).items() if name not in ("model", "plan")}
        shown = {"model_name": schedule.model, **msgspec.to_builtins(schedule.plan), **kept}
        return shown | {"next_at": later, "time_zone": self.zone.key}


def _check(plan: Plan) -> Plan:
    """The plan with its cron expression normalised."""
    wrong: list[FieldError] = []
    cron = plan.cron
    if cron is not None:
        try:
            cron = check_cron(cron)
        except InvalidInput as error:
            wrong += error.fields
    if cron is None and plan.new_rows is None and not plan.drift:
        wrong.append(FieldError("cron", "some trigger is needed: cron, new_rows or drift"))
    if plan.new_rows is not None and not 1 <= plan.new_rows <= MOST_ROWS:
        wrong.append(FieldError("new_rows", f"must be from 1 to {MOST_ROWS:,}, got {plan.new_rows}"))
    if not 1 <= plan.minimum_interval_seconds <= LONGEST_SECONDS:
        wrong.append(FieldError("minimum_interval_seconds", f"must be from 1 to {LONGEST_SECONDS:,.0f}"))
    if not 1 <= plan.most_per_day <= MOST_A_DAY:
        wrong.append(FieldError("most_per_day", f"must be from 1 to {MOST_A_DAY:,}, got {plan.most_per_day}"))
    if not 0 <= plan.least_new_rows <= MOST_ROWS:
        wrong.append(FieldError("least_new_rows", f"must be from 0 to {MOST_ROWS:,}, got {plan.least_new_rows}"))
    if "@" in (plan.request.dataset or ""):
        wrong.append(FieldError("dataset", "must be a name without a digest: a schedule takes the newest rows"))
    if wrong:
        raise InvalidInput(wrong)
    return msgspec.structs.replace(plan, cron=cron)


def _require(connection: sa.Connection, model: str) -> Schedule:
    found = repository.find(connection, model)
    if found is None:
        known = [schedule.model for schedule in repository.every(connection)]
        raise UnknownSchedule(model, known, hint=f"make one with `perfcast schedules set {model} --cron '0 3 * * *'`")
    return found
