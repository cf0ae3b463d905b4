"""What lies in SQL, as metrics: read every few seconds in a probe's thread, never while somebody asks for it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
import structlog

from perfcast.api.metrics._exposition import ALONE, Samples
from perfcast.jobs import fired_counts, job_figures
from perfcast.manifest import DEFAULT_COVERAGE
from perfcast.monitoring import WINDOWS, Arm, Backlog, KnownActuals, backlog, read_accuracy, read_corrections
from perfcast.monitoring.drift import read_all_findings
from perfcast.registry import activations
from perfcast.storage import Database

log = structlog.stdlib.get_logger("perfcast.api")

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
                **_accuracy(connection, now),
                "ml_live_actuals_total": {_labels(arm): n for arm, n in self._actuals.read(connection, now).items()},
                "ml_actuals_waiting": {ALONE: waiting.actuals},
                "ml_interval_correction": _corrections(connection),
                **_drift(connection),
            }
        return Findings(samples, waiting)


def _accuracy(connection: sa.Connection, now: datetime) -> Samples:
    samples: dict[str, dict[Any, float]] = {name: {} for name in _LIVE}
    for arm, windows in read_accuracy(connection, whole=False, now=now).items():
        for window, length in WINDOWS.items():
            for name, field in _LIVE.items() if length is not None else ():
                if (value := getattr(windows[window], field)) is not None:
                    samples[name][*_labels(arm), window] = value
    return samples


def _labels(arm: Arm) -> tuple[str, str, int]:
    return arm.model, arm.arm, arm.version


def _corrections(connection: sa.Connection) -> dict[Any, float]:
    """How far the bounds at 0.9 are moved."""
    return {
        (*version, side): moved
        for version, correction in read_corrections(connection).items()
        for side, moved in zip(("lower", "upper"), correction.means.get(str(DEFAULT_COVERAGE), ()), strict=False)
    }


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
    scores: dict[Any, float] = {}
    states: dict[Any, float] = {}
    alarms: dict[Any, float] = {}
    for model, found in read_all_findings(connection).items():
        try:
            told = _scores(found["findings"])
            on, begun = ({kind: float(value) for kind, value in found[name].items()} for name in ("state", "alarms"))
        except (KeyError, TypeError, ValueError) as error:  # written by another Perfcast beside this one
            log.warning("findings can't be read", model=model, reason=f"{type(error).__name__}: {error}")
            continue
        scores |= {(model, name): score for name, score in told.items()}
        states |= {(model, kind): value for kind, value in on.items()}
        alarms |= {(model, kind): count for kind, count in begun.items()}
    return {"ml_drift_score": scores, "ml_drift_state": states, "ml_drift_alarms_total": alarms}


def _scores(findings: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The greatest score by feature; by kind, where it is about the cost."""
    scores: dict[str, float] = {}
    for one in findings:
        name = one["feature"] or one["kind"]
        scores[name] = max(float(one["score"]), scores.get(name, 0.0))
    return scores
