"""How the machine is: looked at every few seconds in a probe's thread."""

from collections.abc import Mapping, Sequence
from pathlib import Path

FULL_PERCENT = 95.0
"""A disk that is used so far may refuse what is written next."""


def look_at_host(folders: Sequence[Path]) -> dict[str, float]:
    """The host's figures by metric; of the disks of several folders the fullest, in bytes, percent and seconds."""
    import psutil

    memory = psutil.virtual_memory()
    disk = max((psutil.disk_usage(str(existing(folder))) for folder in folders), key=lambda usage: usage.percent)
    figures = {
        "system_cpu_percent": psutil.cpu_percent(),
        "system_memory_percent": memory.percent,
        "system_memory_available_bytes": memory.available,
        "system_disk_used_percent": disk.percent,
        "system_disk_free_bytes": disk.free,
        "system_boot_timestamp_seconds": psutil.boot_time(),
    }
    if (disks := psutil.disk_io_counters()) is not None:  # a container may see none
        figures |= {
            "system_disk_read_bytes_total": disks.read_bytes,
            "system_disk_written_bytes_total": disks.write_bytes,
        }
    if (network := psutil.net_io_counters()) is not None:
        figures |= {
            "system_network_received_bytes_total": network.bytes_recv,
            "system_network_sent_bytes_total": network.bytes_sent,
        }
    return figures


def system_info(figures: Mapping[str, float] | None) -> dict[str, float]:
    """What `/health` shows of them: percent, and GB (10⁹ bytes); zeros before the first look."""
    held = figures or {}
    return {
        "cpu_percent": held.get("system_cpu_percent", 0.0),
        "memory_percent": held.get("system_memory_percent", 0.0),
        "disk_percent": held.get("system_disk_used_percent", 0.0),
        "available_memory_gb": round(held.get("system_memory_available_bytes", 0.0) / 1e9, 2),
    }


def disk_problem(figures: Mapping[str, float] | None) -> str | None:
    """What is wrong with the disk, in words; None where nothing is."""
    if figures is None or figures["system_disk_used_percent"] < FULL_PERCENT:
        return None
    used, free = figures["system_disk_used_percent"], figures["system_disk_free_bytes"] / 1e6
    advice = "make room, or lower PREDICTION_LOG_BYTES or PREDICTION_LOG_DAYS"
    return f"{used:g} % of the disk are used, {free:,.0f} MB are free; {advice}"


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())
