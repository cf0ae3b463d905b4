"""The runway of a version, as an answer."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Any

import msgspec
import numpy as np

from perfcast.capacity._answer import CONFIDENCE, bounds_of, following_of, head_of
from perfcast.capacity._days_off import days_off
from perfcast.capacity._forecast import Moments
from perfcast.capacity._runway import LEVELS, Runway, find_runway
from perfcast.datasets import Dataset
from perfcast.errors import Conflict
from perfcast.manifest import Calibration
from perfcast.serving import Predictor, short
from perfcast.workloads import same_rows

HORIZON_DAYS = 30.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEVEL_NAMES = ("lower", "middle", "upper")


class RunwayQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /runway`.

    Attributes:
        limit: For the upper bound, in the cost's unit.
        model_name: NAME, NAME:VERSION or NAME@ALIAS; the default model of `cpu-utilization` if None.
        confidence: That the cost stays below its upper bound.
        horizon_days: How far to look ahead.
        growth_percent_per_month: Of the load; as in the history if None.
        vary: The load; the workload's first feature whose cost rises with it, if None.
        scale_together: Features that rise in proportion to the load; as the version has learnt if None.
        days_off: Dates (ISO 8601) whose load is a Sunday's, past and to come.
        country: Whose public holidays are such dates too: ISO 3166, such as `DE` or `US-CA`; none if None.
    """

    limit: float
    model_name: str | None = None
    confidence: float = CONFIDENCE
    horizon_days: Annotated[float, msgspec.Meta(gt=0)] = HORIZON_DAYS
    growth_percent_per_month: Annotated[float, msgspec.Meta(gt=-100, le=1000)] | None = None
    vary: str | None = None
    scale_together: Sequence[str] | None = None
    days_off: Sequence[str] = ()
    country: str | None = None


def answer_runway(
    predictor: Predictor,
    dataset: Dataset,
    source: str,
    question: RunwayQuestion,
    zone: tzinfo,
    calibration: Calibration | None = None,
) -> dict[str, Any]:
    """When the upper bound first passes the limit: the answer of `POST /runway`.

    Args:
        predictor: The version that is asked.
        dataset: Its history.
        source: What that is called.
        question: What is asked.
        zone: Whose clock the load follows.
        calibration: How wide intervals must be at present; as the version itself says where there is none.

    Raises:
        InvalidInput: Names the field that is wrong.
        Conflict: The rows have no times, or other features than the version reads.
        Refused: The history can't be gone on with, or the version has no intervals.
    """
    if dataset.measured_at is None:
        raise Conflict(f"the rows of {source} have no times, so they tell no course; import them with their times")
    if not same_rows(dataset.workload, predictor.workload):
        raise Conflict(f"{source} has other features than {predictor.name} reads; train the model again")
    following = following_of(predictor, question.vary, question.scale_together)
    found = find_runway(
        predictor.workload,
        bounds_of(predictor, question.confidence, calibration),
        dataset.features,
        dataset.measured_at,
        following,
        limit=question.limit,
        days=question.horizon_days,
        zone=zone,
        growth_percent_per_month=question.growth_percent_per_month,
        days_off=days_off(question.days_off, question.country, _years(dataset.measured_at, question.horizon_days)),
    )
    return _document(predictor, dataset, source, question, following.load, found, zone)


def _document(
    predictor: Predictor,
    dataset: Dataset,
    source: str,
    question: RunwayQuestion,
    load: str,
    found: Runway,
    zone: tzinfo,
) -> dict[str, Any]:
    history, (earliest, middle, latest) = found.forecast.history, map(_moment, found.first)
    bounds = history.growth_bounds
    return {
        **head_of(predictor, load, question.limit, question.confidence),
        "horizon_days": question.horizon_days,
        "first_exceeded_at": middle,
        "band": {"earliest": earliest, "latest": latest},
        "probability": short(float(found.passed[-1])),
        "probability_by_day": [
            {"date": _date(day), "probability": short(share)}
            for day, share in zip(found.days.tolist(), found.passed.tolist(), strict=True)
        ],
        "peaks_by_day": [
            {
                "date": _date(day),
                "load": dict(zip(_LEVEL_NAMES, map(short, found.peak_load[:, at].tolist()), strict=True)),
                "bound": dict(zip(_LEVEL_NAMES, map(short, found.peak_bound[:, at].tolist()), strict=True)),
            }
            for at, day in enumerate(found.days.tolist())
        ],
        "replicas_by_hour": [
            {"at": _moment(hour), "load": short(likely), "replicas": replicas}
            for hour, likely, replicas in zip(
                found.forecast.hours.tolist(), _likely(found).tolist(), found.replicas, strict=False
            )
        ],
        "history": {
            "dataset": source,
            "rows": len(dataset),
            "days": short(history.days),
            "until": _moment(int(history.hours[-1]) + 1),
            "weekly": history.weekly,
            "growth_percent_per_month": _maybe(history.growth_percent_per_month),
            "growth_lower": None if bounds is None else short(bounds[0]),
            "growth_upper": None if bounds is None else short(bounds[1]),
            "growth_given": question.growth_percent_per_month is not None,
        },
        "words": _words(predictor, question, found, zone),
    }


def _likely(found: Runway) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(np.quantile(found.forecast.courses[:, : len(found.replicas)], LEVELS[-1], axis=0))


def _years(moments: Moments, ahead: float) -> list[int]:
    """The years from the first moment to so many days beyond the last."""
    first, last = (np.datetime64(moment, "D") for moment in (moments.min(), moments.max()))
    years = np.array([first, last + np.timedelta64(int(ahead) + 1, "D")], dtype="datetime64[Y]").astype(int) + 1970
    return list(range(int(years[0]), int(years[1]) + 1))


def _words(predictor: Predictor, question: RunwayQuestion, found: Runway, zone: tzinfo) -> str:
    """The answer as a sentence; days are the zone's."""

    def day(hour: int) -> str:
        return (_EPOCH + timedelta(hours=hour)).astimezone(zone).strftime("%Y-%m-%d")

    limit, days = f"{question.limit:g} {predictor.workload.cost.unit}".rstrip(), f"{question.horizon_days:g} days"
    share = f"{100 * found.passed[-1]:.0f} %"
    earliest, middle, latest = found.first
    end = int(found.forecast.history.hours[-1])
    old = datetime.now(UTC) - (_EPOCH + timedelta(hours=end)) > timedelta(days=1)
    since = f" (counted from {day(end)}, when its history ends)" if old else ""
    if earliest is None:
        return f"the upper bound stays within {limit} for {days}{since}; {share} of the courses pass it"
    between = f"not before {day(earliest)}" + (f", by {day(latest)} at the latest" if latest else "")
    if middle is None:
        return f"the upper bound may pass {limit} within {days}{since}: {share} of the courses do, {between}"
    return f"the upper bound first passes {limit} on {day(middle)}, {between}{since}"


def _moment(hour: int | None) -> str | None:
    """An hour since 1970 as ISO 8601, UTC."""
    return None if hour is None else (_EPOCH + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%d")


def _maybe(value: float | None) -> float | None:
    return None if value is None else short(value)
