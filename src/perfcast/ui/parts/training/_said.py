"""What was done, said once the page shows it."""

import streamlit as st

_KEY = "training said"


def say(words: str, icon: str) -> None:
    """Say it with the next run of the page; a toast before a rerun would be gone."""
    st.session_state.setdefault(_KEY, []).append((words, icon))


def say_all() -> None:
    """Say what waits to be said."""
    for words, icon in st.session_state.pop(_KEY, []):
        st.toast(words, icon=icon, duration="long")
