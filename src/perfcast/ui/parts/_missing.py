"""What an address names but is not there: a link outlives a model."""

from collections.abc import Collection

import streamlit as st

from perfcast.ui.parts._words import verbatim


def say_missing(key: str, names: Collection[str], *, kind: str = "model") -> None:
    """Say what the address asks for in vain; to be called before the input that is bound to it.

    Args:
        key: Of the address.
        names: What there is to choose from.
        kind: What it is called.
    """
    for asked in st.query_params.get_all(key):
        if asked and asked not in names:
            st.warning(f"There is no {kind} {verbatim(asked)} here (any more); choose another.", icon=":material/help:")
