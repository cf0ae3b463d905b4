"""The last minutes of traffic, by the differences between looks at `/metrics`."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import streamlit as st

from perfcast.ui.charts import Bar, Meaning, Series, bars, lines
from perfcast.ui.parts._figure import palette, show
from perfcast.ui.parts._words import amount
from perfcast.ui.parts.monitoring._exposition import Look, look
from perfcast.ui.parts.monitoring._polls import EVERY_SECONDS, MINUTES, OUTCOMES, QUANTILES, Course, Step
from perfcast.ui.parts.monitoring._tiles import tiles

_KEY = "monitoring course"
_TIME = "Time (UTC)"
_MOST_MODELS = 8
_LEAST = timedelta(minutes=1)
_OUTCOME_MEANINGS: Mapping[str, Meaning] = {"answered": "ink", "refused": "measured", "failed": "danger"}
_KINDS = {
    "invalid": "invalid input",
    "unknown_model": "unknown model",
    "no_model": "no version answers",
    "overloaded": "overloaded",
    "internal": "internal",
}
_CALLERS = frozenset({"invalid", "unknown_model"})
"""Kinds that are the caller's mistake, not the server's failure."""
_WAITING = {
    "Requests being answered": "http_requests_in_flight",
    "Records waiting to be written": "prediction_records_waiting",
    "Records lost": "prediction_records_dropped_total",
    "Actuals waiting": "ml_actuals_waiting",
}


def traffic() -> None:
    """Requests, latency, models and errors of the last minutes, and what waits."""
    course: Course = st.session_state.setdefault(_KEY, Course())
    now = look()
    course.take(now)
    steps = list(course.steps)
    if not steps:
        st.info(f"Counting: the first figures come in {EVERY_SECONDS} seconds.", icon=":material/hourglass:")
        return
    _tiles(steps[-1])
    left, right = st.columns(2, gap="medium")
    with left:
        _requests(steps)
        _models(course)
    with right:
        _latency(steps)
        _errors(course)
    with left:
        _machine(steps)
    with right:
        _waiting(now)


def _waiting(now: Look) -> None:
    shown = {label: now.value(name) for label, name in _WAITING.items()}
    jobs = now.by("status", "perfcast_jobs")
    shown |= {"Jobs queued": jobs.get("queued"), "Jobs running": jobs.get("running")}
    st.markdown("**Waiting and lost**  \n:small[:gray[lost: since the server began]]")
    counts = ["–" if value is None else f"{value:,.0f}" for value in shown.values()]
    table = {"What": list(shown), "How many": counts}
    st.table(table, border="horizontal", hide_index=True, alt="What waits, and what was lost")


def _tiles(step: Step) -> None:
    rate, failed = sum(step.requests.values()) / step.seconds, step.requests["failed"] / step.seconds
    shown = {
        "Requests": amount(rate, "1/s"),
        "Failed requests": amount(failed, "1/s"),
        **{f"Latency, {name}": amount(value, "ms") for name, value in step.milliseconds.items()},
    }
    tiles(shown)


def _requests(steps: Sequence[Step]) -> None:
    rates = {name: [step.requests[name] / step.seconds for step in steps] for name in OUTCOMES}
    series = [
        Series(name, _times(steps), rates[name], meaning=_OUTCOME_MEANINGS[name], dash=dash)
        for dash, name in enumerate(OUTCOMES)
    ]
    _over_time(
        "Requests",
        _times(steps),
        series,
        "requests per second (1/s)",
        "refused: the caller's mistake; failed: the server's",
    )


def _latency(steps: Sequence[Step]) -> None:
    series = [
        Series(name, _times(steps), [step.milliseconds[name] for step in steps], meaning="ink", dash=dash)
        for dash, name in enumerate(QUANTILES)
    ]
    _over_time(
        "Time of a prediction",
        _times(steps),
        series,
        "milliseconds (ms)",
        "in the server; p95: 95 of 100 are quicker; a batch counts once",
    )


def _machine(steps: Sequence[Step]) -> None:
    names = list(steps[-1].machine)
    series = [
        Series(name, _times(steps), [step.machine[name] for step in steps], meaning="ink", dash=dash)
        for dash, name in enumerate(names)
    ]
    _over_time("The server's machine", _times(steps), series, "in use (%)", "the whole machine, not only Perfcast")


def _over_time(name: str, times: Sequence[datetime], series: Sequence[Series], y_title: str, note: str) -> None:
    st.markdown(f"**{name}**  \n:small[:gray[{note}]]")
    last = ", ".join(f"{one.name} {amount(one.y[-1])}" for one in series)
    table = {_TIME: [f"{at:%H:%M:%S}" for at in times]} | {one.name: one.y for one in series}
    first, newest = times[0], times[-1]
    span = (min(first, newest - _LEAST), newest + _LEAST / 20)  # one look alone has no scale of its own
    figure = lines(palette(), series, x_title=_TIME, y_title=y_title, x_range=span, marked=len(times) < 3)
    show(figure, name, alt=f"{name}, {y_title}, over the last minutes; newest: {last}", table=table)


def _models(course: Course) -> None:
    sums = course.sums(lambda step: step.predictions)
    shown = [Bar(name, value) for name, value in list(sums.items())[:_MOST_MODELS]]
    _counted("Predictions by model", shown, "predictions", "Nothing was predicted meanwhile.", course)


def _errors(course: Course) -> None:
    sums = course.sums(lambda step: step.errors)
    shown = [
        Bar(_KINDS.get(kind, kind), value, "measured" if kind in _CALLERS else "danger") for kind, value in sums.items()
    ]
    _counted("Failed predictions by kind", shown, "failed predictions", "No prediction failed meanwhile.", course)


def _counted(name: str, shown: Sequence[Bar], x_title: str, none: str, course: Course) -> None:
    seconds = sum(step.seconds for step in course.steps)
    st.markdown(f"**{name}**  \n:small[:gray[in the last {_minutes(seconds)}, as far as this page has watched]]")
    if not shown:
        st.caption(none)
        return
    words = ", ".join(f"{one.name} {one.value:,.0f}" for one in shown)
    table: dict[str, Sequence[object]] = {"Name": [one.name for one in shown], x_title: [one.value for one in shown]}
    show(bars(palette(), shown, x_title=x_title), name, alt=f"{name}: {words}", table=table)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f}\u202fs" if seconds < 120 else f"{min(MINUTES, seconds / 60):.0f}\u202fmin"


def _times(steps: Sequence[Step]) -> list[datetime]:
    return [step.until for step in steps]
