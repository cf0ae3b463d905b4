"""Moving aliases, and deleting versions: what is asked before, and what happened."""

from typing import Literal

import streamlit as st

from perfcast.ui._server import client
from perfcast.ui.parts._asked import asked
from perfcast.ui.parts.models._errors import held_out_error
from perfcast_client.answers import Cost, ModelDetails, VersionEntry

Alias = Literal["challenger", "shadow"]
Expected = int | Literal["none"]
_ROLES = {
    "challenger": "It answers nobody until it gets a share of the callers (under **Who answers**).",
    "shadow": "It is asked for what the others answer; its answers are recorded and compared, never returned.",
}


def moves(model: ModelDetails, version: VersionEntry, cost: Cost) -> None:
    """What can be done with a version."""
    number = version.version
    with st.container(horizontal=True, key="moves"):
        if number == model.champion:
            if st.button("Roll back", icon=":material/undo:", key="roll back"):
                roll_back(model)
        elif st.button("Activate", type="primary", icon=":material/play_arrow:", key="activate"):
            _activate(model, version, cost)
        for alias in ("challenger", "shadow"):
            if alias not in version.aliases and st.button(f"Make it the {alias}", key=f"make {alias}"):
                _point(model, alias, number)
        held = ", ".join(version.aliases)
        words = f"{held} points to it: move that first" if held else "Forget it and its graph, for good"
        if st.button("Delete", icon=":material/delete:", key="delete", disabled=bool(held), help=words):
            _delete(model, number)


def _activate(model: ModelDetails, version: VersionEntry, cost: Cost) -> None:
    reference, present = f"{model.name}:{version.version}", _entry(model, model.champion)
    words = (
        f"Version {version.version} will answer callers of **{model.name}** ({held_out_error(version.metrics, cost)})"
    )
    if present is not None:
        words += f", in place of version {present.version} ({held_out_error(present.metrics, cost)})"
    words += ". Every server follows within two seconds; no request fails."
    expect: Expected = model.champion or "none"

    def act() -> str:
        moved = client().models.activate(reference, expect=expect)
        return f"Version {moved.after} is the champion of {model.name}"

    asked(f"Activate version {version.version}?", words, "Activate", act)


def roll_back(model: ModelDetails) -> None:
    """Ask whether the champion before shall answer again."""

    def act() -> str:
        moved = client().models.deactivate(model.name, expect=model.champion or "none")
        now = "nobody answers" if moved.after is None else f"version {moved.after} answers"
        return f"Rolled back from version {moved.before}: {now} for {model.name}"

    words = (
        f"Version {model.champion} leaves, and the champion before it answers for **{model.name}** again; where there "
        "was none, nobody answers."
    )
    asked(f"Roll back from version {model.champion}?", words, "Roll back", act)


def _point(model: ModelDetails, alias: Alias, number: int) -> None:
    before = model.aliases.get(alias)

    def act() -> str:
        client().models.set_alias(model.name, alias, number, expect=before or "none")
        return f"Version {number} is the {alias} of {model.name}"

    words = _ROLES[alias] if before is None else f"{_ROLES[alias]} It takes the place of version {before}."
    asked(f"Make version {number} the {alias}?", words, "Set", act)


def clear(name: str, alias: Alias, number: int) -> None:
    """Ask whether an alias shall point nowhere."""

    def act() -> str:
        client().models.clear_alias(name, alias, expect=number)
        return f"{name} has no {alias} any more"

    words = f"Version {number} stays, as a candidate."
    if alias == "challenger":
        words += " The champion answers everybody."
    asked(f"Clear the {alias}?", words, "Clear", act)


def split(name: str, before: tuple[float, float], challenger: float) -> None:
    """Ask whether callers shall be split so.

    Args:
        name: Of the model.
        before: Percent of the champion and of the challenger at present.
        challenger: Percent of the callers that the challenger shall answer.
    """

    def act() -> str:
        weights = {"champion": 100 - challenger, "challenger": challenger}
        client().models.set_traffic(name, weights, expect=f"{before[0]:g}:{before[1]:g}")
        return f"The challenger answers {challenger:g} % of the callers of {name}"

    words = (
        f"The challenger answers {challenger:g} % of the callers of **{name}**, up to now {before[1]:g} %. A caller "
        "keeps its side as far as the shares allow."
    )
    asked("Split the callers so?", words, "Split", act)


def _delete(model: ModelDetails, number: int) -> None:
    def act() -> str:
        client().models.delete(model.name, number)
        return f"Version {number} of {model.name} is deleted"

    words = "The version and its graph are forgotten **for good**; its number is never given again."
    asked(f"Delete version {number}?", words, "Delete for good", act)


def _entry(model: ModelDetails, number: int | None) -> VersionEntry | None:
    return next((one for one in model.versions if one.version == number), None)
