"""Monitoring: how the service is, how true its predictions turn out, and whether the world is as it was learnt."""

import streamlit as st

from perfcast.ui._server import client, fresh, told, workload_named
from perfcast.ui.parts import head, say_missing
from perfcast.ui.parts.monitoring import (
    EVERY_SECONDS,
    accuracy,
    alarms,
    condition,
    corrections,
    drift,
    every_model,
    links,
    traffic,
)

_JUDGED_SECONDS = 30
"""Workers add up every few seconds, and judge drift by the hour."""


def page() -> None:
    """The whole page."""
    head("Monitoring", "Is it well, is it quick, and does what it says turn out true?")
    links()
    live = st.toggle(
        "Follow live", value=True, key="live", bind="query-params",
        help=f"Look again every {EVERY_SECONDS} seconds; off, the page stands still.",
    )  # fmt: skip
    with told():
        client().health()  # never a copy: where the API is away, no part below begins to look
    st.fragment(_service, run_every=EVERY_SECONDS if live else None)()
    with told():
        models = fresh(lambda api: api.models.list(), "models").models
        if not models:
            st.info(
                "There is no model to watch yet. `perfcast up` makes the starter models; `perfcast train` your own."
            )
            return
        champions = {name: one.champion for name, one in models.items() if one.champion}
        costs = {name: workload_named(models[name].workload).cost for name in champions}
        st.header("Models, last 24 hours", divider="gray", help="The champions, by the true costs that were told.")
        every_model(costs, champions)
        say_missing("model", models)
        model = st.selectbox("Look closer at", list(models), key="model", bind="query-params", width=360)
    st.fragment(_model, run_every=_JUDGED_SECONDS if live else None)(model, models[model].workload)


def _service() -> None:
    with told():
        alarms()
        st.header("Health", divider="gray")
        condition()
        st.header("Traffic", divider="gray", help="Without probes and without this page's own looks.")
        traffic()


def _model(model: str, workload: str) -> None:
    with told():
        cost = workload_named(workload).cost
        st.header("Live accuracy", divider="gray")
        accuracy(model, cost)
        st.header("How intervals follow", divider="gray")
        corrections(model, cost)
        st.header("Drift", divider="gray")
        drift(model)


if __name__ == "__main__":  # Streamlit runs it; tests import it
    page()
