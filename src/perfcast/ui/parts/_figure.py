"""A figure with its table beside it, for those who read rather than look, and for those who can't look."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from perfcast.palette import PALETTES, Palette, Theme
from perfcast.ui.parts._words import plain

_CONFIG = {"displayModeBar": False, "responsive": True}


def theme() -> Theme:
    """What the browser shows."""
    return "dark" if st.context.theme.type == "dark" else "light"


def palette() -> Palette:
    """The colours of that theme."""
    return PALETTES[theme()]


def show(figure: go.Figure, key: str, *, alt: str, table: Mapping[str, Sequence[Any]] | None = None) -> None:
    """A figure, and under it the table it is drawn from.

    Args:
        figure: What is shown.
        key: Its name on the page.
        alt: What it says, in a sentence, for screen readers; markup is left out.
        table: Columns by their titles; None where the figure says no more than the text beside it.
    """
    st.plotly_chart(figure, theme=None, key=key, config=_CONFIG, alt=plain(alt))
    if table is not None:
        with st.popover("As a table", icon=":material/table_rows:", type="tertiary", key=f"{key} popover"):
            st.dataframe(dict(table), hide_index=True, key=f"{key} table", alt=plain(alt))
