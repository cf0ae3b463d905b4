"""A page's head: what it is for, in a sentence."""

import streamlit as st


def head(title: str, lead: str) -> None:
    """Title and sentence."""
    st.title(title)
    st.html(f'<p class="perfcast-lead">{lead}</p>')
