"""Continuous training: when each model is trained anew, and what came of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from perfcast.ui._server import client, fresh, told
from perfcast.ui.parts._asked import asked, happened
from perfcast.ui.parts._words import moment
from perfcast_client.answers import ScheduleEntry, ScheduleEventEntry

_EVENTS = {"fired": "Trained", "held_back": "Held back", "signal": "Signal"}
_MOST_EVENTS = 50


def schedules() -> None:
    """All of them, and one to set, remove or look into."""
    found = {one.model_name: one for one in client().schedules.list().schedules}
    if found:
        _list(list(found.values()))
    else:
        st.info("No model is trained by itself yet. Set below when one shall be.")
    names = list({**found, **fresh(lambda api: api.models.list(), "models").models})
    if not names:
        st.caption("A schedule belongs to a model, and there is none yet. Train one first.")
        return
    model = st.selectbox("Model", names, key="schedule", bind="query-params", width=360)
    _form(str(model), found.get(str(model)))
    if model in found:
        _history(str(model))


def _list(found: Sequence[ScheduleEntry]) -> None:
    columns = {
        "Model": [one.model_name for one in found],
        "Trained anew": [triggers(one) for one in found],
        "On": ["yes" if one.enabled else "no" for one in found],
        "Next by the clock (UTC)": [moment(one.next_at) for one in found],
        "Last (UTC)": [moment(one.last_fired_at) for one in found],
        "Because of": [one.last_reason or "–" for one in found],
        "Waits because": [one.held_back or "–" for one in found],
    }
    st.dataframe(columns, hide_index=True, key="schedules", alt=f"{len(found)} schedules")


def triggers(schedule: ScheduleEntry) -> str:
    """When a schedule fires, in words."""
    told = [f"cron {schedule.cron} ({schedule.time_zone})"] if schedule.cron else []
    told += [f"every {schedule.new_rows:,} new rows"] if schedule.new_rows else []
    told += ["on drift or lost accuracy"] if schedule.drift else []
    return ", ".join(told)


def _form(model: str, present: ScheduleEntry | None) -> None:
    st.header(f"When {model} is trained anew", divider="gray")
    if present is not None and present.signal:
        st.warning(
            f"A signal waits to be acted on: {present.signal_reason or present.signal}", icon=":material/warning:"
        )
    with st.form(f"schedule of {model}", border=False):
        left, right = st.columns(2, gap="large")
        with left:
            plan = _triggers(model, present)
        with right:
            plan |= _limits(model, present)
        request = _effort(model, present)
        save = st.form_submit_button("Save the schedule", type="primary", icon=":material/event_repeat:")
    with told():
        if save:
            _save(model, plan, request, present)
        if present is not None and st.button("Remove the schedule …", icon=":material/delete:", key="remove schedule"):
            _remove(model)


def _triggers(model: str, present: ScheduleEntry | None) -> dict[str, Any]:
    st.markdown("**Whichever comes first**")
    cron = st.text_input(
        "By the clock (cron)", present.cron or "" if present else "0 3 * * *", key=f"cron {model}", placeholder="Never",
        help="Minute, hour, day, month, weekday: `0 3 * * *` is every night at three, `0 */6 * * mon-fri` every six "
        "hours on working days; in the service's own time zone.",
    )  # fmt: skip
    rows = st.number_input(
        "With so many new rows", 1, 1_000_000_000, present.new_rows if present else None, 1000, key=f"rows {model}",
        placeholder="Never", help="More rows than the last run learnt from.",
    )  # fmt: skip
    drift = st.toggle(
        "On drift or lost accuracy", present.drift if present else False, key=f"drift {model}",
        help="When monitoring signals that the inputs have moved or the live errors have grown.",
    )  # fmt: skip
    on = st.toggle("Switched on", present.enabled if present else True, key=f"on {model}")
    return {"cron": cron or None, "new_rows": rows, "drift": drift, "enabled": on}


def _limits(model: str, present: ScheduleEntry | None) -> dict[str, Any]:
    st.markdown("**But not too often**")
    least = st.number_input(
        "Least time between runs (min)", 0.1, 527_040.0, present.minimum_interval_seconds / 60 if present else 60.0,
        10.0, format="%.6g", key=f"least {model}", help="Whatever triggers them.",
    )  # fmt: skip
    most = st.number_input(
        "Most runs a day by signals", 1, 1000, present.most_per_day if present else 4, 1, key=f"most {model}",
        help="Runs that drift or lost accuracy alone begin within 24 hours.",
    )  # fmt: skip
    return {"minimum_interval_seconds": 60 * least, "most_per_day": most}


def _effort(model: str, present: ScheduleEntry | None) -> dict[str, Any]:
    st.markdown("**How it is trained then**")
    request = present.request if present else None
    left, right = st.columns(2, gap="large")
    trials = left.number_input("Trials", 1, 10_000, request.n_trials if request else 20, 10, key=f"trials {model}")
    seconds = request.timeout_seconds if request else None
    minutes = right.number_input(
        "Time limit (min)", 0.1, 10_080.0, None if seconds is None else seconds / 60, 5.0, format="%.6g",
        key=f"minutes {model}", placeholder="No limit",
    )  # fmt: skip
    better = st.toggle(
        "Let it answer if it is better", value=request is None or request.promote == "auto", key=f"promote {model}"
    )
    limit = None if minutes is None else 60 * minutes
    return {"n_trials": trials, "timeout_seconds": limit, "promote": "auto" if better else "never"}


def _save(model: str, plan: Mapping[str, Any], request: Mapping[str, Any], present: ScheduleEntry | None) -> None:
    if not (plan["cron"] or plan["new_rows"] or plan["drift"]):
        st.error("Give at least one trigger: the clock, new rows, or drift.", icon=":material/error:")
        return
    kept: dict[str, Any] = {}
    if present is not None:  # what this form doesn't ask for stays as it is
        old = present.request
        kept = {"families": old.families, "seed": old.seed, "dataset": old.dataset, "newest_rows": old.newest_rows}
        kept |= {"base": old.base, "trends": old.trends}
    least = present.least_new_rows if present is not None else None
    saved = client().schedules.set(model, **plan, least_new_rows=least, request={**kept, **request})
    happened(f"**{model}** is trained anew: {triggers(saved)}")


def _remove(model: str) -> None:
    def act() -> str:
        client().schedules.remove(model)
        return f"**{model}** is no longer trained by itself"

    consequence = "It will no longer be trained by itself. A job that is queued or running goes on; its versions stay."
    asked(f"Remove the schedule of {model}?", consequence, "Remove it", act)


def _history(model: str) -> None:
    st.header("What it did", divider="gray")
    events = client().schedules.history(model, limit=_MOST_EVENTS).events
    if not events:
        st.caption("Nothing yet.")
        return
    columns = {
        "At (UTC)": [moment(one.at) for one in events],
        "What": [_EVENTS.get(one.kind, one.kind) for one in events],
        "Why": [one.reason for one in events],
        "Job": [one.job_status or "–" for one in events],
        "Version": [str(one.model_version or "–") for one in events],
        "What came of it": [_came_of_it(one) for one in events],
    }
    st.dataframe(columns, hide_index=True, key="schedule history", alt=f"{len(events)} events, newest first")


def _came_of_it(event: ScheduleEventEntry) -> str:
    return event.error or event.outcome or ""
