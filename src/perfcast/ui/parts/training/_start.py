"""Starting a run: what from, into which model, with how much effort."""

from collections.abc import Sequence

import streamlit as st

from perfcast.ui._server import client, fresh, told, workloads
from perfcast.ui.parts._asked import happened
from perfcast.ui.parts._words import cost_title, symbol
from perfcast.ui.parts.training._datasets import bring, held, known_datasets, label, reference
from perfcast.ui.parts.training._words import FAMILIES, family_title
from perfcast_client.answers import DatasetEntry, ModelEntry

_TRIALS, _MOST_TRIALS = 20, 10_000
_FEWEST_ROWS = 250


def start() -> None:
    """The form; what is chosen stands in the address."""
    found = known_datasets()
    if not found:
        st.info("There are no measured rows to learn from yet.")
        bring()
        return
    st.header("Start a run", divider="gray")
    left, right = st.columns(2, gap="large")
    with left:
        dataset = _dataset(found)
        model = _model(dataset)
        better = st.toggle(
            "Let it answer if it is better", value=True, key="promote", bind="query-params",
            help="The best version becomes the model's champion if its error on held-out rows is lower by 1 % than the "
            "present champion's. Off: it stays a candidate, to be activated on the page Models.",
        )  # fmt: skip
    with right:
        families, trials = _families(), _trials()
        minutes = _minutes()
        seed, newest = _more(dataset)
    _tuned_by(dataset.workload)
    with told():
        if st.button("Start training", type="primary", icon=":material/play_arrow:", key="start"):
            job = client().train(
                dataset=reference(dataset), model=model, families=families, n_trials=trials, seed=seed,
                timeout_seconds=None if minutes is None else 60 * minutes, newest_rows=newest,
                promote="auto" if better else "never",
            )  # fmt: skip
            happened(f"**{job.state.model_name}** is queued; this page shows how it goes")


def _dataset(found: Sequence[DatasetEntry]) -> DatasetEntry:
    known = workloads()
    names = list(dict.fromkeys(one.workload for one in found))
    workload = st.selectbox(
        "What to predict", names, key="workload", bind="query-params",
        format_func=lambda name: known[name].title if name in known else name,
        help="Workloads that there are measured rows of.",
    )  # fmt: skip
    options = {reference(one): one for one in found if one.workload == workload}
    chosen = st.selectbox(
        "Rows to learn from", list(options), key=f"rows of {workload}", bind="query-params",
        format_func=lambda name: label(options[name]), help="The newest of each dataset first.",
    )  # fmt: skip
    dataset = options[str(chosen)]
    with st.popover("What these rows hold", icon=":material/table_rows:", type="tertiary", key="rows popover"):
        held(dataset)
    return dataset


def _model(dataset: DatasetEntry) -> str | None:
    models = fresh(lambda api: api.models.list(), "models").models
    return st.selectbox(
        "Model that gets the versions", _answering(models, dataset.workload), None, key=f"model of {dataset.workload}",
        bind="query-params", accept_new_options=True, placeholder="The one that learns from these rows, or a new one",
        help="Choose one, or type a new name: lower case letters, digits, hyphens. A new model answers once it has a "
        "version; others are not touched.",
    )  # fmt: skip


def _answering(models: dict[str, ModelEntry], workload: str) -> list[str]:
    return [name for name, one in models.items() if one.workload == workload]


def _families() -> list[str]:
    chosen = st.multiselect(
        "Families to try", list(FAMILIES), format_func=family_title, key="families", bind="query-params",
        placeholder="All", help="\n".join(f"- **{title}**: {meaning}" for title, meaning in FAMILIES.values()),
    )  # fmt: skip
    return [str(name) for name in chosen]


def _trials() -> int:
    return st.number_input(
        "Trials", 1, _MOST_TRIALS, _TRIALS, 10, key="trials", bind="query-params",
        help="How many settings are tried, over all families. 20 find most of what there is; 100 the rest.",
    )  # fmt: skip


def _minutes() -> float | None:
    return st.number_input(
        "Time limit (min)", 0.1, 10_080.0, None, 5.0, format="%.6g", key="minutes", bind="query-params",
        placeholder="No limit", help="When it is up, the best so far is taken.",
    )  # fmt: skip


def _more(dataset: DatasetEntry) -> tuple[int, int | None]:
    with st.expander("More", icon=":material/tune:"):
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, 0, 1, key="seed", bind="query-params",
            help="The same seed gives the same trials, as long as there is no time limit.",
        )  # fmt: skip
        newest = st.number_input(
            "Only the newest rows", _FEWEST_ROWS, 1_000_000_000, None, 1000, key="newest", bind="query-params",
            placeholder=f"All {dataset.rows:,}", help="Where old rows describe what no longer is.",
        )  # fmt: skip
    return seed, newest


def _tuned_by(workload: str) -> None:
    known = workloads().get(workload)
    if known is None:
        st.caption("The rows bring their own workload; it says what is tuned by.")
        return
    cost, name = known.cost, cost_title(known.cost).lower().replace("cpu", "CPU")
    if cost.relative:
        st.caption(
            f"Tuned by the mean absolute percentage error (%) of the {name}: each row counts by its relative miss."
        )
    else:
        st.caption(
            f"Tuned by the mean absolute error of the {name} ({symbol(cost.unit)}): each row counts by its miss."
        )
