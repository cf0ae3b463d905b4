"""The registry at a glance."""

from collections.abc import Mapping

import streamlit as st

from perfcast.ui.parts.models._errors import cost_of, family, held_out_error, live_error, metrics_of
from perfcast_client.answers import LiveAccuracy, ModelEntry, ModelList

_WINDOW = "7d"
_MOST_ASKED = 25
"""Each model's live accuracy is a question of its own to the API."""


def glance(listed: ModelList) -> None:
    """All models in a table, what is wrong with some, and files that are no models."""
    models = dict(sorted(listed.models.items(), key=lambda item: (item[1].workload, item[0])))
    live = _live(models)
    table = {
        "Model": list(models),
        "State": [_state(one) for one in models.values()],
        "Champion": ["none" if one.champion is None else str(one.champion) for one in models.values()],
        "Held-out error": [held_out_error(one.metrics, cost_of(one.workload)) for one in models.values()],
        "Live error, 7 days": [live_error(live.get(name), cost_of(one.workload)) for name, one in models.items()],
        "Type": [family(one.type) for one in models.values()],
        "Workload": [one.workload for one in models.values()],
    }
    if len(models) > _MOST_ASKED:
        del table["Live error, 7 days"]
    config = {"Model": st.column_config.TextColumn(pinned=True)}
    st.dataframe(table, hide_index=True, key="glance", column_config=config, alt="All models")
    for name, one in models.items():
        if one.problem:
            st.error(f"**{name}** can't answer: {one.problem}", icon=":material/error:")
    _unread(listed)


def _live(models: Mapping[str, ModelEntry]) -> Mapping[str, LiveAccuracy]:
    """Of each champion, in the last seven days."""
    answering = [name for name, one in models.items() if one.champion is not None and not one.problem]
    if len(models) > _MOST_ASKED:
        return {}
    found = {name: metrics_of(name) for name in answering}
    return {
        name: one.live["champion"][_WINDOW] for name, one in found.items() if _WINDOW in one.live.get("champion", ())
    }


def _state(one: ModelEntry) -> str:
    if one.problem:
        return "broken"
    if one.champion is None:
        return "has no champion"
    if not one.loaded:
        return "is being loaded"
    return "answers, A/B" if one.traffic.get("challenger") else "answers"


def _unread(listed: ModelList) -> None:
    if not listed.not_loaded:
        return
    with st.expander(f"Files that could not be read: {len(listed.not_loaded)}", icon=":material/warning:"):
        st.caption("They lie in the server's `MODELS_DIR`; mend or remove them, and the server looks again by itself.")
        table = {
            "File": [one.path for one in listed.not_loaded],
            "Model": [one.model for one in listed.not_loaded],
            "Why": [one.reason for one in listed.not_loaded],
        }
        st.table(table, border="horizontal", hide_index=True, alt="Files that could not be read")
