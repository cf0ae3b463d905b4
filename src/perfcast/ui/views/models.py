"""Models: which there are, how good each version is, and which of them answers."""

import streamlit as st

from perfcast.ui._server import fresh, told, workloads
from perfcast.ui.parts import head, moment, say_missing, tell_what_happened
from perfcast.ui.parts.models import answering, cost_of, glance, history, speed, upload, versions
from perfcast_client.answers import ModelList

_MODEL, _VERSION, _VIEW = "model", "version", "view"
_VIEWS = ("Versions", "Who answers", "Speed", "History", "Upload")


def page() -> None:
    """The whole page."""
    head("Models", "Which versions there are, how good each is, and which of them answers whom.")
    tell_what_happened()
    with told():
        listed = fresh(lambda api: api.models.list(), "models")
        if not listed.models:
            _nothing()
            return
        glance(listed)
        _one(_chosen(listed))


def _nothing() -> None:
    st.info(
        "There is no model yet. Make the starter models with `perfcast starters`, train one on your own rows with "
        "`perfcast train --dataset NAME`, or upload one:",
        icon=":material/deployed_code:",
    )
    upload("", list(workloads()))


def _chosen(listed: ModelList) -> str:
    """The model that the address names; the first that answers if none."""
    names = list(listed.models)
    say_missing(_MODEL, names)
    first = next((at for at, one in enumerate(listed.models.values()) if one.champion is not None), 0)
    chosen = st.selectbox("Model", names, first, key=_MODEL, bind="query-params", on_change=_forget_version, width=420)
    return str(chosen)


def _forget_version() -> None:
    st.session_state.pop(_VERSION, None)


def _one(name: str) -> None:
    model = fresh(lambda api: api.models.get(name), f"model {name}")
    cost = cost_of(model.workload)
    st.caption(
        f"Predicts {model.workload} · learns from {model.dataset or 'no dataset'} · made {moment(model.created_at)} UTC"
    )
    panels = dict(zip(_VIEWS, st.tabs(_VIEWS, key=_VIEW, on_change="rerun", bind="query-params"), strict=True))
    for view, panel in panels.items():
        if not panel.open:
            continue
        with panel, told():
            if view == "Versions":
                versions(model, cost)
            elif view == "Who answers":
                answering(model, cost)
            elif view == "Speed":
                speed(model, cost)
            elif view == "History":
                history(name)
            else:
                upload(name, list(workloads()))


if __name__ == "__main__":  # Streamlit runs it; tests import it
    page()
