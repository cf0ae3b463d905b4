"""A filter that forbids system calls a conversion never needs: sockets, programs, changes to files, other processes.

Installed with seccomp(2), which any process may use on itself, in a container too. It also closes what a network
namespace leaves open: Unix sockets that lie in the file system, such as a database's.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator

from perfcast.discovery.conversion._call_numbers import ARCHITECTURES, NUMBERS

_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_REFUSE, _ABSENT = _FAIL | errno.EPERM, _FAIL | errno.ENOSYS
_NUMBER, _ARCHITECTURE = 0, 4
_FIRST, _SECOND, _THIRD = 16, 24, 32
_SET_MODE_FILTER, _ALL_THREADS = 1, 1

_FORBIDDEN = (
    *("socket", "socketpair", "bind", "connect"),
    *("fork", "vfork", "execve", "execveat"),
    *("kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal", "pidfd_getfd", "ptrace"),
    *("process_vm_readv", "process_vm_writev", "process_madvise", "migrate_pages", "move_pages"),
    *("setpriority", "ioprio_set"),
    *("shmget", "shmat", "shmctl", "semget", "semop", "semtimedop", "semctl"),
    *("msgget", "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink"),
    *("creat", "truncate", "open_by_handle_at", "mkdir", "mkdirat", "rmdir", "mknod", "mknodat"),
    *("rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat", "symlink", "symlinkat"),
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"),
    *("utime", "utimes", "futimesat", "utimensat", "file_setattr"),
    *("setxattr", "lsetxattr", "fsetxattr", "setxattrat"),
    *("removexattr", "lremovexattr", "fremovexattr", "removexattrat"),
    *("mount", "umount2", "move_mount", "mount_setattr", "open_tree", "fsopen", "fspick", "unshare", "setns"),
    *("io_uring_setup", "bpf", "add_key", "keyctl"),
)
_UNSEEN = ("clone3", "openat2")
"""Their flags can't be seen from here; without them, libraries fall back to the calls whose flags can."""
_CLONE_THREAD = 0x00010000
_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_OF_A_PROCESS = ("tgkill", "prlimit64", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler")
"""Their first argument is a process, and may be only this one."""
_SET_OWNER, _SET_SIGNAL, _SET_OWNER_EX, _SET_LEASE = 8, 10, 15, 1024
_FCNTL_FORBIDDEN = (_SET_OWNER, _SET_SIGNAL, _SET_OWNER_EX, _SET_LEASE)
"""With the first three the kernel sends signals to others when a file is ready."""
_IOCTL_ALLOWED = (0x5401, 0x5413, 0x541B, 0x5450, 0x5451)
"""Is it a terminal, how large, how much is there to read; whether programs inherit it. Others change files' flags."""

_Step = tuple[int, int, int, int]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def forbid_system_calls() -> bool:
    """Install the filter for all threads of this process, for good; False where the kernel can't.

    The process must have given up new privileges before.
    """
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        return False
    steps = list(_steps(machine, os.getpid()))
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    program = _Program(len(steps), code)
    libc = ctypes.CDLL(None, use_errno=True)
    answer: int = libc.syscall(_number("seccomp", machine), _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(program))
    return answer == 0


def _number(name: str, machine: str) -> int | None:
    return NUMBERS[name][list(ARCHITECTURES).index(machine)]


def _steps(machine: str, process: int) -> Iterator[_Step]:
    """The filter as classic BPF; a forbidden call gives "operation not permitted".

    Arguments are looked at by their lower 32 bits, which is all that the kernel reads of flags and process ids.
    """
    yield (_LOAD, 0, 0, _ARCHITECTURE)
    yield (_JUMP_EQUAL, 1, 0, ARCHITECTURES[machine])
    yield (_RETURN, 0, 0, _KILL)
    yield (_LOAD, 0, 0, _NUMBER)
    yield (_JUMP_GREATER_EQUAL, 0, 1, 0x40000000)  # another numbering of the same calls
    yield (_RETURN, 0, 0, _REFUSE)
    for name in _FORBIDDEN:
        yield from _when(_number(name, machine), [(_RETURN, 0, 0, _REFUSE)])
    for name in _UNSEEN:
        yield from _when(_number(name, machine), [(_RETURN, 0, 0, _ABSENT)])
    yield from _when(_number("clone", machine), _flags(_FIRST, _CLONE_THREAD, present=_ALLOW, absent=_REFUSE))
    yield from _when(_number("open", machine), _flags(_SECOND, _CHANGING, present=_REFUSE, absent=_ALLOW))
    yield from _when(_number("openat", machine), _flags(_THIRD, _CHANGING, present=_REFUSE, absent=_ALLOW))
    for name in _OF_A_PROCESS:
        own = (process,) if name == "tgkill" else (0, process)
        yield from _when(_number(name, machine), _values(_FIRST, own, among=_ALLOW, other=_REFUSE))
    yield from _when(_number("fcntl", machine), _values(_SECOND, _FCNTL_FORBIDDEN, among=_REFUSE, other=_ALLOW))
    yield from _when(_number("ioctl", machine), _values(_SECOND, _IOCTL_ALLOWED, among=_ALLOW, other=_REFUSE))
    yield (_RETURN, 0, 0, _ALLOW)


def _when(number: int | None, decision: list[_Step]) -> Iterator[_Step]:
    """Steps taken for one call only; they must end with an answer."""
    if number is not None:
        yield (_JUMP_EQUAL, 0, len(decision), number)
        yield from decision


def _flags(argument: int, mask: int, *, present: int, absent: int) -> list[_Step]:
    return [(_LOAD, 0, 0, argument), (_JUMP_SET, 0, 1, mask), (_RETURN, 0, 0, present), (_RETURN, 0, 0, absent)]


def _values(argument: int, values: tuple[int, ...], *, among: int, other: int) -> list[_Step]:
    tests = [step for value in values for step in ((_JUMP_EQUAL, 0, 1, value), (_RETURN, 0, 0, among))]
    return [(_LOAD, 0, 0, argument), *tests, (_RETURN, 0, 0, other)]
