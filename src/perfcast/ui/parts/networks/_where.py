"""Where the time goes: layer by layer, and by operator."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from perfcast.ui.charts import LayerBar, dearest, layers, operators
from perfcast.ui.parts._figure import palette, show
from perfcast.ui.parts._words import amount, share
from perfcast_client.answers import NetworkAnswer, NetworkLayer

_ORDERS = ("As they run", "Dearest first")
_SHOWN = 20


def where(answers: Mapping[str, NetworkAnswer]) -> None:
    """The section, of one of the devices."""
    st.header("Where the time goes", divider="gray", help="What a runtime fuses is one layer, named after its first.")
    with st.container(horizontal=True, gap="medium", key="layers of"):
        device = next(iter(answers))
        if len(answers) > 1:
            device = str(st.segmented_control("Device", list(answers), default=device, key="layers on", required=True))
        order = st.segmented_control("Layers", _ORDERS, default=_ORDERS[0], key="order", required=True)
    answer = answers[device]
    _layers(answer, first=order == _ORDERS[1])
    _operators(answer)
    _missing(answer)
    _table(answer)


def _layers(answer: NetworkAnswer, *, first: bool) -> None:
    ordered = sorted(answer.layers, key=lambda one: -one.execution_time_ms)
    shown = ordered[:_SHOWN] if first else answer.layers
    bars = [LayerBar(one.name, one.operator, one.execution_time_ms, one.share, _told(one)) for one in shown]
    most = ordered[0]
    alt = (
        f"{len(answer.layers)} layers of {answer.network} on {answer.device}; the dearest is {most.name} with "
        f"{share(100 * most.share)} of the time"
    )
    show(dearest(palette(), bars) if first else layers(palette(), bars), "layers", alt=alt)


def _told(layer: NetworkLayer) -> str:
    shapes = " → ".join("×".join(map(str, shape)) for shape in (layer.input_shape, layer.output_shape))
    beyond = ", outside what was trained on" if layer.extrapolated else ""
    return f"{layer.operator}{beyond}<br>{shapes}"


def _operators(answer: NetworkAnswer) -> None:
    shares = by_operator(answer.layers)
    (first, most), *_ = shares.items()
    table: dict[str, Sequence[Any]] = {
        "Operator": list(shares),
        "Layers": [sum(layer.operator == name for layer in answer.layers) for name in shares],
        "Time (ms)": [answer.execution_time_ms * one for one in shares.values()],
        "Share (%)": [100 * one for one in shares.values()],
    }
    alt = f"By operator: {first} takes {share(100 * most)} of the time"
    show(operators(palette(), shares), "operators", alt=alt, table=table)


def by_operator(layers: Sequence[NetworkLayer]) -> dict[str, float]:
    """What the layers of each operator take of the whole, the dearest first."""
    shares: dict[str, float] = {}
    for layer in layers:
        shares[layer.operator] = shares.get(layer.operator, 0.0) + layer.share
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _missing(answer: NetworkAnswer) -> None:
    if not answer.not_modelled:
        return
    moved = share(100 * answer.not_modelled_share)
    st.markdown(f"**Not in the sum**: operators whose time isn't known; they move {moved} of all bytes")
    table = {
        "Operator": [one.operator for one in answer.not_modelled],
        "Times": [one.count for one in answer.not_modelled],
        "Moves": [amount(one.megabytes, "MB") for one in answer.not_modelled],
        "Why": [one.reason for one in answer.not_modelled],
        "Nodes": [", ".join(one.nodes) for one in answer.not_modelled],
    }
    st.dataframe(table, hide_index=True, key="not modelled", alt="Operators that aren't in the sum")


def _table(answer: NetworkAnswer) -> None:
    columns = columns_of(answer.layers)
    st.markdown("**Every layer**")
    st.dataframe(columns, hide_index=True, key="every layer", height=320, alt="Every layer with its time")
    name = f"{answer.network}-{answer.device}-{answer.batch_size}.csv"
    st.download_button(
        "Download as CSV", as_csv(columns), name, "text/csv", key="csv", icon=":material/download:", on_click="ignore"
    )


def columns_of(layers: Sequence[NetworkLayer]) -> dict[str, list[object]]:
    """The layers as columns."""
    return {
        "layer": [one.name for one in layers],
        "operator": [one.operator for one in layers],
        "ms": [one.execution_time_ms for one in layers],
        "share (%)": [100 * one.share for one in layers],
        "input": ["×".join(map(str, one.input_shape)) for one in layers],
        "output": ["×".join(map(str, one.output_shape)) for one in layers],
        "GFLOP": [one.gigaflops for one in layers],
        "MB": [one.megabytes for one in layers],
        "beyond experience": [one.extrapolated for one in layers],
        "nodes": [" ".join(one.nodes) for one in layers],
    }


def as_csv(columns: Mapping[str, Sequence[object]]) -> str:
    """The columns as text; what a spreadsheet would take for a formula begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([f"'{value}" if _is_formula(value) else value for value in row])
    return text.getvalue()


def _is_formula(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("=", "+", "-", "@"))
