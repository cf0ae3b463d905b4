"""Training: start a run, watch it, look at those before, and say when models are trained anew."""

from collections.abc import Callable, Mapping

import streamlit as st

from perfcast.ui._server import told
from perfcast.ui.parts import head, tell_what_happened
from perfcast.ui.parts.training import datasets, history, live, schedules, start

_SECTIONS: Mapping[str, Callable[[], None]] = {
    "Start": start,
    "History": history,
    "Schedules": schedules,
    "Datasets": datasets,
}


def page() -> None:
    """The whole page."""
    head(
        "Training",
        "Learn from measured rows. A run searches families and settings, and judges the best on rows it never saw.",
    )
    tell_what_happened()
    with told():
        section = st.segmented_control(
            "Section", list(_SECTIONS), default="Start", key="section", bind="query-params", required=True,
            label_visibility="collapsed",
        )  # fmt: skip
        live(whole=section == "Start")
        _SECTIONS[str(section)]()


if __name__ == "__main__":  # Streamlit runs it; tests import it
    page()
