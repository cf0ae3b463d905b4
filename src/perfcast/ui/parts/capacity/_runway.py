"""Runway: when the load outgrows the limit, if it goes on as it did; a section of the page Capacity."""

from collections.abc import Sequence
from datetime import date

import streamlit as st

from perfcast.ui._server import client
from perfcast.ui.charts import Band, Curve, curve
from perfcast.ui.parts import amount, cost_axis, moment, palette, share, show, symbol, title
from perfcast_client import Conflict, InvalidRequest
from perfcast_client.answers import RunwayAnswer, WorkloadDetails

_HORIZONS = {"2 weeks": 14, "a month": 30, "2 months": 60, "3 months": 90, "half a year": 182}


def runway(workload: WorkloadDetails, model: str, limit: float) -> None:
    """The section, once it is asked for: it reads the whole history."""
    if not any(feature.trend == "increasing" for feature in workload.features):
        return
    st.header("Runway", divider="gray", help="The load of the measured rows goes on: its days, weeks and growth.")
    left, right = st.columns([2, 5], gap="large")
    with left:
        horizon = st.selectbox("Look ahead", list(_HORIZONS), 1, key="horizon", bind="query-params")
        growth = st.number_input(
            "Growth (% a month)", -90.0, 1000.0, None, 1.0, key="growth", bind="query-params",
            help="As in its history, if it is left empty.",
        )  # fmt: skip
        country = st.text_input(
            "Public holidays of", key="holidays", bind="query-params", placeholder="DE, US-CA …",
            help="A country or a part of one (ISO 3166), whose holidays are as quiet as Sundays.",
        )  # fmt: skip
        asked = st.toggle("Show", key="show runway", bind="query-params")
    if not asked:
        return
    try:
        with right, st.spinner("Following the load …"):
            found = client().runway(
                limit,
                model=model,
                horizon_days=_HORIZONS[horizon],
                growth_percent_per_month=growth,
                country=country.strip() or None,
            )
    except (Conflict, InvalidRequest) as refused:
        st.caption(f"Not known: {refused.detail}")
        return
    with left:
        _answer(workload, found)
    with right:
        _curve(workload, found, limit)


def _answer(workload: WorkloadDetails, found: RunwayAnswer) -> None:
    at = found.first_exceeded_at
    st.metric("The limit is first passed", "not in sight" if at is None else moment(at)[:10])
    early, late = found.band.earliest, found.band.latest
    if early is not None:
        until = f"and {moment(late)[:10]}" if late is not None else "and after the horizon"
        st.caption(f"in nine of ten courses between {moment(early)[:10]} {until}")
    st.caption(f"{share(100 * found.probability)} of the courses pass it within {found.horizon_days:g} days")
    history = found.history
    if history.growth_percent_per_month is not None:
        words = f"growth {history.growth_percent_per_month:+.1f}\u202f% a month"
        if history.growth_lower is not None and history.growth_upper is not None:
            words += f" ({history.growth_lower:+.0f} to {history.growth_upper:+.0f})"
        st.caption(f"{words}, by {history.days:.0f} days of {history.dataset}")
    most = max((one.replicas or 0 for one in found.replicas_by_hour), default=0)
    if most > 1:
        unit = next(feature.unit for feature in workload.features if feature.name == found.vary)
        busiest = max(found.replicas_by_hour, key=lambda one: one.load)
        st.caption(
            f"In the next week up to {most} replicas are needed, most at {moment(busiest.at)} UTC "
            f"({title(found.vary).lower()} {amount(busiest.load, unit)})"
        )


def _curve(workload: WorkloadDetails, found: RunwayAnswer, limit: float) -> None:
    days = [date.fromisoformat(one.date) for one in found.peaks_by_day]
    bounds = [one.bound for one in found.peaks_by_day]
    middle = [one.middle for one in bounds]
    band = Band([one.lower for one in bounds], [one.upper for one in bounds])
    at, most = found.first_exceeded_at, workload.cost.maximum
    figure = curve(
        palette(), [Curve("upper bound at the day's peak", days, middle, band)], x_title="Day",
        y_title=cost_axis(workload.cost), limit=limit, most=None if at is None else at.date(),
        y_range=(0.0, most) if most is not None else None,
    )  # fmt: skip
    table: dict[str, Sequence[object]] = {
        "Day": [one.date for one in found.peaks_by_day],
        f"Peak {title(found.vary).lower()}": [one.load.middle for one in found.peaks_by_day],
        f"Bound ({symbol(found.unit)})": middle,
        "Passed by then": [share(100 * one.probability) for one in found.probability_by_day],
    }
    show(figure, "runway", alt=found.words, table=table)
