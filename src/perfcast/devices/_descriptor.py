"""What a data sheet says of a device."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from perfcast.errors import InvalidDeclaration, InvalidInput
from perfcast.workloads import read_yaml

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
OPTIONAL = ("cache_megabytes", "memory_gigabytes")
"""What a descriptor may leave out, because a data sheet does."""

Positive = Annotated[float, msgspec.Meta(gt=0, le=1e9)]


FIGURES = ("processors", "clock_ghz", "peak_gflops", "bandwidth", "cache_megabytes", "memory_gigabytes")
"""The numbers in a descriptor, which workloads may have as features of these names."""


def figures_among(features: Iterable[str]) -> tuple[str, ...]:
    """Those features that are figures of a device."""
    return tuple(name for name in features if name in FIGURES)


class Descriptor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What a device could do at most, as its data sheet or a measurement says.

    Attributes:
        title: What people call it.
        kind: `cpu` or `gpu`.
        processors: Cores of a CPU, streaming multiprocessors or compute units of a GPU.
        clock_ghz: The base clock of a CPU, the boost clock of a GPU, GHz: what its peak is stated at.
        peak_gflops: Most float32 operations, 10⁹ a second, without tensor cores.
        bandwidth: Of the memory, GB/s.
        cache_megabytes: The last cache before the memory, MB: L3 of a CPU, L2 of a GPU.
        memory_gigabytes: Of a GPU, GB.
        sources: Where the figures are from.
    """

    title: str
    kind: Literal["cpu", "gpu"]
    processors: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    clock_ghz: Positive
    peak_gflops: Positive
    bandwidth: Positive
    cache_megabytes: Positive | None = None
    memory_gigabytes: Positive | None = None
    sources: tuple[str, ...] = ()

    @property
    def numbers(self) -> Mapping[str, float]:
        """The figures that it has, by name."""
        found = {name: getattr(self, name) for name in FIGURES}
        return {name: float(value) for name, value in found.items() if value is not None}

    @property
    def balance(self) -> float:
        """Operations a byte above which the peak is the bound, not the bandwidth (the roofline's ridge)."""
        return self.peak_gflops / self.bandwidth

    def features(self, wanted: Iterable[str], device: str) -> Mapping[str, float]:
        """The figures that a workload has as features.

        Args:
            wanted: Names of the workload's features; those that are no figure of a device are left out.
            device: Its name, for the message.

        Raises:
            InvalidInput: The descriptor leaves one out.
        """
        asked, numbers = figures_among(wanted), self.numbers
        for name in asked:
            if name not in numbers:
                raise InvalidInput.of(name, f"the descriptor of '{device}' doesn't say it; give it, or add it there")
        return {name: numbers[name] for name in asked}


def device_name(name: str) -> str:
    """The name, if a device can have it.

    Raises:
        InvalidDeclaration: It can't.
    """
    if not _NAME.fullmatch(name):
        raise InvalidDeclaration(
            f"a device can't be called '{name}': at most 63 lower-case letters, digits and '-', no '-' at first"
        )
    return name


def read_descriptor(path: Path) -> Descriptor:
    """Read a YAML file.

    Raises:
        InvalidDeclaration: It can't be read, is not YAML, or has a field that is wrong; names file and place.
    """
    try:
        return read_yaml(path.read_bytes(), Descriptor)
    except OSError as error:
        raise InvalidDeclaration(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise InvalidDeclaration(f"{path}: {error}") from None
