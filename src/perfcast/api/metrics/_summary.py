"""What lies in SQL, as metrics: read every few seconds in a probe's thread, never while somebody asks for it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from perfcast.api.metrics._exposition import ALONE, Samples
from perfcast.jobs import fired_counts, job_figures
from perfcast.monitoring import WINDOWS, Backlog, KnownActuals, backlog, corrections, drifting, live_accuracy
from perfcast.registry import activations
from perfcast.storage import Database

_LIVE = {
    "ml_live_mae": "mae",
    "ml_live_mape_percent": "mape",
    "ml_live_bias": "bias",
    "ml_live_coverage_percent": "coverage",
    "ml_live_interval_width": "width",
}


class Findings(NamedTuple):
    """What one look has found.

    Attributes:
        samples: For `/metrics`.
        backlog: For `/health`.
    """

    samples: Samples
    backlog: Backlog


class Summary:
    """Reads what others have written: the queue, the schedules, the registry, live accuracy, corrections, drift."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._actuals = KnownActuals()

    def read(self) -> Findings:
        """All of it; one transaction."""
        now = datetime.now(UTC)
        with self._database.read() as connection:
            waiting = backlog(connection)
            samples = {
                **_jobs(connection, now),
                "perfcast_schedule_fired_total": fired_counts(connection),
                "ml_model_activated_timestamp_seconds": {
                    model: datetime.fromisoformat(at).timestamp() for model, at in activations(connection).items()
                },
                **self._accuracy(connection, now),
                "ml_live_actuals_total": self._actuals.read(connection, now),
                "ml_actuals_waiting": {ALONE: waiting.actuals},
                "ml_interval_correction": {
                    (*version, side): moved
                    for version, both in corrections(connection).items()
                    for side, moved in zip(("lower", "upper"), both, strict=True)
                },
                **_drift(connection),
            }
        return Findings(samples, waiting)

    def _accuracy(self, connection: sa.Connection, now: datetime) -> Samples:
        samples: dict[str, dict[Any, float]] = {name: {} for name in _LIVE}
        for window, length in WINDOWS.items():
            for arm, accuracy in live_accuracy(connection, length, now).items():
                for name, field in _LIVE.items():
                    if (value := getattr(accuracy, field)) is not None:
                        samples[name][*arm, window] = value
        return samples


def _jobs(connection: sa.Connection, now: datetime) -> Samples:
    figures = job_figures(connection)
    since = figures.queued_since
    waited = (now - datetime.fromisoformat(since)).total_seconds() if since is not None else 0.0
    return {
        "perfcast_jobs": figures.counts,
        "perfcast_job_outcomes_total": figures.outcomes,
        "perfcast_job_progress": figures.progress,
        "perfcast_job_last_seconds": figures.last_seconds,
        "perfcast_job_oldest_queued_seconds": {ALONE: max(0.0, waited)},
    }


def _drift(connection: sa.Connection) -> Mapping[str, Mapping[Any, float]]:
    found = drifting(connection)
    return {
        "ml_drift_score": {(model, name): score for model, one in found.items() for name, score in one.scores.items()},
        "ml_drift_state": {(model, kind): on for model, one in found.items() for kind, on in one.state.items()},
        "ml_drift_alarms_total": {(model, kind): n for model, one in found.items() for kind, n in one.alarms.items()},
    }
