"""What an address names but is not there: a link outlives a model."""

from collections.abc import Collection

import streamlit as st

from perfcast.ui.parts._words import verbatim


def say_missing(key: str, names: Collection[str]) -> None:
    """Say which models the address asks for in vain; to be called before the input that is bound to it.

    Args:
        key: Of the address.
        names: Models that there are to choose from.
    """
    for asked in st.query_params.get_all(key):
        if asked and asked not in names:
            st.warning(f"There is no model {verbatim(asked)} here (any more); choose another.", icon=":material/help:")
