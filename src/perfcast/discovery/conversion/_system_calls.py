"""A filter that forbids system calls a conversion never needs: sockets, programs, other processes.

Installed with seccomp(2), which any process may use on itself, in a container too. It also closes what a network
namespace leaves open: Unix sockets that lie in the file system, such as a database's.
"""

import ctypes
import errno
import platform
import struct
from dataclasses import dataclass

_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_CLONE_THREAD = 0x00010000
_SET_MODE_FILTER, _ALL_THREADS = 1, 1


@dataclass(frozen=True)
class _Machine:
    """Numbers of an architecture (linux/audit.h, asm/unistd.h)."""

    architecture: int
    seccomp: int
    clone: int
    forbidden: tuple[int, ...]


_CLONE3, _IO_URING_SETUP, _PIDFD_SEND_SIGNAL = 435, 425, 424
_MACHINES = {
    "x86_64": _Machine(
        0xC000003E,
        seccomp=317,
        clone=56,
        # socket, connect, fork, vfork, execve, kill, ptrace, process_vm_readv, process_vm_writev, execveat
        forbidden=(41, 42, 57, 58, 59, 62, 101, 310, 311, 322, _PIDFD_SEND_SIGNAL, _IO_URING_SETUP),
    ),
    "aarch64": _Machine(
        0xC00000B7,
        seccomp=277,
        clone=220,
        # ptrace, kill, socket, connect, execve, process_vm_readv, process_vm_writev, execveat
        forbidden=(117, 129, 198, 203, 221, 270, 271, 281, _PIDFD_SEND_SIGNAL, _IO_URING_SETUP),
    ),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def forbid_system_calls() -> bool:
    """Install the filter for all threads of this process, for good; False where the kernel can't.

    The process must have given up new privileges before.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return False
    code = _code(machine)
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    answer: int = libc.syscall(machine.seccomp, _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(program))
    return answer == 0


def _code(machine: _Machine) -> bytes:
    """The filter as classic BPF; a forbidden call gives "operation not permitted"."""
    refuse, absent = _FAIL | errno.EPERM, _FAIL | errno.ENOSYS
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, machine.architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_GREATER_EQUAL, 0, 1, 0x40000000),  # another numbering of the same calls
        (_RETURN, 0, 0, refuse),
    ]
    for number in machine.forbidden:
        steps += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, refuse)]
    # Its flags can't be seen from here; without it, threads are made by clone.
    steps += [(_JUMP_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, absent)]
    steps += [
        (_JUMP_EQUAL, 0, 3, machine.clone),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_SET, 1, 0, _CLONE_THREAD),
        (_RETURN, 0, 0, refuse),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
