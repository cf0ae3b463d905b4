"""What `perfcast network` tells without a network: which there are, and on which devices."""

from collections.abc import Mapping
from typing import Any

from perfcast.cli._output import cell, say, show_table

_COLUMNS = ("name", "network", "parameters", "GFLOP", "image")


def show_presets(listed: Mapping[str, Any]) -> None:
    """The presets as a table, and the devices as a line."""
    rows = [
        (
            one["name"],
            one["title"],
            f"{one['parameters'] / 1e6:,.1f} M",
            one["gigaflops"],
            " x ".join(map(str, one["input_shape"][-2:])),
        )
        for one in listed["networks"]
    ]
    show_table(_COLUMNS, rows)
    devices = [_told(device) for device in listed["devices"]]
    say(f"\ndevices: {'; '.join(devices) or 'none yet: perfcast up makes the starter models'}")


def _told(device: Mapping[str, Any]) -> str:
    """A device, and what its models know."""
    if len(device["models"]) == 1:
        return f"{device['name']} (convolutions alone)"
    if device["measured_networks"]:
        return f"{device['name']} (calibrated on {cell(device['measured_networks'])} networks)"
    return str(device["name"])
