"""What a version was made from, and its graph."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from perfcast.ui.parts._words import amount
from perfcast.ui.parts.models._errors import family, off_unit
from perfcast_client.answers import Cost, Data, Graph, VersionMetrics

_PARTS = {"train": "to train", "calibrate": "to calibrate intervals", "test": "to judge"}

_METRICS = {"mae": "MAE", "rmse": "RMSE", "mape": "MAPE", "median_ape": "median"}


def made_from(known: VersionMetrics, cost: Cost) -> None:
    """Data, search and graph, side by side."""
    st.markdown("**What it is made of**")
    left, middle, right = st.columns(3, gap="medium")
    with left:
        _facts("Data", _data(known.data))
    with middle:
        _facts("Search", _search(known.search, cost))
    with right:
        _facts("Graph", _graph(known))
    if known.settings:
        with st.expander("Settings of the family"):
            st.json(known.settings, expanded=False)


def _facts(name: str, facts: Mapping[str, str]) -> None:
    st.table({name: list(facts), "Value": list(facts.values())}, border="horizontal", hide_index=True, alt=name)


def _data(data: Data | None) -> dict[str, str]:
    if data is None:
        return {"Dataset": "not known: it was not trained here"}
    parts = {f"Rows {_PARTS.get(part, part)}": f"{rows:,}" for part, rows in data.parts.items()}
    newest = {"Newest row": data.until[:16].replace("T", " ") + " UTC"} if data.until else {}
    return {
        "Dataset": data.name,
        "Its digest": data.digest[:12],
        "Rows": f"{data.rows:,}",
        "Distinct configurations": f"{data.configurations:,}",
        **parts,
        "Split": data.split,
        **newest,
    }


def _search(search: Mapping[str, Any], cost: Cost) -> dict[str, str]:
    if not search:
        return {"Search": "none is known"}
    facts = {"Trials": str(search["trials"])} if "trials" in search else {}
    if "seconds" in search:
        facts["Time"] = amount(search["seconds"], "s")
    scores = search.get("scores") or {}
    metric = str(search.get("metric", "score"))
    unit = "%" if metric.endswith("ape") else off_unit(cost)
    for name, score in sorted(scores.items(), key=lambda item: item[1]):
        facts[f"Best {family(name)}"] = f"{_METRICS.get(metric, metric)} {amount(score)}\u00a0{unit}"
    return facts


def _graph(known: VersionMetrics) -> dict[str, str]:
    graph: Graph = known.graph
    facts = {
        "Size": amount(graph.bytes / 1000, "kB"),
        "Median time of one row": amount(graph.row_us, "µs"),
        "Operators": f"opset {graph.opset}, IR {graph.ir}",
        "Digest": graph.sha256[:12],
    }
    if graph.native_row_us is not None:
        facts["The same outside the graph"] = amount(graph.native_row_us, "µs")
    if known.parity is not None:
        worst = f"{known.parity.worst:.1e}" if known.parity.worst else "none"
        facts["Worst difference from it"] = f"{worst}, on {known.parity.rows:,} rows"
    return facts
