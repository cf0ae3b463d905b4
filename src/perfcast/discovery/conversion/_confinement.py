"""Shutting this process in before it reads a file that may run code (Linux)."""

import ctypes
import os
import resource
import socket
import sys
from contextlib import suppress
from pathlib import Path

from perfcast.discovery.conversion._system_calls import forbid_system_calls

MEMORY = 4 << 30
"""Bytes of address space."""
LARGEST_OUTPUT = 32 << 20
"""Bytes that any file written to may have."""
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_DIE_WITH_PARENT, _NO_NEW_PRIVILEGES = 1, 38


def limit(parent: int) -> None:
    """Bound memory and files, and end together with the worker."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_OUTPUT, LARGEST_OUTPUT))
    if sys.platform == "linux":
        _libc().prctl(_DIE_WITH_PARENT, 9, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def leave_network() -> bool:
    """Move into a network namespace of its own, which has no way out; False where the kernel refuses.

    With a user namespace of its own the process also loses the right to look into others of its user. Must be called
    while there is one thread.
    """
    if sys.platform != "linux":
        return False
    user, group = os.getuid(), os.getgid()
    if _libc().unshare(_NEW_USER | _NEW_NETWORK) == 0:
        with suppress(OSError):  # only for names: rights hang on the true ids
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        return True
    return bool(_libc().unshare(_NEW_NETWORK) == 0)


def obstacle(parent: int, *, without_network: bool) -> str | None:
    """Forbid what can be forbidden, then look: what is still open; None for a process that is shut in.

    Args:
        parent: Process whose environment must be out of sight.
        without_network: Whether `leave_network` succeeded.
    """
    if sys.platform != "linux":
        return f"{sys.platform} has no means to shut it in"
    _libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    forbid_system_calls()
    if not without_network and _opens_sockets():
        return "the kernel grants neither a network namespace nor a filter of system calls"
    if _sees_environment(parent):
        return "the kernel grants no user namespace, and the worker's environment could be read"
    return None


def _opens_sockets() -> bool:
    try:
        socket.socket().close()
    except OSError:
        return False
    return True


def _sees_environment(process: int) -> bool:
    try:
        return bool(Path(f"/proc/{process}/environ").read_bytes())
    except OSError:
        return False


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
