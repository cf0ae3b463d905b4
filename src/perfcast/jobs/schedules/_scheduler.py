"""The scheduler: looks which schedules are due, and submits their jobs. Every worker has one."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog

from perfcast.datasets import DatasetRecord
from perfcast.errors import Conflict, PerfcastError, Unavailable
from perfcast.jobs.queue import Job, JobRequest, Jobs
from perfcast.jobs.schedules import _repository as repository
from perfcast.jobs.schedules._cron import next_occurrence
from perfcast.jobs.schedules._schedule import Schedule
from perfcast.jobs.schedules._schedules import Schedules
from perfcast.storage import time_text

log = structlog.stdlib.get_logger("perfcast.jobs")


@dataclass(frozen=True)
class _Due:
    """Why a schedule fires: the first trigger by name, all of them in words; whether only a signal asks for it."""

    trigger: str
    reason: str
    only_signal: bool = False


@dataclass(frozen=True)
class Scheduler:
    """Submits a job for each schedule that is due."""

    schedules: Schedules
    jobs: Jobs

    def look(self, at: datetime | None = None) -> list[Job]:
        """Look at every schedule once, now or as if it were another time; gives the jobs that were submitted.

        A trigger stays due until it has led to a run: what is held back now fires as soon as it may.
        """
        at = at or datetime.now(UTC)
        enabled = [schedule for schedule in self.schedules.every() if schedule.plan.enabled]
        return [job for schedule in enabled if (job := self._consider(schedule, at)) is not None]

    def _consider(self, schedule: Schedule, at: datetime) -> Job | None:
        try:
            due = self._due(schedule, at)
            if due is None:
                return None
            why = self._obstacle(schedule, at) or (self._too_eager(schedule, at) if due.only_signal else None)
            if why is None:
                return self._fire(schedule, due, at)
        except Unavailable:
            raise
        except PerfcastError as error:  # such as rows that are gone: other schedules must not suffer
            due, why = _Due("request", "the plan can't be carried out"), f"no job could be made: {error}"
        self._hold_back(schedule, due, why, at)
        return None

    def _due(self, schedule: Schedule, at: datetime) -> _Due | None:
        """Why it is due, the most telling trigger first."""
        found: list[_Due] = []
        if schedule.signal is not None:
            found.append(_Due(schedule.signal, f"{schedule.signal} signal: {schedule.signal_reason}"))
        if schedule.plan.cron is not None:
            when = next_occurrence(schedule.plan.cron, schedule.counted_from, self.schedules.zone)
            if when <= at:
                local = when.astimezone(self.schedules.zone)
                found.append(_Due("cron", f"cron '{schedule.plan.cron}' at {local:%Y-%m-%d %H:%M %Z}"))
        if schedule.plan.new_rows is not None and (fresh := self._new_rows(schedule, schedule.plan.new_rows)):
            found.append(_Due("new_rows", fresh))
        if not found:
            return None
        only_signal = schedule.signal is not None and len(found) == 1
        return _Due(found[0].trigger, "; ".join(due.reason for due in found), only_signal)

    def _new_rows(self, schedule: Schedule, wanted: int) -> str | None:
        """What there is to say when there are enough new rows."""
        _, record = self._newest(schedule)
        new, known = self._growth(schedule, record)
        if new < wanted:
            return None
        return f"{new:,} new rows of '{record.name}' ({record.rows:,}; the last run learnt from {known:,})"

    def _newest(self, schedule: Schedule) -> tuple[JobRequest, DatasetRecord]:
        """The job that the newest rows make, and what is known of them."""
        submissions = self.schedules.submissions
        request = submissions.complete(schedule.plan.request.asked(schedule.model))
        return request, submissions.datasets.find(request.dataset, request.digest)

    def _growth(self, schedule: Schedule, record: DatasetRecord) -> tuple[int, int]:
        """How many rows the last run didn't learn from, and how many it did.

        A line of which old rows leave doesn't grow; so those count that were measured later than what was learnt.
        """
        known, until = self._learnt(schedule, record.name)
        newer = 0 if until is None else self.schedules.submissions.datasets.newer(record, until)
        return max(record.rows - known, newer), known

    def _learnt(self, schedule: Schedule, line: str) -> tuple[int, str | None]:
        """How many rows of a line the last run learnt from, whoever began it, and when the newest was measured."""
        registry = self.schedules.submissions.registry
        numbers = registry.model(schedule.model).versions
        newest = registry.version(schedule.model, numbers[-1]) if numbers else None
        if newest is not None and (schedule.last_fired_at is None or newest.created_at > schedule.last_fired_at):
            facts = newest.manifest.data
            if facts is not None and facts.name == line:
                return facts.rows, facts.until
        return schedule.last_rows or 0, schedule.last_until

    def _obstacle(self, schedule: Schedule, at: datetime) -> str | None:
        """Why it may not fire now."""
        with self.schedules.database.read() as connection:
            job = repository.unfinished_job(connection, schedule.model)
        if job is not None:
            return f"job {job[0]} of this model is {job[1]}"
        limit = schedule.not_before
        if limit is not None and at < limit:
            every = f"{schedule.plan.minimum_interval_seconds:,.0f} s"
            return f"the last run is too recent: at most one in {every}, so not before {time_text(limit)}"
        return None

    def _too_eager(self, schedule: Schedule, at: datetime) -> str | None:
        """Why a signal alone may not fire it now."""
        most, least = schedule.plan.most_per_day, schedule.plan.least_new_rows
        with self.schedules.database.read() as connection:
            fired = repository.fired_by_signals(connection, schedule.model, time_text(at - timedelta(days=1)))
        if fired >= most:
            return f"signals began {fired} runs within 24 hours: at most {most}"
        if least:
            _, record = self._newest(schedule)
            new, known = self._growth(schedule, record)
            if new < least:  # how many there are would be another reason each time
                return f"there are fewer than {least:,} new rows of '{record.name}' since the last run's {known:,}"
        return None

    def _fire(self, schedule: Schedule, due: _Due, at: datetime) -> Job | None:
        """Submit, unless another scheduler or a person was faster."""
        request, record = self._newest(schedule)
        until = self.schedules.submissions.datasets.until(record)
        given = {"last_digest": request.digest, "last_rows": record.rows, "last_until": until}

        def note(connection: sa.Connection, job: str) -> None:
            last = {"last_fired_at": time_text(at), "last_reason": due.reason, "last_job": job}
            if not repository.fire(connection, schedule, last | given):
                raise Conflict("another scheduler fired it")
            if repository.unfinished_job(connection, schedule.model, but=job) is not None:
                raise Conflict("a job of this model was submitted just now")
            repository.add_event(
                connection, schedule.model, "fired", due.trigger, due.reason, at=time_text(at), job=job
            )

        try:
            job = self.jobs.submit(request, within=note)
        except Conflict as error:
            log.info("not fired", model=schedule.model, reason=str(error))
            return None
        log.info("schedule fired", model=schedule.model, reason=due.reason, job=job.id)
        return job

    def _hold_back(self, schedule: Schedule, due: _Due, why: str, at: datetime) -> None:
        """Note in the history that it waits, once for each reason."""
        if schedule.held_back == why:
            return
        with self.schedules.database.begin() as connection:
            if repository.hold_back(connection, schedule, why):
                reason = f"{due.reason}; {why}"
                repository.add_event(connection, schedule.model, "held_back", due.trigger, reason, at=time_text(at))
        log.info("schedule held back", model=schedule.model, reason=why)
