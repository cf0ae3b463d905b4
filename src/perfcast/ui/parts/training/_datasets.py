"""Measured rows to learn from: what there is, what it holds, and how to bring one's own."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from perfcast.ui._server import fresh, workloads
from perfcast.ui.parts._words import moment, with_unit
from perfcast_client.answers import ColumnValues, DatasetDetails, DatasetEntry

_MOST = 500
_NOTHING = 1e-12
_QUANTILES = {"0.05": "5 % below", "0.25": "25 % below", "0.5": "Median", "0.75": "75 % below", "0.95": "95 % below"}


def known_datasets() -> Sequence[DatasetEntry]:
    """All datasets, newest first."""
    return fresh(lambda api: api.datasets.list(limit=_MOST), "datasets").datasets


def reference(dataset: DatasetEntry) -> str:
    """`NAME` for the newest of a line, `NAME@DIGEST` for an older one."""
    return dataset.name if dataset.newest else f"{dataset.name}@{dataset.digest[:12]}"


def label(dataset: DatasetEntry) -> str:
    """A dataset in a list to choose from."""
    older = "" if dataset.newest else f", as of {moment(dataset.created_at)}"
    return f"{dataset.name} · {dataset.rows:,} rows{older}"


def datasets() -> None:
    """The list, one of them looked into, and how to bring more."""
    found = known_datasets()
    if found:
        _list(found)
        names = {reference(one): one for one in found}
        chosen = st.selectbox("Look into", list(names), key="dataset", bind="query-params", width=360)
        held(names[str(chosen)])
    else:
        st.info("There are no measured rows yet. Bring your own as below; `perfcast up` brings the starters'.")
    bring()


def bring(workload: str = "cpu-utilization") -> None:
    """How one's own rows come in."""
    st.header("Bring your own rows", divider="gray")
    st.markdown(
        "Rows come in on the machine that runs Perfcast (there is no upload here): a CSV, Parquet or Arrow file with a "
        "column for each feature and the cost. Every row is checked, and each refused one is named with the reason."
    )
    st.code(
        "# check first, and keep nothing\n"
        f"perfcast data import minutes.csv --workload {workload} --name shop --dry-run\n"
        f"perfcast data import minutes.csv --workload {workload} --name shop\n"
        "# columns with other names or units\n"
        'perfcast data import minutes.csv --name shop --map "request_rate=requests / 60"',
        language="shell", wrap_lines=True,
    )  # fmt: skip
    if known := workloads().get(workload):
        st.caption(f"Columns of `{workload}`: {', '.join(known.features)}, {known.cost.name}.")


def _list(found: Sequence[DatasetEntry]) -> None:
    columns = {
        "Dataset": [reference(one) for one in found],
        "Workload": [one.workload for one in found],
        "Rows": [one.rows for one in found],
        "Measured from (UTC)": [moment(one.measured_from) for one in found],
        "until (UTC)": [moment(one.measured_until) for one in found],
        "Source": [one.source for one in found],
        "Kept (UTC)": [moment(one.created_at) for one in found],
    }
    st.dataframe(columns, hide_index=True, key="datasets", alt=f"{len(found)} datasets, newest first")


def held(entry: DatasetEntry) -> None:
    """What a dataset holds: where it comes from, and how each column's values lie."""
    if entry.problem:
        st.error(f"Its rows can't be read: {entry.problem}", icon=":material/error:")
        return
    ref = f"{entry.name}@{entry.digest}"
    details = fresh(lambda api: api.datasets.get(ref), f"dataset {ref}")
    st.caption(_origin(details))
    st.dataframe(
        quantiles(details.columns), hide_index=True, key=f"held {ref}", alt=f"How the values of {entry.name} lie"
    )


def _origin(details: DatasetDetails) -> str:
    when = (
        f"measured {moment(details.measured_from)} to {moment(details.measured_until)} UTC"
        if details.measured_from
        else ""
    )
    return " · ".join(part for part in (f"{details.rows:,} rows", when, details.source) if part)


def quantiles(columns: Sequence[ColumnValues]) -> Mapping[str, Sequence[Any]]:
    """How the values of each column lie, as a table: the least, some quantiles, the greatest."""
    table: dict[str, list[Any]] = {
        "Column": [with_unit(one.name, one.unit) for one in columns],
        "Least": [_rounded(one.minimum) for one in columns],
    }
    for share, name in _QUANTILES.items():
        table[name] = [_rounded((one.quantiles or {}).get(share)) for one in columns]
    table["Greatest"] = [_rounded(one.maximum) for one in columns]
    if any(one.shares for one in columns):
        table["Values"] = [_shares(one) for one in columns]
    return table | {"Meaning": [one.meaning for one in columns]}


def _rounded(value: float | None) -> float | None:
    """To four digits; what is next to nothing, such as the cosine of a quarter, is nothing."""
    return None if value is None else float(f"{value:.4g}") if abs(value) > _NOTHING else 0.0


def _shares(column: ColumnValues) -> str:
    return ", ".join(f"{value}: {100 * share:.0f}\u202f%" for value, share in (column.shares or {}).items())
