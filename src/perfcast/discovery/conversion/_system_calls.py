"""A filter that forbids system calls a conversion never needs: sockets, programs, changes to files, other processes.

Installed with seccomp(2), which any process may use on itself, in a container too. It also closes what a network
namespace leaves open: Unix sockets that lie in the file system, such as a database's.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator, Sequence

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""As linux/audit.h calls them, in the order of the numbers below."""
_FORBIDDEN = """
socket 41 198, socketpair 53 199, bind 49 200, connect 42 203,
fork 57 -, vfork 58 -, execve 59 221, execveat 322 281,
kill 62 129, tkill 200 130, rt_sigqueueinfo 129 138, rt_tgsigqueueinfo 297 240, pidfd_send_signal 424 424,
pidfd_getfd 438 438, ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440 440,
migrate_pages 256 238, move_pages 279 239, setpriority 141 140, ioprio_set 251 30,
shmget 29 194, shmat 30 196, shmctl 31 195, semget 64 190, semop 65 193, semtimedop 220 192, semctl 66 191,
msgget 68 186, msgsnd 69 189, msgrcv 70 188, msgctl 71 187, mq_open 240 180, mq_unlink 241 181,
creat 85 -, truncate 76 45, open_by_handle_at 304 265, mkdir 83 -, mkdirat 258 34, rmdir 84 -, mknod 133 -,
mknodat 259 33, rename 82 -, renameat 264 38, renameat2 316 276, unlink 87 -, unlinkat 263 35, link 86 -,
linkat 265 37, symlink 88 -, symlinkat 266 36,
chmod 90 -, fchmod 91 52, fchmodat 268 53, fchmodat2 452 452, chown 92 -, fchown 93 55, lchown 94 -, fchownat 260 54,
utime 132 -, utimes 235 -, futimesat 261 -, utimensat 280 88, file_setattr 469 469,
setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, setxattrat 463 463,
removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16, removexattrat 466 466,
mount 165 40, umount2 166 39, move_mount 429 429, mount_setattr 442 442, open_tree 428 428, fsopen 430 430,
fspick 433 433, unshare 272 97, setns 308 268, io_uring_setup 425 425, bpf 321 280, add_key 248 217, keyctl 250 219
"""
_UNSEEN = "clone3 435 435, openat2 437 437"
"""Their flags can't be seen from here; without them, libraries fall back to the calls whose flags can."""
_CHECKED = "clone 56 220, open 2 -, openat 257 56, fcntl 72 25, ioctl 16 29"
_OF_A_PROCESS = (
    "tgkill 234 131, prlimit64 302 261, sched_setaffinity 203 122, sched_setattr 314 274, sched_setparam 142 118, "
    "sched_setscheduler 144 119"
)
"""Their first argument is a process, and may be only this one."""
_SECCOMP = "seccomp 317 277"
_ALL = f"{_FORBIDDEN}, {_UNSEEN}, {_CHECKED}, {_OF_A_PROCESS}"

_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_REFUSE, _ABSENT = _FAIL | errno.EPERM, _FAIL | errno.ENOSYS
_NUMBER, _ARCHITECTURE = 0, 4
_FIRST, _SECOND, _THIRD = 16, 24, 32
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_CLONE_THREAD = 0x00010000
_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_SET_OWNER, _SET_SIGNAL, _SET_OWNER_EX, _SET_LEASE = 8, 10, 15, 1024
"""Of `fcntl`: with the first three the kernel sends signals to others when a file is ready."""
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
    program = _Program(len(steps), b"".join(struct.pack("=HBBI", *step) for step in steps))
    seccomp = _numbers(_SECCOMP, machine)["seccomp"]
    libc = ctypes.CDLL(None, use_errno=True)
    answer: int = libc.syscall(seccomp, _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(program))
    return answer == 0


def _numbers(calls: str, machine: str) -> dict[str, int]:
    """The number of each call on this architecture (asm/unistd.h); those it lacks are left out."""
    column = list(ARCHITECTURES).index(machine)
    rows = ((name, numbers[column]) for name, *numbers in map(str.split, calls.split(",")))
    return {name: int(number) for name, number in rows if number != "-"}


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
    decisions = {
        "clone": _where(_FIRST, _JUMP_SET, [_CLONE_THREAD], _ALLOW, _REFUSE),
        "open": _where(_SECOND, _JUMP_SET, [_CHANGING], _REFUSE, _ALLOW),
        "openat": _where(_THIRD, _JUMP_SET, [_CHANGING], _REFUSE, _ALLOW),
        "fcntl": _where(_SECOND, _JUMP_EQUAL, [_SET_OWNER, _SET_SIGNAL, _SET_OWNER_EX, _SET_LEASE], _REFUSE, _ALLOW),
        "ioctl": _where(_SECOND, _JUMP_EQUAL, _IOCTL_ALLOWED, _ALLOW, _REFUSE),
        **{name: [(_RETURN, 0, 0, _REFUSE)] for name in _numbers(_FORBIDDEN, machine)},
        **{name: [(_RETURN, 0, 0, _ABSENT)] for name in _numbers(_UNSEEN, machine)},
        **{
            name: _where(_FIRST, _JUMP_EQUAL, [0, process], _ALLOW, _REFUSE)
            for name in _numbers(_OF_A_PROCESS, machine)
        },
        "tgkill": _where(_FIRST, _JUMP_EQUAL, [process], _ALLOW, _REFUSE),
    }
    for name, number in _numbers(_ALL, machine).items():
        yield (_JUMP_EQUAL, 0, len(decisions[name]), number)
        yield from decisions[name]
    yield (_RETURN, 0, 0, _ALLOW)


def _where(argument: int, test: int, values: Sequence[int], holds: int, fails: int) -> list[_Step]:
    """One answer where the argument passes the test with one of the values, another where it doesn't."""
    tests = [step for value in values for step in ((test, 0, 1, value), (_RETURN, 0, 0, holds))]
    return [(_LOAD, 0, 0, argument), *tests, (_RETURN, 0, 0, fails)]
