"""The machine Perfcast runs on, as its operating system describes it."""

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from perfcast.errors import MissingDependency
from perfcast.processors import processors

Kind = Literal["cpu", "cuda"]


@dataclass(frozen=True, slots=True)
class Machine:
    """What the operating system or the driver says; None where it doesn't.

    Attributes:
        title: What the maker calls the processor.
        processors: Cores that this process may use, or a GPU's multiprocessors.
        clock_ghz: The highest that is stated, GHz.
        cache_megabytes: The last cache, MB.
        memory_gigabytes: Of a GPU, GB.
    """

    title: str
    processors: int
    clock_ghz: float | None
    cache_megabytes: float | None
    memory_gigabytes: float | None = None


def describe_machine(kind: Kind = "cpu", *, root: Path = Path("/")) -> Machine:
    """Read what there is to know without measuring; `root` is where /proc and /sys lie.

    Raises:
        MissingDependency: No PyTorch that sees a GPU is installed, for `cuda`.
    """
    return _gpu() if kind == "cuda" else _cpu(root)


def _cpu(root: Path) -> Machine:
    facts = _processor(root / "proc/cpuinfo")
    title = facts.get("model name") or platform.processor() or platform.machine()
    return Machine(title, processors(), _clock(root, facts), _cache(root))


def _processor(cpuinfo: Path) -> Mapping[str, str]:
    """What Linux says of the first processor; empty elsewhere."""
    if not cpuinfo.exists():
        return {}
    pairs = (line.partition(":") for line in cpuinfo.read_text().split("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _clock(root: Path, facts: Mapping[str, str]) -> float | None:
    """Base clock where it is stated, else what the first processor runs at."""
    stated = root / "sys/devices/system/cpu/cpu0/cpufreq/base_frequency"
    if stated.exists():
        return int(stated.read_text()) / 1e6
    named = re.search(r"@ ([\d.]+) ?GHz", facts.get("model name", ""))
    if named:
        return float(named[1])
    return round(float(facts["cpu MHz"]) / 1e3, 3) if "cpu MHz" in facts else None


def _cache(root: Path) -> float | None:
    """The largest cache of the first processor, MB."""
    texts = [path.read_text().strip() for path in root.glob("sys/devices/system/cpu/cpu0/cache/index*/size")]
    units = {"K": 1024, "M": 1024**2}
    sizes = [int(text[:-1]) * units[text[-1]] for text in texts if text[-1:] in units and text[:-1].isdigit()]
    return round(max(sizes) / 1e6, 3) if sizes else None


def _gpu() -> Machine:
    try:
        import torch
    except ModuleNotFoundError:
        raise MissingDependency("a GPU is described by PyTorch, which isn't installed: pip install torch") from None
    if not torch.cuda.is_available():
        raise MissingDependency("PyTorch sees no GPU; `perfcast doctor` tells what it is built for")
    facts: Any = torch.cuda.get_device_properties(0)
    clock, cache = getattr(facts, "clock_rate", None), getattr(facts, "L2_cache_size", None)
    return Machine(
        title=facts.name,
        processors=facts.multi_processor_count,
        clock_ghz=clock / 1e6 if clock else None,
        cache_megabytes=round(cache / 1e6, 3) if cache else None,
        memory_gigabytes=round(facts.total_memory / 1e9, 1),
    )
