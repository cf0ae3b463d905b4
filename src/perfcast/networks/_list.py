"""What there is to ask for: the presets, and the devices that models know."""

from collections.abc import Collection
from typing import Any

from msgspec import to_builtins

from perfcast.networks._devices import Device, devices_among, measured_networks
from perfcast.networks._presets import presets


def list_networks(models: Collection[str]) -> dict[str, Any]:
    """The presets and the devices, as an answer: of `GET /networks` and `perfcast network`.

    Args:
        models: The names of all models that can answer.
    """
    devices = [_described(device, models) for device in devices_among(models)]
    return {"networks": [to_builtins(preset) for preset in presets().values()], "devices": devices}


def _described(device: Device, models: Collection[str]) -> dict[str, Any]:
    return {
        "name": device.name,
        "runtime": device.runtime,
        "models": {workload: name for workload, name in device.models.items() if name in models},
        "measured_networks": len({item.network for item in measured_networks(device.name)}),
    }
