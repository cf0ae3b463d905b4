"""`perfcast devices …`: what devices could do at most, from data sheets or from this machine itself."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from perfcast.cli._output import say, show_facts, show_json, show_table, with_unit, working
from perfcast.errors import InvalidSetting

if TYPE_CHECKING:
    from perfcast.devices import Descriptor

_COLUMNS = "device", "kind", "processors", "GHz", "GFLOP/s", "GB/s", "cache MB", "FLOP/byte", "what it is"
_UNITS = {
    "processors": "",
    "clock_ghz": "GHz",
    "peak_gflops": "GFLOP/s (float32)",
    "bandwidth": "GB/s",
    "cache_megabytes": "MB",
    "memory_gigabytes": "GB",
}


def list_(as_json: bool = typer.Option(False, "--json", help="All there is to know, as JSON.")) -> None:
    """List the devices that are described; FLOP/byte is where the bound by bandwidth ends.

    Examples:
        perfcast devices list
    """
    devices = _devices()
    if as_json:
        show_json({name: _plain(found) for name, found in devices.items()})
        return
    show_table(_COLUMNS, [_row(name, found) for name, found in devices.items()])


def show(
    name: str = typer.Argument(..., help="As `perfcast devices list` shows it."),
    as_json: bool = typer.Option(False, "--json", help="All there is to know, as JSON."),
) -> None:
    """Show what is known of a device, and where it is from.

    Examples:
        perfcast devices show v100-pcie
    """
    from perfcast.devices import OPTIONAL, find_device

    found = find_device(name, _devices())
    if as_json:
        show_json(_plain(found))
        return
    numbers = found.numbers
    facts: dict[str, object] = {"title": found.title, "kind": found.kind}
    facts |= {label: with_unit(numbers.get(label), unit) for label, unit in _UNITS.items()}
    facts |= {"bound by bandwidth below": f"{found.balance:.1f} FLOP/byte"}
    show_facts(facts)
    for source in found.sources:
        say(f"source: {source}")
    for missing in (
        field for field in OPTIONAL if field not in numbers and not (found.kind == "cpu" and "mem" in field)
    ):
        say(f"{missing} isn't known: a model that reads it can't answer for {name}")


def add(
    name: str = typer.Argument("", help="What to call it; after its processor if not given."),
    device: str = typer.Option("cpu", help="cpu, or cuda for the GPU that PyTorch sees."),
    peak_gflops: float | None = typer.Option(None, min=0, help="GFLOP/s in float32; measured if not given."),
    bandwidth: float | None = typer.Option(None, min=0, help="GB/s of the memory; measured if not given."),
    clock_ghz: float | None = typer.Option(None, min=0, help="GHz; as the system says if not given."),
    cache_megabytes: float | None = typer.Option(None, min=0, help="Last cache, MB; as the system says if not given."),
    processors: int | None = typer.Option(None, min=1, help="Cores or multiprocessors; all there are if not given."),
    replace: bool = typer.Option(False, "--replace", help="Write it anew where it is described already."),
) -> None:
    """Describe this machine: what the system says of it, its peak and bandwidth measured in some seconds.

    Examples:
        perfcast devices add
        perfcast devices add my-laptop --bandwidth 51.2
        perfcast devices add my-gpu --device cuda
    """
    from perfcast.devices import (
        Descriptor,
        describe_machine,
        devices_folder,
        measure_bandwidth,
        measure_peak,
        write_device,
    )
    from perfcast.settings import load_settings

    if device not in ("cpu", "cuda"):
        raise InvalidSetting(f"--device must be cpu or cuda, got '{device}'")
    machine = describe_machine(device)  # type: ignore[arg-type]  # one of the two
    clock = machine.clock_ghz if clock_ghz is None else clock_ghz
    if clock is None:
        raise InvalidSetting("the system doesn't say the clock of its processor; give it with --clock-ghz")
    with working("measuring"):
        peak = peak_gflops if peak_gflops is not None else round(measure_peak(device), 1)  # type: ignore[arg-type]
        speed = bandwidth if bandwidth is not None else round(measure_bandwidth(device), 1)  # type: ignore[arg-type]
    found = Descriptor(
        title=machine.title,
        kind="cpu" if device == "cpu" else "gpu",
        processors=processors or machine.processors,
        clock_ghz=clock,
        peak_gflops=peak,
        bandwidth=speed,
        cache_megabytes=machine.cache_megabytes if cache_megabytes is None else cache_megabytes,
        memory_gigabytes=machine.memory_gigabytes,
        sources=(_source(peak_gflops, bandwidth),),
    )
    path = write_device(devices_folder(load_settings()), name or _short(machine.title), found, replace=replace)
    say(f"wrote {path}: {peak:,.0f} GFLOP/s, {speed:,.0f} GB/s")


def join(
    name: str = typer.Argument(..., help="Of the new dataset."),
    parts: list[str] = typer.Argument(..., metavar="DATASET=DEVICE …", help="Datasets, and the devices they are of."),
    workload: str = typer.Option("convolution-across-devices", help="What the rows measure, with figures of devices."),
) -> None:
    """Make one dataset of several devices', each row with the figures of its device: one model learns from all.

    Examples:
        perfcast devices join gpus v100=v100-pcie p100=p100-pcie
        perfcast train --dataset gpus
    """
    from perfcast.cli._workbench import workbench
    from perfcast.datasets import across_devices, check_name
    from perfcast.devices import find_device
    from perfcast.workloads import find_workload

    check_name(name)
    devices = _devices()
    with workbench() as bench:
        target = find_workload(workload, bench.workloads)
        found = []
        for part in parts:
            source, sign, device = part.partition("=")
            if not sign:
                raise typer.BadParameter(f"'{part}' is not DATASET=DEVICE", param_hint="parts")
            figures = find_device(device, devices).features(target.feature_names, device)
            found.append((bench.datasets.load(bench.datasets.find(source)), figures))
        record = bench.datasets.add(across_devices(name, target, found))
    say(f"kept as dataset '{record.name}' of {record.workload} ({record.rows:,} rows)")
    say(f"learn from it with: perfcast train --dataset {record.name}")


def _source(peak: float | None, bandwidth: float | None) -> str:
    measured = [label for label, given in (("peak", peak), ("bandwidth", bandwidth)) if given is None]
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    return f"perfcast devices add, {day}; measured: {', '.join(measured) or 'nothing'}, the rest as given or stated"


def _short(title: str) -> str:
    """A name made of a title."""
    plain = re.sub(r"\((r|tm)\)|\b(cpu|processor)\b|@.*", " ", title.lower())
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:63] or "this-machine"


def _devices() -> "dict[str, Descriptor]":
    from perfcast.devices import devices_folder, load_devices
    from perfcast.settings import load_settings

    return load_devices(devices_folder(load_settings()))


def _row(name: str, found: "Descriptor") -> tuple[object, ...]:
    return (
        name, found.kind, found.processors, found.clock_ghz, found.peak_gflops, found.bandwidth,
        found.cache_megabytes, found.balance, found.title,
    )  # fmt: skip


def _plain(found: "Descriptor") -> dict[str, Any]:
    return {**{name: getattr(found, name) for name in found.__struct_fields__}, "balance": found.balance}
