"""Scenarios that a person kept, to come back to or to compare; each is a link."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from perfcast.errors import Unavailable
from perfcast.ui._place import redis_url
from perfcast.ui._sessions import Sessions, make_sessions, session_of

_FIRST = "predict"
"""The page that has no path of its own: Streamlit serves its first one at the root alone."""
_COOKIE = "_streamlit_xsrf"


def keep(page: str, words: str, answer: str) -> None:
    """A button that keeps what the page shows.

    Args:
        page: The page's path.
        words: What the scenario is, in words.
        answer: What was answered.
    """
    if st.button("Keep this scenario", icon=":material/bookmark_add:", key=f"keep {page}"):
        link = f"./{'' if page == _FIRST else page}?{urlencode(_address())}"
        at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
        try:
            _sessions().add(_session(), {"at": at, "scenario": words, "answer": answer, "link": link})
        except Unavailable as error:
            st.warning(f"It could not be kept: {error}")


def _address() -> list[tuple[str, str]]:
    """What stands in the page's address; a name may stand there several times."""
    return [(name, value) for name in st.query_params for value in st.query_params.get_all(name)]


def kept() -> None:
    """What was kept, newest first."""
    try:
        entries = _sessions().entries(_session())
    except Unavailable as error:
        st.warning(f"What was kept can't be read: {error}")
        return
    if not entries:
        return
    st.header("Kept", divider="gray")
    columns = {name: [entry[name] for entry in entries] for name in ("at", "scenario", "answer", "link")}
    config: dict[str, Any] = {"at": "Kept (UTC)", "scenario": "Scenario", "answer": "Answer"}
    config["link"] = st.column_config.LinkColumn("Open", display_text="open")
    st.dataframe(columns, hide_index=True, column_config=config, key="kept")
    st.button("Forget all", key="forget", type="tertiary", on_click=_forget)


def _forget() -> None:
    try:
        _sessions().clear(_session())
    except Unavailable as error:
        st.warning(f"It could not be forgotten: {error}")


@st.cache_resource(show_spinner=False)
def _sessions() -> Sessions:
    return make_sessions(redis_url())


def _session() -> str:
    """This browser's; where it sends no cookie, this tab's."""
    return session_of(st.context.cookies.get(_COOKIE) or _tab())


def _tab() -> str:
    if "tab" not in st.session_state:
        st.session_state["tab"] = datetime.now(UTC).isoformat()
    return str(st.session_state["tab"])
