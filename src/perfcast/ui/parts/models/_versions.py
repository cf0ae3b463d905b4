"""A model's versions in a table, and one of them chosen."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from perfcast.ui.parts._words import amount, moment, share, verbatim
from perfcast.ui.parts.models._errors import family, held_out_error
from perfcast.ui.parts.models._version import about_version
from perfcast_client.answers import Cost, ModelDetails, VersionEntry

VERSION = "version"


def versions(model: ModelDetails, cost: Cost) -> None:
    """The table, newest first, and the page of the version that the address names; the champion's if none."""
    if not model.versions:
        st.info(f"It has no version. Train one: `perfcast train --workload {model.workload}`, or upload one.")
        return
    entries = sorted(model.versions, key=lambda one: one.version, reverse=True)
    st.dataframe(table_of(entries, cost), hide_index=True, key="versions", column_config=_COLUMNS, alt="Versions")
    numbers = [str(one.version) for one in entries]
    first = str(model.champion) if model.champion is not None else numbers[0]
    _say_unknown(model.name, numbers)
    chosen = st.selectbox("Version", numbers, numbers.index(first), key=VERSION, bind="query-params", width=160)
    about_version(model, next(one for one in entries if str(one.version) == chosen), cost)


def table_of(entries: Sequence[VersionEntry], cost: Cost) -> dict[str, list[Any]]:
    """Versions as columns by their titles."""
    columns = {
        "Version": [_numbered(one) for one in entries],
        "Alias": [", ".join(one.aliases) or "–" for one in entries],
        "Type": [family(one.type) for one in entries],
        "Held-out error": [held_out_error(one.metrics, cost) for one in entries],
        "Within 10 %": [share(one.metrics.within_10 if one.metrics else None) for one in entries],
        "90 % intervals hold": [_held(one) for one in entries],
        "One row (µs)": [amount(one.graph.row_us if one.graph else None) for one in entries],
        "Graph (kB)": [amount(one.graph.bytes / 1000 if one.graph else None) for one in entries],
        "Made (UTC)": [moment(one.created_at) for one in entries],
        "Note": [one.problem or one.note or "–" for one in entries],
    }
    return {name: list(column) for name, column in columns.items()}


_COLUMNS = {"Version": st.column_config.TextColumn(pinned=True), "Note": st.column_config.TextColumn(width="large")}


def _say_unknown(name: str, numbers: Sequence[str]) -> None:
    asked = st.query_params.get(VERSION)
    if asked is not None and asked not in numbers:
        st.warning(f"{name} has no version {verbatim(asked)} (any more).", icon=":material/help:")


def _numbered(one: VersionEntry) -> str:
    return f"{one.version} · {one.label}" if one.label else str(one.version)


def _held(one: VersionEntry) -> str:
    if one.calibrated is False:
        return "no intervals"
    return share(one.metrics.coverage.get("0.9") if one.metrics else None)
