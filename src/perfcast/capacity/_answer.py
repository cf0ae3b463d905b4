"""The headroom of a version, as an answer, and what it has in common with its runway."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import msgspec
import numpy as np

from perfcast.capacity._following import Following, follows
from perfcast.capacity._headroom import CONFIDENCES, Bounds, Headroom, find_headroom, one_load
from perfcast.errors import InvalidInput, Refused
from perfcast.manifest import Calibration
from perfcast.serving import Predictor, short
from perfcast.workloads import Rows, Workload

CONFIDENCE = 0.95
_Load = Annotated[float, msgspec.Meta(gt=0)]


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /headroom`.

    Attributes:
        limit: For the upper bound, in the cost's unit.
        scenario: Features by name: the present load and all else.
        model_name: NAME, NAME:VERSION or NAME@ALIAS; the default model of the workload whose features these are, if
            None.
        confidence: That the cost stays below its upper bound.
        vary: The load; the workload's first feature whose cost rises with it, if None.
        scale_together: Features that rise in proportion to the load; as the version has learnt if None.
        load: A load to be shared by replicas, each of which is what the scenario describes.
    """

    limit: float
    scenario: Mapping[str, Any]
    model_name: str | None = None
    confidence: float = CONFIDENCE
    vary: str | None = None
    scale_together: Sequence[str] | None = None
    load: _Load | None = None


def answer_headroom(
    predictor: Predictor, row: Sequence[float], question: Question, calibration: Calibration | None = None
) -> dict[str, Any]:
    """The largest load that the limit allows: the answer of `POST /headroom`.

    Args:
        predictor: The version that is asked.
        row: The scenario, a number a feature in declared order.
        question: What is asked.
        calibration: How wide intervals must be at present; as the version itself says where there is none.

    Raises:
        InvalidInput: Names the field that is wrong.
        Refused: The version has no intervals, or its workload no load.
    """
    following = following_of(predictor, question.vary, question.scale_together)
    found = find_headroom(
        predictor.workload,
        bounds_of(predictor, question.confidence, calibration),
        np.array(row, dtype=np.float32),
        following,
        limit=question.limit,
        observed=_observed(predictor, following.load),
    )
    return _document(predictor, question, following, found)


def following_of(predictor: Predictor, vary: str | None, together: Sequence[str] | None) -> Following:
    """What is varied and what follows it, by what the version has learnt, unless it is told.

    Raises:
        InvalidInput: One of the names can't be.
        Refused: The workload has no load.
    """
    load = vary if vary is not None else one_load(predictor.workload)
    return follows(predictor.workload, _varied(predictor.workload, load), predictor.version.manifest.path, together)


def bounds_of(predictor: Predictor, confidence: float, calibration: Calibration | None) -> Callable[[Rows], Bounds]:
    """What a version says of rows, with the bounds that such a confidence asks for.

    Raises:
        InvalidInput: There is no such confidence.
    """
    return partial(_bounds, predictor, coverage_for(confidence), calibration)


def coverage_for(confidence: float) -> float:
    """The coverage of the interval whose upper end a cost stays below with such a confidence.

    Raises:
        InvalidInput: There is none.
    """
    coverage = CONFIDENCES.get(confidence)
    if coverage is None:
        raise InvalidInput.of("confidence", f"must be one of {', '.join(map(str, CONFIDENCES))}, got {confidence:g}")
    return coverage


def _observed(predictor: Predictor, load: str) -> float | None:
    """The largest load it was trained on; None of uploads that don't say, whose ranges are the declared bounds."""
    feature = predictor.workload.features[predictor.workload.feature_names.index(load)]
    known = predictor.version.manifest.ranges.get(load)
    return None if known is None or tuple(known) == (feature.minimum, feature.maximum) else known[1]


def _varied(workload: Workload, name: str) -> str:
    able = [
        feature.name
        for feature in workload.features
        if feature.declaration.type in ("number", "integer")
        and not feature.declaration.clock
        and feature.declaration.trend != "decreasing"
    ]
    if name not in able:
        raise InvalidInput.of("vary", f"can't be '{name}'; it may be {', '.join(able)}")
    return name


def _bounds(predictor: Predictor, coverage: float, calibration: Calibration | None, rows: Rows) -> Bounds:
    found = predictor.predict(rows, coverage, calibration)
    if found.lower is None or found.upper is None:
        raise Refused(f"{predictor.name} promises no interval, so no bound can be kept below a limit; train the model")
    return Bounds(found.cost, found.lower, found.upper)


def _document(predictor: Predictor, question: Question, following: Following, found: Headroom) -> dict[str, Any]:
    present, cost, upper = found.current
    most, load = found.most, following.load
    room = None if most is None or present <= 0 else round(100 * (most / present - 1), 2)
    return {
        **head_of(predictor, load, question.limit, question.confidence),
        f"max_{load}": None if most is None else short(most),
        "max_load": None if most is None else short(most),
        "limit_reached": found.reached,
        "current": {"load": short(present), "prediction": short(cost), "upper": short(upper)},
        "headroom_percent": room,
        "extrapolated": _outside(predictor, found),
        "observed_max": None if found.observed is None else short(found.observed),
        "following": _following(following, present),
        "replicas": None if question.load is None else found.replicas(question.load),
        "curve": {name: [short(value) for value in values] for name, values in found.curve._asdict().items()},
        "words": _words(predictor, question, load, found),
    }


def head_of(predictor: Predictor, load: str, limit: float, confidence: float) -> dict[str, Any]:
    """What answers about a load and a limit begin with."""
    return {
        "model_name": predictor.model,
        "model_version": predictor.number,
        "model_type": predictor.type,
        "cost": predictor.workload.cost.name,
        "unit": predictor.workload.cost.unit,
        "vary": load,
        "limit": limit,
        "confidence": confidence,
    }


def _following(following: Following, present: float) -> dict[str, str]:
    slopes = {name: f"rises by {slope:g} with each" for name, slope in following.slopes.items()}
    return slopes | dict.fromkeys(following.proportional if present > 0 else (), "in proportion")


def _outside(predictor: Predictor, found: Headroom) -> list[str]:
    """Features outside what the version was trained on, where the load is as large as it may be."""
    if found.row is None:
        return []
    flags = predictor.outside(found.row[None])[0].tolist()
    return [name for name, flag in zip(predictor.workload.feature_names, flags, strict=True) if flag]


def _words(predictor: Predictor, question: Question, load: str, found: Headroom) -> str:
    """The answer as a sentence."""
    unit = predictor.workload.cost.unit
    limit = f"{question.limit:g} {unit}".rstrip()
    if found.most is None:
        return f"even the least {load} may cost more than {limit}"
    if not found.reached:
        return f"up to {load} {found.most:g}, as far as was looked, {limit} isn't reached"
    words = f"{load} may rise to {found.most:.4g} before the upper bound passes {limit}"
    beyond = f"; that is beyond what the version has seen ({found.observed:.4g})" if _outside(predictor, found) else ""
    return words + beyond
