"""The API as pages see it: a client for each key, copies that are a few seconds old, and what to do on a failure."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from perfcast.ui._place import api_url
from perfcast_client import (
    ApiError,
    Client,
    ConnectionFailed,
    NotAllowed,
    NotAuthenticated,
    PerfcastClientError,
    TimedOut,
)
from perfcast_client.answers import WorkloadDetails, WorkloadEntry

KEY = "api key"
_FRESH_SECONDS = 5
_LOOK_AGAIN_SECONDS = 3
_PATIENCE_SECONDS = 20
_MARKDOWN = re.compile(r"[\\`*_\[\]<>$~#|]|:(?=\w)")
_T = TypeVar("_T")


def client() -> Client:
    """The session's client; sessions with one key share its connections."""
    return _client(api_url(), st.session_state.get(KEY, ""))


@st.cache_resource(max_entries=100, show_spinner=False)
def _client(url: str, key: str) -> Client:
    # An empty key is none: never PERFCAST_API_KEY, which is the operator's own. Whoever looks at a page tries again.
    return Client(url, api_key=key, timeout=_PATIENCE_SECONDS, max_retries=0)


def fresh(read: Callable[[Client], _T], name: str) -> _T:
    """What the API says, at most a few seconds old; `name` says what is read, so that copies aren't mixed up."""
    return _fresh(api_url(), st.session_state.get(KEY, ""), name, read)


@st.cache_data(ttl=_FRESH_SECONDS, max_entries=500, show_spinner=False)
def _fresh(url: str, key: str, name: str, _read: Callable[[Client], _T]) -> _T:  # noqa: ARG001 - tells copies apart
    return _read(_client(url, key))


def changed() -> None:
    """Something was changed: what was read before is out of date."""
    _fresh.clear()


def workloads() -> dict[str, WorkloadEntry]:
    """Every workload at a glance, by name."""
    return fresh(lambda api: api.workloads.list(), "workloads").workloads


def workload_named(name: str) -> WorkloadDetails:
    """A workload's declaration, models and presets."""
    return fresh(lambda api: api.workloads.get(name), f"workload {name}")


@contextmanager
def told() -> Iterator[None]:
    """Say what went wrong, and what to do, in place of what could not be shown; the page's rest goes on.

    A key that is missing is asked for, and ends the page: nothing on it would answer.
    """
    try:
        yield
    except NotAuthenticated:
        _ask_for_key()
    except NotAllowed as error:
        st.error(f"This key may not do that: {as_it_is(error.detail)}", icon=":material/lock:")
    except TimedOut:
        st.error(f"No answer came within {_PATIENCE_SECONDS} s; the API is busy. Try again.", icon=":material/timer:")
    except ConnectionFailed as error:
        _nobody(str(error))
    except ApiError as error:
        st.error(as_it_is(error.detail), icon=":material/error:")
        st.caption(f"HTTP {error.status}" + (f", request {error.request_id}" if error.request_id else ""))
    except PerfcastClientError as error:
        st.error(as_it_is(str(error)), icon=":material/error:")


def as_it_is(words: str) -> str:
    """Words that aren't ours, such that nothing in them is taken for Markdown: no picture, no link, no formula."""
    return _MARKDOWN.sub(r"\\\g<0>", words)


def _nobody(reason: str) -> None:
    if _by_itself():  # the page says it once, however many of its parts look again
        changed()
        st.rerun()
    st.error(
        f"**The API doesn't answer** at {api_url()}.  \n"
        "Start it with `perfcast up`, or set `API_URL` to where it is. What was typed here stays.",
        icon=":material/cloud_off:",
    )
    st.caption(as_it_is(reason))
    if st.button("Try again", icon=":material/refresh:", key="try again"):
        st.cache_data.clear()
        st.rerun()
    _when_it_is_back()
    st.stop()


def _keep_key(key: str) -> None:
    try:
        _client(api_url(), key)
    except ValueError:
        st.error("A key has no blanks, and letters, digits and signs of ASCII only.", icon=":material/lock:")
        return
    st.session_state[KEY] = key
    st.rerun()


@st.fragment(run_every=_LOOK_AGAIN_SECONDS)
def _when_it_is_back() -> None:
    """Draw the whole page once the API answers again."""
    if not _by_itself():
        return
    try:
        client().health()
    except PerfcastClientError:
        return
    changed()
    st.rerun()


def _by_itself() -> bool:
    """Whether only a part of the page is being drawn again, not all of it."""
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


def _ask_for_key() -> None:
    given = st.session_state.get(KEY, "")
    if given:
        st.error("The API doesn't know this key.", icon=":material/lock:")
    with st.form("key", border=True):
        st.header("This API asks for a key")
        key = st.text_input(
            "API key", type="password", help="From whoever runs the API (`API_KEY`); kept in this tab only."
        )
        if st.form_submit_button("Continue", type="primary") and key:
            _keep_key(key.strip())
    st.stop()
