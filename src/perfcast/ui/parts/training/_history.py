"""Jobs of before: filtered, and one of them opened."""

import math
from collections.abc import Sequence

import streamlit as st

from perfcast.ui._server import client, fresh
from perfcast.ui.parts._words import duration, moment, verbatim
from perfcast.ui.parts.training._search import numbers, trials_of
from perfcast.ui.parts.training._words import STATUSES, families_title, family_title, score, status_title
from perfcast_client import NotFound, calls
from perfcast_client.answers import JobDetails, JobList, TrainingJob

_PAGE = 20
_EVERY = "all"
_JOB = "job"
MODELS_PAGE = "views/models.py"


def history() -> None:
    """The list, newest first, and the job that the address names."""
    status, model = _filters()
    place, found, page = st.container(), _jobs(status, model, 1), 1
    if not found.total:
        st.info(_nothing(status, model))
    else:
        if found.total > _PAGE:
            page = st.pagination(math.ceil(found.total / _PAGE), key="page", bind="query-params")
            found = found if page == 1 else _jobs(status, model, page)
        with place:
            _list(found.jobs, f"{status} {model} {page}")
        st.caption(f"{found.total:,} {'job' if found.total == 1 else 'jobs'}. Choose a row to open it.")
    if opened := st.query_params.get(_JOB):
        _open(opened)


def _jobs(status: str | None, model: str | None, page: int) -> JobList:
    asked = calls.list_jobs(status=status, model=model, limit=_PAGE, offset=_PAGE * (page - 1))
    return client().raw(asked).value


def _filters() -> tuple[str | None, str | None]:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        status = st.segmented_control(
            "Status", [_EVERY, *STATUSES], default=_EVERY, key="status", bind="query-params", required=True, wrap=True,
            format_func=lambda one: STATUSES[one][0] if one in STATUSES else "All", on_change=_first_page,
        )  # fmt: skip
    with right:
        names = list(fresh(lambda api: api.models.list(), "models").models)
        model = st.selectbox(
            "Model", names, None, key="of", bind="query-params", placeholder="All models", on_change=_first_page,
            accept_new_options=True,
        )  # fmt: skip
    return None if status in (None, _EVERY) else str(status), model


def _first_page() -> None:
    st.session_state.pop("page", None)


def _nothing(status: str | None, model: str | None) -> str:
    if status is None and model is None:
        return "Nothing has been trained here yet. Start a run above: **Start**."
    kind = STATUSES[status][0].lower() + " " if status else ""
    return f"There is no {kind}job{f' of {verbatim(model)}' if model else ''}. Choose another status or model."


def _list(jobs: Sequence[TrainingJob], key: str) -> None:
    columns = {
        "Submitted (UTC)": [moment(job.created_at) for job in jobs],
        "Model": [job.model_name for job in jobs],
        "Status": [status_title(job) for job in jobs],
        "Trials": [f"{job.trial} of {job.n_trials}" for job in jobs],
        "Best error": [score(job) for job in jobs],
        "Family": [family_title(job.best_family) for job in jobs],
        "Took": [duration(job.spent_seconds if job.started_at else None) for job in jobs],
        "Version": [str(job.model_version or "–") for job in jobs],
        "What came of it": [job.error or job.outcome or "" for job in jobs],
    }
    key = f"jobs {key}"
    st.dataframe(
        columns, hide_index=True, key=key, on_select=lambda: _chosen(jobs, key), selection_mode="single-row",
        alt=f"{len(jobs)} jobs, newest first; choose a row to open it",
    )  # fmt: skip


def _chosen(jobs: Sequence[TrainingJob], key: str) -> None:
    rows = st.session_state[key].selection.rows
    if rows:
        st.query_params[_JOB] = jobs[rows[0]].job_id
    else:
        st.query_params.pop(_JOB, None)


def _open(identifier: str) -> None:
    try:
        job = client().jobs.get(identifier)
    except NotFound:
        st.warning(f"There is no job {verbatim(identifier)}, or it was removed since. Choose another one.")
        return
    st.header(f"{job.model_name}, {moment(job.created_at)} UTC", divider="gray")
    _came_of_it(job)
    numbers(job)
    trials_of(job, f"opened {job.job_id}")
    _asked(job)


def _came_of_it(job: JobDetails) -> None:
    name, icon, colour = STATUSES.get(job.status, (job.status, ":material/help:", "gray"))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(name, icon=icon, color=colour)
        if job.model_version is not None:
            st.page_link(
                MODELS_PAGE, label=f"Version {job.model_version} of {job.model_name}", icon=":material/deployed_code:",
                query_params={"model": job.model_name, "version": str(job.model_version)},
            )  # fmt: skip
    if job.outcome:
        st.markdown(f"{job.outcome[0].upper()}{job.outcome[1:]}.")
    if job.error:
        st.error(job.error, icon=":material/error:")


def _asked(job: JobDetails) -> None:
    limit = "none" if job.timeout_seconds is None else duration(job.timeout_seconds)
    facts = {
        "Rows": job.dataset + (f", the newest {job.newest_rows:,}" if job.newest_rows else ""),
        "Workload": job.workload,
        **({"Starts from": job.base} if job.base else {}),
        "Families": families_title(job.families),
        "Time limit": limit,
        "May become champion": "if it is better" if job.promote == "auto" else "no",
        "Seed": str(job.seed),
        "Begun (UTC)": moment(job.started_at),
        "Ended (UTC)": moment(job.finished_at),
        "Attempts": str(job.attempt),
        "Worker": job.worker or "–",
        "Job": job.job_id,
        "Request": job.request_id or "–",
    }
    with st.expander("What was asked for", icon=":material/list_alt:"):
        st.table({"What": list(facts), "Asked for": list(facts.values())}, border="horizontal", hide_index=True)
