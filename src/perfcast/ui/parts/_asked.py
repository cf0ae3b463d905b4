"""Questions before something is changed, and what happened then."""

from collections.abc import Callable
from typing import NoReturn

import streamlit as st

from perfcast.ui._server import changed, told

_HAPPENED = "happened"


def asked(question: str, consequence: str, yes: str, act: Callable[[], str]) -> None:
    """Ask in a dialog whether to do something; what the API refuses is said there.

    Args:
        question: The dialog's title.
        consequence: What will be different.
        yes: On the button that does it.
        act: Does it, and says what happened.
    """

    @st.dialog(question)
    def dialog() -> None:
        st.markdown(consequence)
        with st.container(horizontal=True):
            decided = st.button(yes, type="primary", key="do it")
            if st.button("Leave it as it is", key="leave it"):
                st.rerun()
        if decided:
            with told():
                happened(act())
            changed()  # refused, most often because what was shown is out of date

    dialog()


def happened(words: str) -> NoReturn:
    """Something was changed: show the page anew, and say so on it."""
    st.session_state[_HAPPENED] = words
    changed()
    st.rerun()


def tell_what_happened() -> None:
    """What the last change came to, once."""
    if words := st.session_state.pop(_HAPPENED, ""):
        st.toast(words, icon=":material/check_circle:")
