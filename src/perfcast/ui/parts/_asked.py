"""Questions before something is changed, and what came of it."""

from collections.abc import Callable
from typing import NoReturn

import streamlit as st

from perfcast.ui._server import changed, told
from perfcast_client import PerfcastClientError

_HAPPENED, _REFUSED = "happened", "refused"


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
        if _HAPPENED in st.session_state:
            st.rerun()
        st.markdown(consequence)
        with st.container(horizontal=True):
            st.button(yes, type="primary", key="do it", on_click=_do, args=(act,))
            if st.button("Leave it as it is", key="leave it"):
                st.rerun()
        _tell_refusal()

    dialog()


def _do(act: Callable[[], str]) -> None:
    try:
        st.session_state[_HAPPENED] = act()
    except PerfcastClientError as error:
        st.session_state[_REFUSED] = error
    changed()  # also where it is refused: most often because what was shown is out of date


def happened(words: str) -> NoReturn:
    """Something was changed: show the page anew, and say so on it."""
    st.session_state[_HAPPENED] = words
    changed()
    st.rerun()


def tell_what_happened() -> None:
    """What the last change came to, once."""
    if words := st.session_state.pop(_HAPPENED, ""):
        st.toast(words, icon=":material/check_circle:")
    _tell_refusal()


def _tell_refusal() -> None:
    refused: PerfcastClientError | None = st.session_state.pop(_REFUSED, None)
    if refused is not None:
        with told():
            raise refused
