"""Follows predictions and actuals of champions, hour by hour, inside the observer's transaction."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Literal, NamedTuple

import numpy as np
import sqlalchemy as sa
import structlog

from perfcast.manifest import BUDGETS, Manifest, Reference
from perfcast.monitoring._judged import Judged, parted
from perfcast.monitoring._records import Record
from perfcast.monitoring._versions import VersionOf, outside_of
from perfcast.monitoring.drift import _store as store
from perfcast.monitoring.drift._alarms import alarm_of
from perfcast.monitoring.drift._arrivals import OUTSIDE, close_inputs
from perfcast.monitoring.drift._bursts import follow
from perfcast.monitoring.drift._findings import document, findings_of
from perfcast.monitoring.drift._inputs import histogram
from perfcast.monitoring.drift._outcomes import close_outcomes
from perfcast.monitoring.drift._state import COST, Hour, State
from perfcast.monitoring.drift._stuck import repeated
from perfcast.monitoring.drift._sums import arrivals, outcomes, relative_error
from perfcast.registry import CHAMPION
from perfcast.storage import later, time_text

_LATE = timedelta(minutes=5)
"""So long after its end an hour waits for what is late."""
_AHEAD = timedelta(hours=1)
"""A moment further ahead of this machine's clock is a wrong one."""
_SETTLED = timedelta(seconds=10)
"""So long after another version has taken over, its predecessor may still answer somewhere."""
_WITHOUT = timedelta(hours=24)
"""So long without actuals, inputs alone may ask for a training run."""

Signal = Callable[[str, Literal["drift", "accuracy"], str], object]
log = structlog.stdlib.get_logger("perfcast.monitoring")


class Watched(NamedTuple):
    """A model that is watched: what that goes on from, and the version whose reference says what is usual."""

    model: str
    state: State
    manifest: Manifest
    reference: Reference


class Drift:
    """The watcher of inputs, errors, coverage and data quality.

    Args:
        version_of: Gives a version by model and number; None where there is none.
        signal: Told of a model whose errors or inputs have moved, with the reason; called by `after`.
        alarms_per_week: The budget of false alarms; one of `BUDGETS`.
        clock: Gives the present time.
    """

    def __init__(
        self,
        version_of: VersionOf,
        signal: Signal,
        *,
        alarms_per_week: float = 1.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._version_of, self._signal, self._clock = version_of, signal, clock
        self._outside = outside_of(version_of)
        self._budget = str(min(BUDGETS, key=lambda budget: abs(budget - alarms_per_week)))
        self._signals: list[tuple[str, Literal["drift", "accuracy"], str]] = []

    def predicted(self, connection: sa.Connection, records: Sequence[Record]) -> None:
        """Count inputs, and judge the hours that have ended."""
        latest = time_text(self._clock() + _AHEAD)
        mine = [record for record in records if record.arm == CHAMPION and record.at <= latest]
        mine.sort(key=lambda record: record.at)
        for (model, number), some in parted(mine, lambda record: (record.model, record.version)).items():
            state = self._taken_over(store.read_state(connection, model), number, some[-1].at, model)
            watched = self._watched(model, state)
            if watched is not None and watched.state.version == number:
                self._inputs(connection, watched, some)
                self._keep(connection, watched)

    def judged(self, connection: sa.Connection, judged: Sequence[Judged]) -> None:
        """Add errors, and judge the hours that have ended."""
        latest = time_text(self._clock() + _AHEAD)
        mine = [one for one in judged if one.record.arm == CHAMPION and one.at <= latest]
        mine.sort(key=lambda one: one.at)
        for model, held in parted(mine, lambda one: one.record.model).items():
            watched = self._watched(model, store.read_state(connection, model))
            if watched is None:  # its predictions are told first; older ones aren't watched
                continue
            some = [one for one in held if one.record.version == watched.state.version]
            if some:
                self._outcomes(connection, watched, some)
                self._keep(connection, watched)

    def after(self) -> None:
        """Hand out what schedules are to hear."""
        signals, self._signals = self._signals, []
        for model, kind, reason in signals:
            self._signal(model, kind, reason)

    def _watched(self, model: str, state: State | None) -> Watched | None:
        """None where nothing is watched, or its version is gone or has no reference."""
        version = None if state is None else self._version_of(model, state.version)
        if state is None or version is None or version.manifest.reference is None:
            return None
        return Watched(model, state, version.manifest, version.manifest.reference)

    def _taken_over(self, state: State | None, number: int, at: str, model: str) -> State | None:
        """The state, begun anew where another version answers now that can be watched."""
        if state is not None and (state.version == number or at < later(state.since, _SETTLED)):
            return state
        anew = State(number, at)
        if self._watched(model, anew) is None:
            return state
        if state is not None:
            anew.begun, anew.stretch = state.begun, state.stretch
            if anew.stretch is not None:
                anew.stretch.switched_at = at
        return anew

    def _inputs(self, connection: sa.Connection, watched: Watched, records: Sequence[Record]) -> None:
        model, state, manifest, reference = watched
        names = [feature["name"] for feature in manifest.workload["features"]]
        rows = np.array([record.row for record in records], dtype=np.float32)
        outside = self._outside(model, state.version, rows)
        for hour, positions in _hours([record.at for record in records]):
            columns = {name: rows[positions, names.index(name)] for name in reference.inputs}
            counts = {name: histogram(held, reference.inputs[name].edges).tolist() for name, held in columns.items()}
            store.add_counts(connection, model, state.version, hour, len(positions), counts)
            if hour > state.closed_inputs:
                some = [records[at] for at in positions]
                sums = arrivals(some, columns, int(outside[positions].sum()))
                state.inputs.setdefault(hour, Hour()).add(sums)
        values = rows[:, [names.index(name) for name in reference.inputs]]
        for at, (name, item) in enumerate(reference.inputs.items()):
            if item.longest_run is not None and values.shape[1] > 1:
                others = np.delete(values, at, axis=1)
                repeated(state, name, values[:, at], others, records[-1].at, item.longest_run)
        for hour in _ended(state.inputs, records[-1].at):
            day = store.day_of_counts(connection, model, state.version, hour)
            close_inputs(state, reference, hour, day, self._budget)
            store.forget_counts(connection, model, hour)
            self._say_inputs(model, state, hour)

    def _outcomes(self, connection: sa.Connection, watched: Watched, judged: Sequence[Judged]) -> None:
        model, state, manifest, reference = watched
        relative = bool(manifest.workload["cost"].get("relative", False))
        actual = np.array([one.actual for one in judged], dtype=np.float64)
        answers = np.array([one.record.cost for one in judged], dtype=np.float64)
        errors = relative_error(actual, answers) if relative else np.abs(answers - actual)
        for at, one in enumerate(judged):
            ended = follow(state, one.at, float(errors[at]), reference.burst, reference.errors.usual)
            if ended is not None:
                store.add_anomaly(connection, model, ended)
        for hour, positions in _hours([one.at for one in judged]):
            if hour > state.closed_outcomes:
                some = [judged[at] for at in positions]
                sums = outcomes(some, actual[positions], answers[positions], errors[positions])
                state.outcomes.setdefault(hour, Hour()).add(sums)
        if reference.cost_run is not None:
            repeated(state, COST, actual, answers[:, None], judged[-1].at, reference.cost_run)
        for hour in _ended(state.outcomes, judged[-1].at):
            close_outcomes(state, reference, hour, self._budget, relative=relative)
            self._say_outcomes(model, state)

    def _say_outcomes(self, model: str, state: State) -> None:
        """Ask for a training run as long as errors or coverage are not as usual; the schedule decides when."""
        words = [alarm.words for alarm in state.alarms.values() if alarm.kind in ("error", "coverage", "unexplained")]
        if words and alarm_of(state, "quality") is None:  # what can't be right isn't learnt
            self._signals.append((model, "accuracy", "; ".join(words)))

    def _say_inputs(self, model: str, state: State, hour: str) -> None:
        """Without actuals, rows outside what was learnt ask for one."""
        alarm = alarm_of(state, "inputs", OUTSIDE)
        if alarm is not None and state.closed_outcomes < later(hour, -_WITHOUT):
            self._signals.append((model, "drift", alarm.words))

    def _keep(self, connection: sa.Connection, watched: Watched) -> None:
        model, state, _, reference = watched
        before = (store.read_findings(connection, model) or {}).get("findings", [])
        told = {(one["kind"], one["feature"]) for one in before if one["alarm"]}
        for finding in findings_of(state, reference, self._budget):
            if finding.alarm and (finding.kind, finding.feature) not in told:
                log.warning("drift", model=model, kind=finding.kind, feature=finding.feature, found=finding.words)
        store.write_state(connection, model, state, document(state, reference, self._budget))


def _hours(moments: Sequence[str]) -> list[tuple[str, list[int]]]:
    """When each hour begins, and the positions of what is in it; moments are ISO 8601, UTC, in order."""
    positions = groupby(range(len(moments)), lambda at: moments[at][:13])
    return [(f"{hour}:00:00.000000Z", list(some)) for hour, some in positions]


def _ended(hours: Mapping[str, Hour], at: str) -> list[str]:
    """The open hours that have ended, oldest first."""
    return [hour for hour in sorted(hours) if later(hour, timedelta(hours=1) + _LATE) <= at]
