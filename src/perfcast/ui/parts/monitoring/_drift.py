"""Whether a model's world is still the one it learnt: alarms, what is watched, and anomalies."""

from collections.abc import Sequence

import streamlit as st

from perfcast.ui._server import fresh
from perfcast.ui.charts import Bar, bars
from perfcast.ui.parts._figure import palette, show
from perfcast.ui.parts._words import amount, title
from perfcast.ui.parts.monitoring._models import KINDS
from perfcast.ui.parts.monitoring._runbooks import runbook
from perfcast_client.answers import DriftAnomaly, DriftFinding, DriftReport

_SECTIONS = {
    "error": "PerfcastErrorUp",
    "coverage": "PerfcastCoverageLost",
    "quality": "PerfcastBadData",
    "unexplained": "PerfcastUnexplainedCost",
    "inputs": "PerfcastInputsMoved",
}
_WATCHED = {
    "error": "mean error of an hour",
    "coverage": "misses of the 90 % interval",
    "unexplained": "cost that inputs don't explain",
    "quality": "data that can't be right",
    "inputs": "inputs",
}
_FEATURES = {"(extrapolated)": "rows outside what was learnt", "(interval width)": "width of the intervals"}


def drift(model: str) -> None:
    """Alarms first, then everything watched, then anomalies."""
    found: DriftReport = fresh(lambda api: api.models.drift(model), f"drift {model}")
    alarms = [one for one in found.findings if one.alarm]
    for one in alarms:
        _alarm(one)
    if found.note:
        st.info(_sentence(found.note), icon=":material/info:")
    elif not alarms:
        st.markdown(":green[:material/check_circle: **As usual**] · nothing that is watched is beyond its threshold")
    _until(found)
    if found.findings:
        _watched(found.findings)
        _anomalies(found.anomalies)


def _alarm(one: DriftFinding) -> None:
    since = f" · since {one.since:%Y-%m-%d %H:%M} UTC" if one.since else ""
    where = f" ({watched(one)})" if one.feature else ""
    kind = _sentence(KINDS.get(one.kind, one.kind))
    what_to_do = runbook(_SECTIONS[one.kind]) if one.kind in _SECTIONS else ""
    told = f"**{kind}**{where}: {one.words}{since}  \n{what_to_do}"
    (st.error if one.pages else st.warning)(told, icon=":material/notifications_active:")


def _until(found: DriftReport) -> None:
    parts = [
        f"version {found.version}, watched since {found.watched_since:%Y-%m-%d %H:%M}" if found.watched_since else "",
        f"actuals judged until {found.actuals_until:%Y-%m-%d %H:%M}"
        if found.actuals_until
        else "no hour of actuals judged yet",
        f"inputs until {found.inputs_until:%Y-%m-%d %H:%M}" if found.inputs_until else "no day of inputs judged yet",
        f"budget of false alarms: {found.alarms_per_week:g} a week" if found.alarms_per_week else "",
    ]
    if found.version is not None:
        st.caption(_sentence("; ".join(part for part in parts if part)) + f" (UTC). Thresholds: {found.method}.")


def watched(one: DriftFinding) -> str:
    """What a finding is about."""
    if one.feature:
        return _FEATURES.get(one.feature, title(one.feature))
    return _WATCHED.get(one.kind, one.kind)


def _watched(findings: Sequence[DriftFinding]) -> None:
    st.markdown("**What is watched, and how far from its threshold**")
    ordered = sorted(findings, key=lambda one: (not one.alarm, -one.score))
    shown = [Bar(_label(one), one.score, "danger" if one.alarm else "measured") for one in ordered]
    beyond = sum(one.score >= 1 for one in ordered)
    table: dict[str, Sequence[object]] = {
        "Watched": [watched(one) for one in ordered],
        "Kind": [one.kind for one in ordered],
        "Measured ÷ threshold": [one.score for one in ordered],
        "Alarm": [one.alarm for one in ordered],
        "Found": [one.words or "as usual" for one in ordered],
        "Since (UTC)": [f"{one.since:%Y-%m-%d %H:%M}" if one.since else "" for one in ordered],
    }
    words = ", ".join(f"{watched(one)} {amount(one.score)}" for one in ordered)
    figure = bars(palette(), shown, x_title="measured ÷ threshold", limit=1.0)
    show(figure, "drift", alt=f"{beyond} of {len(ordered)} reach their threshold, which is 1. {words}", table=table)


def _label(one: DriftFinding) -> str:
    words = watched(one)
    return f"{words}: data" if one.kind == "quality" and one.feature else words


def _anomalies(anomalies: Sequence[DriftAnomaly]) -> None:
    st.markdown("**Anomalies**  \n:small[:gray[stretches of large errors that ended again; training leaves them out]]")
    if not anomalies:
        st.caption("None so far.")
        return
    columns = {
        "From (UTC)": [f"{one.first_at:%Y-%m-%d %H:%M}" for one in anomalies],
        "To (UTC)": [f"{one.last_at:%Y-%m-%d %H:%M}" for one in anomalies],
        "What": [one.reason for one in anomalies],
    }
    st.table(columns, border="horizontal", hide_index=True, alt="Anomalies, the newest first")


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
