"""Where to read what to do."""

import streamlit as st

from perfcast.ui._place import docs_url, grafana_url, public_url


def links() -> None:
    """Elsewhere: Grafana, the API's documentation, the runbooks."""
    with st.container(horizontal=True, gap="small"):
        if grafana_url():
            st.link_button("Grafana", grafana_url(), icon=":material/monitoring:")
        st.link_button("API documentation", f"{public_url()}/docs", icon=":material/api:")
        st.link_button("Metrics as text", f"{public_url()}/metrics", icon=":material/data_object:")
        if docs_url():
            st.link_button("Runbooks", f"{docs_url()}/runbooks/", icon=":material/menu_book:")


def runbook(section: str) -> str:
    """What to do, as a section of the runbooks: a link to it, or, where nobody serves them, where it is."""
    place = f"[{section}]({docs_url()}/runbooks/#{section.lower()})" if docs_url() else f"{section} in docs/runbooks.md"
    return f"What to do: {place}"
