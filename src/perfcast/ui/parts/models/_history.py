"""What happened to a model's aliases."""

import streamlit as st

from perfcast.ui._server import fresh
from perfcast.ui.parts._words import moment, share
from perfcast_client.answers import AliasEventEntry

_SHOWN = 200


def history(name: str) -> None:
    """Every move of an alias and every change of the split, newest first."""
    found = fresh(lambda api: api.models.history(name, limit=_SHOWN), f"history {name}")
    if not found.history:
        st.info("Nothing has happened yet: no alias was ever set. Activate a version to let it answer.")
        return
    table = {
        "When (UTC)": [moment(event.at) for event in found.history],
        "What": [_what(event) for event in found.history],
        "Why": [event.reason or "–" for event in found.history],
        "By": [event.actor for event in found.history],
    }
    config = {"What": st.column_config.TextColumn(width="medium"), "Why": st.column_config.TextColumn(width="large")}
    st.dataframe(table, hide_index=True, key="history", column_config=config, alt="History of the model's aliases")
    if found.total_events > len(found.history):
        st.caption(f"The newest {len(found.history)} of {found.total_events}.")


def _what(event: AliasEventEntry) -> str:
    if event.kind == "traffic":
        return f"challenger's share {share(event.share_before or 0)} → {share(event.share_after or 0)}"
    return f"{event.alias}: {_place(event.before)} → {_place(event.after)}"


def _place(version: int | None) -> str:
    return "nobody" if version is None else f"version {version}"
