"""Devices and batches side by side: what a million images cost, and which is cheapest within a limit."""

from collections.abc import Mapping, Sequence

import streamlit as st

from perfcast.ui._server import as_it_is
from perfcast.ui.charts import Bar, bars
from perfcast.ui.parts._figure import palette, show
from perfcast.ui.parts._words import amount
from perfcast.ui.parts.networks._ask import Asked
from perfcast_client import ApiError, Option, best_of, options_of
from perfcast_client.answers import NetworkAnswer

_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
_FIRST = (1, 8, 32)


def choice(asked: Asked) -> None:
    """The section."""
    st.header(
        "Devices and batches", divider="gray",
        help="A larger batch costs less an image and takes longer a call; here is the cheapest that is quick enough.",
    )  # fmt: skip
    left, right = st.columns([2, 5], gap="large")
    with left:
        sizes = st.multiselect("Images a call", _BATCHES, _FIRST, key="batches", bind="query-params") or list(_FIRST)
        limit = st.number_input(
            "A call within (ms)", 0.0, None, None, key="within", bind="query-params",
            help="For the upper bound of the interval.",
        )  # fmt: skip
        prices = _prices(asked.devices)
    with right:
        answers = _answers(asked, sorted(sizes))
        if answers:
            _show(options_of(answers, within_ms=limit or None, prices=prices), limit or None)


def _prices(devices: Sequence[str]) -> Mapping[str, float]:
    """What an hour of each device costs, where that is typed."""
    typed = {
        device: st.number_input(f"Price of {device} an hour", 0.0, None, None, 0.01, "%.4f", key=f"price {device}")
        for device in devices
    }
    return {device: float(price) for device, price in typed.items() if price is not None}


def _answers(asked: Asked, sizes: Sequence[int]) -> list[NetworkAnswer]:
    found = []
    with st.spinner("Adding up …"):
        for device in asked.devices:
            try:
                found += [asked.answer(device, size) for size in sizes]
            except ApiError as error:
                st.caption(f":red[:material/error: {device}: {as_it_is(error.detail)}]")
    return found


def _show(options: Sequence[Option], limit: float | None) -> None:
    best = best_of(options)
    st.markdown(_words(options, best, limit))
    priced = any(one.cost_per_million is not None for one in options)
    shown = [one for one in options if not priced or one.cost_per_million is not None]
    names = [f"{one.answer.device} · {one.answer.batch_size}" for one in shown]
    figures = [one.cost_per_million if priced else one.answer.images_per_second for one in shown]
    marks = [
        Bar(name, value or 0.0, "accent" if one is best else "measured" if one.within else "danger")
        for name, value, one in zip(names, figures, shown, strict=True)
    ]
    title = "Cost of a million images" if priced else "Images/s"
    table = {
        "Device": [one.answer.device for one in options],
        "Images a call": [one.answer.batch_size for one in options],
        "Time (ms)": [one.answer.execution_time_ms for one in options],
        "At least (ms)": [one.answer.lower_ms for one in options],
        "At most (ms)": [one.answer.upper_ms for one in options],
        "Images/s": [one.answer.images_per_second for one in options],
        "Memory (MB)": [one.answer.memory_mb for one in options],
        "Cost of a million": [one.cost_per_million for one in options],
        "Within the limit": [one.within for one in options],
    }
    if not priced:
        del table["Cost of a million"]
    if limit is None:
        del table["Within the limit"]
    show(bars(palette(), marks, x_title=title), "options", alt=_words(options, best, limit))
    st.dataframe(table, hide_index=True, key="options table", alt="Devices and batches side by side")


def _words(options: Sequence[Option], best: Option | None, limit: float | None) -> str:
    """Which is best, as a sentence."""
    within = "" if limit is None else f" within {amount(limit, 'ms')}"
    if best is None:
        nearest = min(options, key=lambda one: one.at_most_ms)
        if nearest.within:
            return f":orange[:material/warning: Nothing that has a price stays{within}.]"
        where = f"{nearest.answer.device} with {nearest.answer.batch_size} a call"
        most = amount(nearest.at_most_ms, "ms")
        return f":red[:material/error: Nothing stays{within};] the nearest is {where}, at most {most}."
    answer = best.answer
    call = f"{amount(answer.execution_time_ms, 'ms')} a call"
    if answer.upper_ms is not None:
        call += f", at most {amount(answer.upper_ms, 'ms')}"
    where = f"**{answer.device} with {answer.batch_size} a call**"
    if best.cost_per_million is not None:
        return f"Cheapest{within}: {where}: {amount(best.cost_per_million)} for a million images; {call}."
    return f"Most images{within}: {where}: {amount(answer.images_per_second)} a second; {call}."
