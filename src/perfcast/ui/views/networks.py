"""Networks: what a whole network costs on devices, where its time goes, and where it is cheapest."""

from collections.abc import Mapping

import streamlit as st

from perfcast.ui._server import fresh, told
from perfcast.ui.parts import amount, head, keep, kept
from perfcast.ui.parts.networks import Asked, ask, choice, figures, where
from perfcast_client.answers import NetworkAnswer


def page() -> None:
    """The whole page."""
    head("Networks", "What does a whole network cost? Choose one, or bring an ONNX file; every layer is accounted for.")
    with told():
        listed = fresh(lambda api: api.networks(), "networks")
        if not listed.devices:
            st.info(
                "No model knows convolutions yet. Make the starter models with `perfcast starters`, or train one: "
                "`perfcast train --dataset cpu-torch`."
            )
            return
        left, right = st.columns([4, 7], gap="large")
        with left:
            asked = ask(listed)
        if asked is None:
            with right:
                st.info("Choose an ONNX file, from any framework.", icon=":material/upload_file:")
            return
        with right:
            answers = _answers(asked)
        if answers:
            where(answers)
            with told():
                choice(asked)
    kept()


def _answers(asked: Asked) -> Mapping[str, NetworkAnswer]:
    """Of each device that can answer."""
    found: dict[str, NetworkAnswer] = {}
    for device in asked.devices:
        with told():
            found[device] = asked.answer(device, asked.batch_size)
    longest = max((one.upper_ms or one.execution_time_ms for one in found.values()), default=0.0)
    for answer in found.values():
        figures(answer, longest)
    if found and asked.file is None:
        words = f"{asked.preset}, {asked.batch_size} images a call"
        keep(
            "networks",
            words,
            "; ".join(f"{name}: {amount(one.execution_time_ms, 'ms')}" for name, one in found.items()),
        )
    return found


if __name__ == "__main__":  # Streamlit runs it; tests import it
    page()
