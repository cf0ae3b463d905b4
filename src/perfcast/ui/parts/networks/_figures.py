"""What a network takes on a device, as figures, and what to know before trusting them."""

from collections.abc import Iterator

import streamlit as st

from perfcast.ui.charts import gauge
from perfcast.ui.parts._figure import palette, show
from perfcast.ui.parts._words import amount, share, verbatim
from perfcast_client.answers import NetworkAnswer

_NAMED = 3


def figures(answer: NetworkAnswer, least_end: float) -> None:
    """One device's figures.

    Args:
        answer: What is predicted there.
        least_end: How far the scale reaches at least, ms: scales of devices side by side are alike.
    """
    st.metric(f"Time of a call · {answer.device}", amount(answer.execution_time_ms, "ms"))
    st.caption(trust(answer))
    ends = {"lower": answer.lower_ms, "upper": answer.upper_ms}
    figure = gauge(palette(), answer.execution_time_ms, unit="ms", maximum=None, least_end=least_end, **ends)
    show(figure, f"gauge {answer.device}", alt=f"{amount(answer.execution_time_ms, 'ms')}, {trust(answer)}")
    with st.container(horizontal=True, gap="medium", key=f"figures {answer.device}"):
        for label, value, meaning in _facts(answer):
            st.metric(label, value, help=meaning, width="content")
    for warning in warnings(answer):
        st.caption(warning)


def _facts(answer: NetworkAnswer) -> Iterator[tuple[str, str, str]]:
    yield "Images", amount(answer.images_per_second, "/s"), "How many a second, one call after the other."
    memory, unit = (answer.memory_mb / 1e3, "GB") if answer.memory_mb >= 1e3 else (answer.memory_mb, "MB")
    yield "Memory", amount(memory, unit), "Weights, and activations that live at the same time, at least."
    learnt = answer.parameters
    parameters = amount(learnt / 1e6, "M") if learnt >= 1e6 else f"{learnt:,}"
    yield "Parameters", parameters, "Numbers that it learnt."
    yield "Arithmetic", amount(answer.gigaflops, "GFLOP"), "Of a call; a multiply-add is counted as two."
    yield "Kernels", f"{answer.calls:,}", "That the runtime starts for a call, after what it fuses."


def trust(answer: NetworkAnswer) -> str:
    """The interval, and where it comes from, in words."""
    if answer.lower_ms is None or answer.upper_ms is None:
        return "no interval: a model that answered is not calibrated"
    between = f"between {amount(answer.lower_ms, 'ms')} and {amount(answer.upper_ms, 'ms')}"
    if answer.calibrated_on:
        held = share(100 * (answer.coverage or 0.0))
        return f"{held} of networks lie {between}, by {answer.calibrated_on} that were measured there whole"
    return f"{between}, if all layers are off in one direction; no whole network was measured there"


def warnings(answer: NetworkAnswer) -> Iterator[str]:
    """What is missing, and what is beyond experience."""
    if answer.not_modelled:
        missing = ", ".join(
            f"{one.count} × {one.operator}" if one.count > 1 else one.operator for one in answer.not_modelled[:_NAMED]
        )
        more = len(answer.not_modelled) - _NAMED
        told = f"{missing} and {more} more" if more > 0 else missing
        moved = share(100 * answer.not_modelled_share)
        yield f":red[:material/error: not in the sum: {verbatim(told)}, which move {moved} of the bytes]"
    if answer.extrapolated:
        yield (
            f":orange[:material/warning: {len(answer.extrapolated)} of {len(answer.layers)} layers are outside what "
            "the models were trained on; trust it less]"
        )
