"""What the processes of a port use, together."""

import os
import resource
from collections.abc import Sequence
from contextlib import suppress


def process_figures(numbers: Sequence[int]) -> dict[str, float]:
    """Prometheus' usual figures of processes, summed; the start is that of the oldest. Those gone are left out.

    Processor seconds aren't among them: what a process that has ended used must not leave the sum.
    """
    import psutil

    resident = virtual = files = 0
    begins = []
    for number in numbers:
        with suppress(psutil.Error):
            process = psutil.Process(number)
            memory = process.memory_info()
            files += process.num_fds()
            begins.append(process.create_time())
            resident, virtual = resident + memory.rss, virtual + memory.vms
    return {
        "process_resident_memory_bytes": resident,
        "process_virtual_memory_bytes": virtual,
        "process_open_fds": files,
        "process_max_fds": len(begins) * resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "process_start_time_seconds": min(begins, default=0.0),
    }


def processor_seconds() -> float:
    """The processor time that this process has used."""
    used = os.times()
    return used.user + used.system
