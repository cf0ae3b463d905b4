"""Who answers: champion, challenger and shadow, how callers are split, and which of them is better."""

from collections.abc import Mapping
from typing import Literal

import streamlit as st

from perfcast.ui._server import fresh, told
from perfcast.ui.charts import difference
from perfcast.ui.parts._figure import palette, show
from perfcast.ui.parts._words import amount, off, share
from perfcast.ui.parts.models._errors import live_error, off_unit
from perfcast.ui.parts.models._moves import clear, roll_back, split
from perfcast_client.answers import ArmComparison, ArmFigures, Cost, ModelDetails, Traffic

Alias = Literal["champion", "challenger", "shadow"]
_ROLES: Mapping[Alias, str] = {
    "champion": "answers callers",
    "challenger": "answers its share of the callers",
    "shadow": "is asked too, never returned",
}
_WINDOWS = {"1h": "Last hour", "24h": "Last day", "7d": "Last 7 days", "all": "All"}
_WINDOW = "window"


def answering(model: ModelDetails, cost: Cost) -> None:
    """Aliases, the split, and what each arm did."""
    for column, alias in zip(st.columns(3, gap="medium"), _ROLES, strict=True):
        with column.container(border=True):
            _alias(model, alias)
    _split(model)
    _arms(model.name, cost)


def _alias(model: ModelDetails, alias: Alias) -> None:
    number = model.aliases.get(alias)
    st.metric(alias.capitalize(), "nobody" if number is None else f"version {number}")
    st.caption(_ROLES[alias] if number is not None else "Set it on the page of a version (under **Versions**).")
    if note := (model.notes or {}).get(alias):
        st.caption(f":orange[:material/warning: {note}]")
    if number is None:
        return
    if alias == "champion":
        if st.button("Roll back", icon=":material/undo:", key="roll back"):
            roll_back(model)
    elif st.button("Clear", icon=":material/close:", key=f"clear {alias}"):
        clear(model.name, alias, number)


def _split(model: ModelDetails) -> None:
    st.header("Split of the callers", divider="gray")
    champion, challenger = model.aliases.get("champion"), model.aliases.get("challenger")
    if champion is None or challenger is None or champion == challenger:
        st.caption("It takes a champion and, on another version, a challenger. Until then the champion answers all.")
        return
    before = (model.traffic.get("champion", 100.0), model.traffic.get("challenger", 0.0))
    wanted = st.slider(
        "Challenger's share of the callers", 0, 100, round(before[1]), 1, format="%d %%", key=f"{model.name} share",
        help="A caller is known by its X-Request-Key, else by its API key or address, and keeps its side.",
    )  # fmt: skip
    st.caption(f"Champion (version {champion}) {100 - wanted} %, challenger (version {challenger}) {wanted} %")
    if st.button("Set the split", type="primary", key="set the split", disabled=wanted == before[1]):
        split(model.name, before, float(wanted))


@st.fragment(run_every=10)
def _arms(name: str, cost: Cost) -> None:
    st.header("What each did", divider="gray")
    with told():
        traffic = fresh(lambda api: api.models.traffic(name), f"traffic {name}")
        if not traffic.arms:
            st.info("No alias points to a version yet, so nobody answered.")
            return
        window = st.segmented_control(
            "Window of live accuracy", list(_WINDOWS), default="7d", format_func=lambda one: _WINDOWS[one],
            key=_WINDOW, required=True, bind="query-params",
        )  # fmt: skip
        _figures(traffic, str(window), cost)
        _comparisons(traffic, cost)


def _figures(traffic: Traffic, window: str, cost: Cost) -> None:
    arms = _ordered(traffic)
    live = [one.live.get(window) for one in arms.values()]
    table = {
        "Alias": list(arms),
        "Version": [str(one.version) for one in arms.values()],
        "Share of callers": ["shadow" if name == "shadow" else share(one.share) for name, one in arms.items()],
        "Predictions": [f"{one.predictions:,}" for one in live if one] if all(live) else ["–"] * len(arms),
        "True costs": ["–" if one is None else f"{one.actuals:,}" for one in live],
        "Live error": [live_error(one, cost) for one in live],
        "Bias": [off(None if one is None else one.bias, cost.unit) for one in live],
        "90 % intervals hold": [share(None if one is None else one.coverage) for one in live],
        "Mean time (ms)": [amount(one.mean_ms) for one in arms.values()],
    }
    st.dataframe(table, hide_index=True, key="arms", alt="What each alias did")
    minutes = f"{traffic.counted_for_seconds / 60:,.0f}"
    st.caption(f"Mean times are of the process that answered, over the {minutes} minutes that it has run.")
    if not any(one and one.actuals for one in live):
        st.caption("Live accuracy comes of true costs: tell them with `POST /feedback`.")


def _comparisons(traffic: Traffic, cost: Cost) -> None:
    compared = {name: one.against_champion for name, one in _ordered(traffic).items() if one.against_champion}
    if not compared:
        return
    st.header("Is one better?", divider="gray", help="May be looked at at any time: in at most one of twenty "
                 "comparisons a difference is seen where there is none.")  # fmt: skip
    for name, one in compared.items():
        st.markdown(verdict(name, one, cost))
    bounded = {
        name: (one.difference, one.lower, one.upper)
        for name, one in compared.items()
        if one.difference is not None and one.lower is not None and one.upper is not None
    }
    if bounded:
        unit = _unit(next(iter(compared.values())), cost)
        values, lower, upper = (list(column) for column in zip(*bounded.values(), strict=True))
        axis = f"error less the champion's ({unit}); left of 0 is better"
        figure = difference(palette(), list(bounded), values, lower, upper, x_title=axis)
        table = {"alias": list(bounded), f"difference ({unit})": values, "from": lower, "to": upper}
        words = " ".join(verdict(name, compared[name], cost).replace("**", "") for name in bounded)
        show(figure, "difference", alt=words, table=table)


def verdict(name: str, one: ArmComparison, cost: Cost) -> str:
    """What a comparison has come to, in a sentence."""
    if one.difference is None or one.lower is None or one.upper is None:
        return (
            f"**{name.capitalize()}**: open; {one.hours} finished hours with true costs of both so far, 24 are needed."
        )
    unit = _unit(one, cost)
    found = (
        f"{one.measure.upper()} {one.difference:+.3g} {unit} ({one.lower:+.3g} to {one.upper:+.3g}), {one.hours} hours"
    )
    if not one.significant:
        return f"**{name.capitalize()}**: open, the difference may be chance: {found}."
    return f"**{name.capitalize()}**: the **{one.better}** is better: {found}."


def _unit(one: ArmComparison, cost: Cost) -> str:
    if one.measure == "mape":
        return "points of percent"
    return off_unit(cost)


def _ordered(traffic: Traffic) -> dict[str, ArmFigures]:
    return {name: traffic.arms[name] for name in _ROLES if name in traffic.arms}
