"""Which network, where, and how many images a call."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import streamlit as st

from perfcast.ui._server import fresh
from perfcast.ui.parts._missing import say_missing
from perfcast.ui.parts._words import share
from perfcast_client.answers import NetworkAnswer, NetworkDevice, NetworkList, NetworkPreset

_COVERAGES = (0.5, 0.8, 0.9, 0.95, 0.99)
_FIRST = "resnet50"
_SOURCES = ("Known network", "ONNX file")
_LARGEST_MB = 1_000
_BESIDE = 2
"""Devices that are chosen at first."""


@dataclass(frozen=True)
class Asked:
    """What is asked: a preset's name or an ONNX file, and where it runs.

    Attributes:
        file: Name and content; None where a preset is asked for.
    """

    preset: str | None
    file: tuple[str, bytes] | None
    devices: Sequence[str]
    batch_size: int
    coverage: float
    input_shape: tuple[int, ...] | None = None

    def answer(self, device: str, batch_size: int) -> NetworkAnswer:
        """What the API says of it on that device with that batch.

        Raises:
            PerfcastClientError: It can't say.
        """
        key = self.preset if self.file is None else sha256(self.file[1]).hexdigest()
        name, content = self.file or (None, None)
        return fresh(
            lambda api: api.predict_network(
                self.preset,
                network=content,
                name=name,
                device=device,
                batch_size=batch_size,
                coverage=self.coverage,
                input_shape=self.input_shape,
            ),
            f"network {key} {name} {device} {batch_size} {self.coverage} {self.input_shape}",
        )


def ask(listed: NetworkList) -> Asked | None:
    """The form; None until there is a network to ask about."""
    source = st.segmented_control(
        "Network from", _SOURCES, default=_SOURCES[0], key="source", required=True, label_visibility="collapsed",
        width="stretch",
    )  # fmt: skip
    preset, file, shape = (None, _file(), _shape()) if source == _SOURCES[1] else (_preset(listed.networks), None, None)
    devices = _devices(listed.devices)
    batch_size = int(st.number_input("Images a call", 1, 4096, 1, key="batch", bind="query-params"))
    coverage = st.select_slider(
        "Share of cases that the interval holds", _COVERAGES, 0.9, format_func=lambda value: share(100 * value),
        key="coverage", bind="query-params",
    )  # fmt: skip
    return Asked(preset, file, devices, batch_size, coverage, shape) if preset or file else None


def _preset(presets: Sequence[NetworkPreset]) -> str:
    names = {one.title: one.name for one in presets}
    say_missing("network", names, kind="network")
    first = next((at for at, name in enumerate(names.values()) if name == _FIRST), 0)
    return names[str(st.selectbox("Network", list(names), first, key="network", bind="query-params"))]


def _file() -> tuple[str, bytes] | None:
    given = st.file_uploader("ONNX file", "onnx", max_upload_size=_LARGEST_MB, key="onnx")
    st.caption("Only its layers and shapes are looked at: the data of the weights isn't sent to the API.")
    return None if given is None else (given.name, given.getvalue())


def _shape() -> tuple[int, ...] | None:
    """Of the input, where the file leaves it open; None where nothing that could be one is written."""
    written = st.text_input(
        "Shape of the input", key="input-shape", placeholder="1, 3, 224, 224",
        help="Batch first; needed only where the file leaves the size of its images open.",
    )  # fmt: skip
    parts = [part.strip() for part in written.split(",")]
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else None


def _devices(devices: Sequence[NetworkDevice]) -> Sequence[str]:
    names = [device.name for device in devices]
    say_missing("devices", names, kind="device")
    chosen = st.multiselect(
        "Devices, side by side", names, names[:_BESIDE], key="devices", bind="query-params",
        help="A device and the runtime on it, as the models are called after: cnn-execution-time-cpu-torch.",
    )  # fmt: skip
    return chosen or names[:_BESIDE]
