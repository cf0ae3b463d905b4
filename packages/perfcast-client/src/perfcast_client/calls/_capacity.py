"""How much load a service takes."""

from collections.abc import Mapping, Sequence
from typing import Any

from perfcast_client._call import Call, finite, given, json, part, reading
from perfcast_client.answers import AutoscaleAnswer, HeadroomAnswer, RunwayAnswer


def headroom(
    scenario: Mapping[str, Any],
    limit: float,
    *,
    model: str | None = None,
    confidence: float | None = None,
    vary: str | None = None,
    scale_together: Sequence[str] | None = None,
    load: float | None = None,
) -> Call[HeadroomAnswer]:
    """The largest load up to which the upper bound of the cost stays within a limit.

    Args:
        scenario: Features by name: the present load, and all else.
        limit: For the upper bound, in the cost's unit.
        model: As for `predict`.
        confidence: That the cost stays below its upper bound: 0.75, 0.9, 0.95 (if None), 0.975, 0.995.
        vary: The load; the first feature whose cost rises with it, if None.
        scale_together: Features that rise in proportion to the load; as the version has learnt, if None.
        load: A load to be shared by replicas, each of which is what the scenario describes.
    """
    asked = given(
        scenario=finite(scenario),
        limit=limit,
        model_name=model,
        confidence=confidence,
        vary=vary,
        scale_together=scale_together,
        load=load,
    )
    return Call("POST", "/headroom", reading(HeadroomAnswer), body=json(asked))


def runway(
    limit: float,
    *,
    model: str | None = None,
    confidence: float | None = None,
    horizon_days: float | None = None,
    growth_percent_per_month: float | None = None,
    vary: str | None = None,
    scale_together: Sequence[str] | None = None,
    days_off: Sequence[str] | None = None,
    country: str | None = None,
) -> Call[RunwayAnswer]:
    """When the upper bound of the cost first passes a limit, if the load goes on as it did.

    Args:
        limit: For the upper bound, in the cost's unit.
        model: NAME, NAME:VERSION or NAME@ALIAS; the default model of `cpu-utilization` if None.
        confidence: As for `headroom`.
        horizon_days: How far to look ahead; 30 if None.
        growth_percent_per_month: Of the load; as in its history if None.
        vary: As for `headroom`.
        scale_together: As for `headroom`.
        days_off: Dates (ISO 8601), past and to come, whose load is a Sunday's.
        country: Whose public holidays are such dates too: ISO 3166, such as `DE` or `US-CA`.
    """
    asked = given(
        limit=limit,
        model_name=model,
        confidence=confidence,
        horizon_days=horizon_days,
        growth_percent_per_month=growth_percent_per_month,
        vary=vary,
        scale_together=scale_together,
        days_off=days_off,
        country=country,
    )
    return Call("POST", "/runway", reading(RunwayAnswer), body=json(asked))


def autoscale(
    model: str,
    features: Mapping[str, Any] | None = None,
    *,
    confidence: float | None = None,
    max_age_seconds: float | None = None,
) -> Call[AutoscaleAnswer]:
    """The upper bound of the cost at the newest load of the dataset that a model learns from: for autoscalers.

    Args:
        model: NAME, NAME:VERSION or NAME@ALIAS.
        features: A load to answer for instead.
        confidence: As for `headroom`.
        max_age_seconds: How old the newest load may be; 300 if None.
    """
    query = {"confidence": confidence, "max_age_seconds": max_age_seconds, **finite(features or {})}
    return Call("GET", f"/autoscale/{part(model)}", reading(AutoscaleAnswer), query=query)
