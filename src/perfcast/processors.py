"""How many processors this process may use."""

import os
from math import ceil
from pathlib import Path


def processors(*, cgroups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int:
    """The processors that this process may run on, and no more than its container or service is granted, rounded up.

    Args:
        cgroups: Where control groups (version 2) lie.
        own: Says in which of them this process is.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([allowed, *(ceil(share) for share in _shares(cgroups, own))]))


def _shares(cgroups: Path, own: Path) -> list[float]:
    """What each group that this process belongs to may use, in processors; none where nothing is limited."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []
    path = next((Path(line[len("0::/") :]) for line in lines if line.startswith("0::/")), Path())
    found = [_share(cgroups / group / "cpu.max") for group in (path, *path.parents)]
    return [share for share in found if share is not None]


def _share(limit: Path) -> float | None:
    """Quota by period, as in the kernel's `Documentation/admin-guide/cgroup-v2.rst`, `cpu.max`."""
    try:
        quota, period = limit.read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None
