"""A few figures side by side."""

from collections.abc import Mapping

import streamlit as st

_PIXELS = 144


def tiles(shown: Mapping[str, str]) -> None:
    """Figures by their labels, as many in a row as have room."""
    with st.container(horizontal=True, gap="small"):
        for label, value in shown.items():
            st.metric(label, value, width=_PIXELS)
