"""The foot of the navigation: which API this is, how it is, and where its documentation is."""

import streamlit as st

from perfcast.ui._place import api_url, grafana_url, public_url
from perfcast.ui._server import fresh
from perfcast_client import PerfcastClientError

_STATES = {
    "healthy": ":green[:material/check_circle:] healthy",
    "degraded": ":orange[:material/warning:] degraded",
    "unhealthy": ":red[:material/error:] unhealthy",
}


@st.fragment(run_every=15)
def foot() -> None:
    """State of the server, asked every quarter of a minute."""
    try:
        health = fresh(lambda client: client.health(), "health")
    except PerfcastClientError:
        st.caption(f":red[:material/cloud_off:] no answer  \n{api_url()}")
        return
    st.caption(f"{_STATES.get(health.status, health.status)}  \n{api_url()} · {health.version}")
    links = [f"[API documentation]({public_url()}/docs)"]
    if grafana_url():
        links.append(f"[Grafana]({grafana_url()})")
    st.caption(" · ".join(links))
