"""A job's search: its numbers and its trials."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from perfcast.ui.charts import trials
from perfcast.ui.parts._figure import palette, show
from perfcast.ui.parts._words import amount, duration
from perfcast.ui.parts.training._words import error_title, error_unit, family_title, score
from perfcast_client.answers import JobDetails, TrainingJob


def numbers(job: TrainingJob) -> None:
    """Trials, the best so far and its family, and the time left or taken."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        _number("Trial", f"{job.trial} of {job.n_trials}", "Tries of a family's settings that have ended.")
        _number("Best" if job.finished else "Best so far", score(job), _meaning(job))
        _number("By family", family_title(job.best_family))
        if job.finished:
            _number("Took", duration(job.spent_seconds), "Over all attempts.")
        else:
            _number("Left, at most", duration(job.eta_seconds), "As long as the trials so far took, or the limit.")


def _number(label: str, value: str, meaning: str | None = None) -> None:
    st.metric(label, value, help=meaning, width="content")


def _meaning(job: TrainingJob) -> str:
    unit = error_unit(job.metric, job.workload)
    told = f"{error_title(job.metric)}{f' ({unit})' if unit else ''}"
    return f"{told} on rows that the search holds back for itself; less is better. Versions are judged on others."


def trials_of(job: JobDetails, key: str) -> None:
    """The chart of a job's last trials, with their table."""
    if not any(one.score is not None for one in job.trials):
        st.caption("No trial has given a score." if job.finished else "The first trial's score comes here.")
        return
    unit = error_unit(job.metric, job.workload)
    axis = f"{error_title(job.metric)} ({unit})" if unit else error_title(job.metric)
    shown, scores = [one.trial for one in job.trials], [one.score for one in job.trials]
    figure = trials(
        palette(),
        shown,
        scores,
        [family_title(one.family) for one in job.trials],
        y_title=axis,
        best_name="best so far" if shown[0] <= 1 else "best of these",
    )
    known = [value for value in scores if value is not None]
    table: dict[str, Sequence[Any]] = {
        "Trial": shown,
        "Family": [family_title(one.family) for one in job.trials],
        "State": [one.state for one in job.trials],
        axis: scores,
        "Time (s)": [one.seconds for one in job.trials],
    }
    alt = (
        f"{len(shown)} trials of {job.model_name}: scores from {amount(max(known))} down to {amount(min(known))} {unit}"
    )
    show(figure, key, alt=alt, table=table)
    if shown[0] > 1:
        st.caption(f"The last {len(shown)} trials; the best of all had {score(job)}.")
