"""How quickly versions answer, measured inside the server."""

import streamlit as st

from perfcast.ui._server import client, told
from perfcast.ui.parts._words import amount, moment
from perfcast.ui.parts.models._errors import family, held_out_error
from perfcast_client.answers import Benchmark, Cost, ModelDetails

_ITERATIONS = (100, 1_000, 10_000)
_MEASURED = "benchmarks"


def speed(model: ModelDetails, cost: Cost) -> None:
    """Measure versions, one after another, and show them side by side with their errors."""
    st.caption(
        "One row after another inside the server, without HTTP; one measurement at a time, in slices that let callers "
        "pass."
    )
    readable = {one.version: one for one in model.versions if not one.problem}
    pointed = sorted({number for number in model.aliases.values() if number in readable}, reverse=True)
    chosen = st.multiselect(
        "Versions", sorted(readable, reverse=True), pointed or sorted(readable)[-1:], key=f"{model.name} measured"
    )
    rows = st.segmented_control(
        "Rows", _ITERATIONS, default=_ITERATIONS[1], format_func=lambda count: f"{count:,}", key="rows", required=True
    )
    if st.button("Measure", type="primary", icon=":material/timer:", key="measure", disabled=not chosen):
        _measure(model.name, sorted(chosen), int(rows or _ITERATIONS[0]))
    found = [one for (name, version), one in sorted(_kept().items()) if name == model.name and version in readable]
    if not found:
        st.info("Nothing is measured yet in this tab. Choose versions and press **Measure**.")
        return
    table = {
        "Version": [str(one.model_version) for one in found],
        "Type": [family(readable[one.model_version].type) for one in found],
        "Held-out error": [held_out_error(one.metrics, cost) for one in found],
        "p50 (ms)": [amount(one.p50_latency_ms) for one in found],
        "p95 (ms)": [amount(one.p95_latency_ms) for one in found],
        "p99 (ms)": [amount(one.p99_latency_ms) for one in found],
        "Worst (ms)": [amount(one.max_latency_ms) for one in found],
        "Rows/s": [f"{one.predictions_per_second:,.0f}" for one in found],
        "Rows": [f"{one.iterations:,}" for one in found],
        "Measured (UTC)": [moment(one.timestamp) for one in found],
    }
    st.dataframe(table, hide_index=True, key="speeds", alt="Latencies of versions")


def _measure(name: str, versions: list[int], rows: int) -> None:
    bar = st.progress(0.0, "Measuring …")
    with told():
        for done, version in enumerate(versions):
            bar.progress(done / len(versions), f"Measuring version {version}, {done + 1} of {len(versions)} …")
            found = client().benchmark(f"{name}:{version}", iterations=rows, fresh=True)
            _kept()[name, version] = found
    bar.empty()


def _kept() -> dict[tuple[str, int], Benchmark]:
    """What this tab has measured, by model and version."""
    kept: dict[tuple[str, int], Benchmark] = st.session_state.setdefault(_MEASURED, {})
    return kept
