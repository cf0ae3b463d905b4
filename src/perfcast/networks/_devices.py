"""Devices: whose models answer for a network's calls, by which rules, and which networks were measured there whole."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from perfcast.errors import InvalidInput
from perfcast.networks._call import CONVOLUTIONS, OPERATORS, Runtime
from perfcast.networks._estimate import Ask, add_up
from perfcast.networks._plan import plan
from perfcast.networks._presets import read_preset
from perfcast.networks._whole import Measured, Whole, learn_whole

_MEASURED = Path(__file__).parent / "measured"


@dataclass(frozen=True, slots=True)
class Device:
    """A device by its name, such as `cpu-torch`: the suffix of the models that know it."""

    name: str

    @property
    def models(self) -> Mapping[str, str]:
        """The name of its model of each workload."""
        return {workload: f"{workload}-{self.name}" for workload in (CONVOLUTIONS, OPERATORS)}

    @property
    def runtime(self) -> Runtime:
        """By whose rules it fuses: ONNX Runtime's where its name says so."""
        return "onnxruntime" if "onnxruntime" in self.name else "torch"


def devices_among(models: Iterable[str]) -> list[Device]:
    """The devices whose convolutions one of the models knows, by name."""
    start = f"{CONVOLUTIONS}-"
    return [Device(name.removeprefix(start)) for name in sorted(models) if name.startswith(start)]


@dataclass(frozen=True, slots=True)
class MeasuredNetwork:
    """A preset that was measured whole: images a call, and the least time of a call in ms."""

    network: str
    batch_size: int
    ms: float
    half_spread: float  # how far apart the least of odd and even rounds are, relative to the lesser


@cache
def measured_networks(device: str) -> tuple[MeasuredNetwork, ...]:
    """The networks that were measured whole on a device; none for most."""
    path = _MEASURED / f"{device}.csv"
    if not path.is_file():
        return ()
    with path.open() as lines:
        return tuple(_measured(row) for row in csv.DictReader(lines))


def learn_device(device: Device, ask: Ask, *, without: Iterable[str] = ()) -> Whole | None:
    """What a device's measured networks teach, with its present models; None where too few were measured.

    Args:
        device: Whose networks.
        ask: Its models.
        without: Networks to leave out.
    """
    left_out = set(without)
    known = [item for item in measured_networks(device.name) if item.network not in left_out]
    plans = {name: plan(read_preset(name), device.runtime) for name in {item.network for item in known}}
    taught = []
    for item in known:
        found = add_up(plans[item.network], item.batch_size, ask)
        taught.append(Measured(item.network, item.batch_size, found.terms.sum(axis=0), item.ms))
    return learn_whole(taught)


def find_device(name: str, models: Iterable[str]) -> Device:
    """The device of that name.

    Raises:
        InvalidInput: No model knows it.
    """
    known = {device.name: device for device in devices_among(models)}
    if name not in known:
        raise InvalidInput.of("device", f"'{name}' is none of {', '.join(known) or 'none (train a model first)'}")
    return known[name]


def _measured(row: Mapping[str, str]) -> MeasuredNetwork:
    odd, even = float(row["odd_ms"]), float(row["even_ms"])
    return MeasuredNetwork(row["network"], int(row["batch_size"]), min(odd, even), abs(odd - even) / min(odd, even))
