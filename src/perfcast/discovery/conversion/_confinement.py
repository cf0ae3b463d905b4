"""Shutting this process in before it reads a file that may run code (Linux)."""

import ctypes
import errno
import os
import resource
import socket
import sys
from collections.abc import Callable
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


def leave_network() -> None:
    """Move into a network namespace of its own, which has no way out, where the kernel grants one.

    With a user namespace of its own the process also loses the right to look into others of its user. Must be called
    while there is one thread.
    """
    if sys.platform != "linux":
        return
    user, group = os.getuid(), os.getgid()
    if _libc().unshare(_NEW_USER | _NEW_NETWORK) == 0:
        with suppress(OSError):  # only for names: rights hang on the true ids
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    else:
        _libc().unshare(_NEW_NETWORK)


def obstacle(parent: int) -> str | None:
    """Forbid what can be forbidden, then look: what is still open; None for a process that is shut in.

    Args:
        parent: Process that must be out of reach, and its environment out of sight.
    """
    if sys.platform != "linux":
        return f"{sys.platform} has no means to shut it in"
    _libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if not forbid_system_calls() or _is_open(parent):
        return "the kernel grants no filter of system calls"
    if _sees_environment(parent):
        return "the kernel grants no user namespace, and the worker's environment could be read"
    return None


def _is_open(parent: int) -> bool:
    """Whether anything is let through of what the filter forbids, tried by calls that do nothing."""
    nowhere = Path("/nonexistent/perfcast")
    attempts: tuple[Callable[[], object], ...] = (
        socket.socket,
        lambda: os.open(os.devnull, os.O_WRONLY),
        lambda: os.open(nowhere, os.O_RDONLY | os.O_CREAT),
        lambda: os.truncate(nowhere, 0),
        lambda: nowhere.rename(nowhere),
        nowhere.unlink,
        nowhere.mkdir,
        lambda: nowhere.chmod(0),
        lambda: os.kill(parent, 0),
    )
    return not all(_is_refused(attempt) for attempt in attempts)


def _is_refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError as error:
        return error.errno == errno.EPERM
    return False


def _sees_environment(process: int) -> bool:
    try:
        return bool(Path(f"/proc/{process}/environ").read_bytes())
    except OSError:
        return False


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
