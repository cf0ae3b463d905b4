"""Jobs that are queued or running, as they go on."""

from itertools import islice

import streamlit as st

from perfcast.ui._server import changed, client, told
from perfcast.ui.parts._asked import asked, happened
from perfcast.ui.parts._words import moment, share
from perfcast.ui.parts.training._search import numbers, trials_of
from perfcast.ui.parts.training._words import stage_title
from perfcast_client.answers import TrainingJob

_BUSY_SECONDS, _IDLE_SECONDS = 2, 15
_MOST = 20
_SEEN, _ASKED = "training jobs seen", "training cancel asked"


def live(*, whole: bool) -> None:
    """What is queued and running now, or a line about it; asked again every other second while there is something."""
    jobs = _active()
    _notice(jobs)
    if (job := st.session_state.pop(_ASKED, None)) is not None:
        _cancel(job)
    st.fragment(_watch, run_every=_BUSY_SECONDS if jobs else _IDLE_SECONDS)(whole=whole)


def _active() -> list[TrainingJob]:
    """Running ones first, then those that wait, the next one first."""
    running, queued = (list(islice(client().jobs.list(status=one), _MOST)) for one in ("running", "queued"))
    return running[::-1] + queued[::-1]


def _watch(*, whole: bool) -> None:
    with told():
        jobs = _active()
        if _notice(jobs):
            changed()
            st.rerun()
        if not jobs or not whole:
            st.caption(_at_a_glance(jobs))
            return
        running = [job for job in jobs if job.status == "running"]
        for job in running:
            with st.container(border=True, key=f"job {job.job_id}"):
                _show(job)
        if waiting := jobs[len(running) :]:
            with st.container(border=True, key="waiting"):
                for job in waiting:
                    _headline(job)


def _notice(jobs: list[TrainingJob]) -> bool:
    """Whether there are others than before; those that have ended since are told of."""
    before, now = st.session_state.get(_SEEN, []), [job.job_id for job in jobs]
    st.session_state[_SEEN] = now
    if ended := [job for job in before if job not in now]:
        happened(" · ".join(_ended(client().jobs.get(job)) for job in ended))
    return set(before) != set(now)


def _at_a_glance(jobs: list[TrainingJob]) -> str:
    if not jobs:
        return ":material/bedtime: Nothing is training now."
    words = [f"**{job.model_name}** {share(100 * job.progress)}" for job in jobs if job.status == "running"]
    if waiting := len(jobs) - len(words):
        words.append(f"{waiting} waiting")
    return f":material/model_training: Training now: {', '.join(words)}"


def _ended(job: TrainingJob) -> str:
    if job.succeeded:
        return f"**{job.model_name}** has version {job.model_version}: {job.outcome or 'trained'}"
    return f"**{job.model_name}**: training {job.status}{f': {job.error}' if job.error else ''}"


def _show(job: TrainingJob) -> None:
    _headline(job)
    st.progress(min(1.0, job.progress), f"{share(100 * job.progress)} of the whole run")
    numbers(job)
    trials_of(client().jobs.get(job.job_id), f"trials {job.job_id}")


def _headline(job: TrainingJob) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{job.model_name}** · {stage_title(job)}  \n:gray[{_origin(job)}]", width="content")
        if job.cancel_requested:
            st.caption("Ends within five seconds …", width="content")
        elif st.button("Cancel", icon=":material/cancel:", key=f"cancel {job.job_id}"):
            st.session_state[_ASKED] = job
            st.rerun()
    if job.error:
        again = f" It is tried again at {job.retry_at:%H:%M:%S} UTC." if job.retry_at else ""
        st.warning(f"{job.error}{again}", icon=":material/replay:")


def _origin(job: TrainingJob) -> str:
    attempt = f", attempt {job.attempt}" if job.attempt > 1 else ""
    return f"from the rows of {job.dataset}, submitted {moment(job.created_at)} UTC{attempt}"


def _cancel(job: TrainingJob) -> None:
    def act() -> str:
        client().jobs.cancel(job.job_id)
        return f"**{job.model_name}**: the run ends within five seconds"

    consequence = (
        f"**{job.model_name}** has done {job.trial} of {job.n_trials} trials. Cancelled, it registers no version, and "
        "what it has found so far is not used. The model's other versions stay as they are."
    )
    asked("Cancel this run?", consequence, "Cancel the run", act)
