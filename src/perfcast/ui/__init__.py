"""The web UI: pages for people, a user of the HTTP API like any other.

`app` is what Streamlit runs: the frame around the pages. `views/` holds one file a page; `parts/` what several pages
are made of (the form of a workload's features, a figure with its table, what a person kept); `charts/` makes figures of
plain lists and knows no Streamlit. `_server` is the one way to the API, through `perfcast_client`; `_look` is the
visual language: which colour means what.
"""

from perfcast.ui._run import check_port, run_ui

__all__ = ["check_port", "run_ui"]
