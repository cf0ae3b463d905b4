"""What identifies the device and the libraries that a measurement was made with."""

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

_LIBRARIES = ("torch", "onnxruntime", "onnx", "numpy")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The device a data set was measured on."""

    device: str  # human-readable name of the processor that did the work
    processor: str  # CPU vendor, family, model and stepping, and a hash of its flags
    cache: str  # size of the last-level cache as the operating system states it
    cores: int  # cores used
    memory_gb: int
    system: str
    gpu: str = ""  # name of the GPU, or an empty string
    versions: Mapping[str, str] = field(default_factory=dict)  # library name to version

    def identity(self, runtime: str) -> str:
        """8 hexadecimal digits that change when processor, GPU or the measured runtime changes.

        Memory and kernel are recorded but left out: a reboot with a patched kernel is the same device.
        """
        parts = (self.device, self.processor, self.cache, str(self.cores), self.gpu)
        text = "|".join((*parts, runtime, self.versions.get(runtime, "")))
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def describe(self) -> str:
        """One line for people."""
        return f"{self.gpu or self.device} ({self.processor}), {self.cores} core(s), {self.system}"


def read_fingerprint(*, cores: int, gpu: str = "", cpuinfo: Path = Path("/proc/cpuinfo")) -> Fingerprint:
    """The fingerprint of this machine; `cpuinfo` is where Linux describes the processor, missing elsewhere."""
    cpu = _first_processor(cpuinfo)
    flags = json.dumps(sorted(cpu.get("flags", cpu.get("Features", "")).split()))
    parts = [f"{key} {cpu[key]}" for key in ("vendor_id", "cpu family", "model", "stepping") if key in cpu]
    parts.append(f"flags {hashlib.sha256(flags.encode()).hexdigest()[:12]}")
    return Fingerprint(
        device=cpu.get("model name", platform.processor() or platform.machine()),
        processor=", ".join(parts),
        cache=cpu.get("cache size", "unknown") + ", last level " + _last_level_cache(),
        cores=cores,
        memory_gb=_memory_gb(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        gpu=gpu,
        versions=_versions(),
    )


def _first_processor(cpuinfo: Path) -> dict[str, str]:
    if not cpuinfo.exists():
        return {}
    first = cpuinfo.read_text().split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _last_level_cache() -> str:
    """The size of the largest cache of the first core, where Linux states it."""
    sizes = sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"))
    return sizes[-1].read_text().strip() if sizes else "unknown"


def _memory_gb() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
