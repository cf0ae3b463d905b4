"""Headroom: how far the load may rise before the upper bound passes the limit; a section of the page Capacity."""

import streamlit as st

from perfcast.ui._server import client
from perfcast.ui.charts import Band, Curve, curve
from perfcast.ui.parts import Scenario, amount, cost_axis, palette, share, show, symbol, title, with_unit
from perfcast_client import InvalidRequest
from perfcast_client.answers import HeadroomAnswer, WorkloadDetails

_CONFIDENCES = (0.75, 0.9, 0.95, 0.975, 0.995)


def headroom(workload: WorkloadDetails, model: str, scenario: Scenario, limit: float) -> None:
    """The section; nothing where the workload has no load that its cost rises with."""
    if not any(feature.trend == "increasing" for feature in workload.features):
        return
    st.header("Headroom", divider="gray", help="Users and connections rise with the load, as in the measured rows.")
    left, right = st.columns([2, 5], gap="large")
    with left:
        confidence = st.select_slider(
            "Share of cases that stay within the limit", _CONFIDENCES, 0.95, key="confidence", bind="query-params",
            format_func=lambda value: f"{100 * value:g}\u202f%",
        )  # fmt: skip
        load = st.number_input(
            "Load to be shared by replicas", 0.0, None, None, key="shared load", bind="query-params",
            help="How many replicas, each as described above, does this load need?",
        )  # fmt: skip
    try:
        found = client().headroom(scenario.row(), limit, model=model, confidence=confidence, load=load or None)
    except InvalidRequest as refused:
        st.caption(f"Not known: {refused.detail}")
        return
    with left:
        _answer(workload, found)
    with right:
        _curve(workload, found, limit)


def _answer(workload: WorkloadDetails, found: HeadroomAnswer) -> None:
    unit = next(feature.unit for feature in workload.features if feature.name == found.vary)
    room = found.headroom_percent
    st.metric(
        f"Largest {title(found.vary).lower()}", amount(found.max_load, unit),
        None if room is None else f"{room:+.0f}\u202f% of the present load", delta_arrow="off", delta_color="off",
    )  # fmt: skip
    if found.max_load is None:
        st.caption(":red[:material/error: even the least load may be too much]")
    if not found.limit_reached:
        st.caption("The limit isn't reached as far as was looked: three times the largest load seen.")
    if found.extrapolated:
        seen = "" if found.observed_max is None else f", up to {amount(found.observed_max, unit)}"
        st.caption(f":orange[:material/warning: beyond what it was trained on{seen}; trust it less]")
    if found.replicas is not None:
        st.metric("Replicas needed", f"{found.replicas:,}")
    if found.following:
        st.caption(
            "Along with it: " + "; ".join(f"{title(name).lower()} {how}" for name, how in found.following.items())
        )


def _curve(workload: WorkloadDetails, found: HeadroomAnswer, limit: float) -> None:
    points = found.curve
    unit = next(feature.unit for feature in workload.features if feature.name == found.vary)
    x_title, most = with_unit(found.vary, unit), workload.cost.maximum
    one = Curve("predicted", points.load, points.cost, Band(points.lower, points.upper))
    figure = curve(
        palette(), [one], x_title=x_title, y_title=cost_axis(workload.cost), here=found.current.load, limit=limit,
        most=found.max_load, y_range=(0.0, most) if most is not None else None,
    )  # fmt: skip
    table = {x_title: points.load, "predicted": points.cost, "lower": points.lower, "upper": points.upper}
    words = f"{found.words}, in {share(100 * found.confidence)} of cases".replace(found.unit, symbol(found.unit))
    show(figure, "headroom", alt=words, table=table)
