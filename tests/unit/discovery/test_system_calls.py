"""The filter's answers on each architecture, by running its program."""

import os

import pytest

from perfcast.discovery.conversion._system_calls import _ALL, ARCHITECTURES, _numbers, _steps

ALLOW, REFUSE, ABSENT, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
OWN, OTHER, WIDE = 77, 78, 1 << 32
CLONE_THREAD = 0x00010000


def answer(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """What the program returns for a call (classic BPF over struct seccomp_data, little endian)."""
    words = {0: number, 4: ARCHITECTURES[machine] if architecture is None else architecture}
    words |= {16 + 8 * place: value & 0xFFFFFFFF for place, value in enumerate(arguments)}
    steps, at, loaded = list(_steps(machine, OWN)), 0, 0
    while True:
        code, true, false, constant = steps[at]
        at += 1
        if code == 0x06:
            return constant
        if code == 0x20:
            loaded = words[constant]
        else:
            holds = {0x15: loaded == constant, 0x35: loaded >= constant, 0x45: loaded & constant != 0}[code]
            at += true if holds else false


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("socket", (1, 1, 0), REFUSE),
        ("renameat2", (), REFUSE),
        ("unlinkat", (), REFUSE),
        ("tkill", (OWN, 9), REFUSE),
        ("openat2", (), ABSENT),
        ("clone3", (), ABSENT),
        ("clone", (CLONE_THREAD,), ALLOW),
        ("clone", (17,), REFUSE),
        ("openat", (0, 0, os.O_RDONLY), ALLOW),
        ("openat", (0, 0, os.O_WRONLY), REFUSE),
        ("openat", (0, 0, os.O_RDWR), REFUSE),
        ("openat", (0, 0, os.O_RDONLY | os.O_CREAT), REFUSE),
        ("openat", (0, 0, os.O_RDONLY | os.O_TRUNC), REFUSE),
        ("tgkill", (OWN, OWN, 6), ALLOW),
        ("tgkill", (OTHER, OTHER, 6), REFUSE),
        ("tgkill", (WIDE + OTHER, OTHER, 6), REFUSE),
        ("prlimit64", (0, 1), ALLOW),
        ("prlimit64", (OWN, 1), ALLOW),
        ("prlimit64", (OTHER, 1), REFUSE),
        ("fcntl", (3, 1), ALLOW),
        ("fcntl", (3, 8), REFUSE),
        ("ioctl", (3, 0x5401), ALLOW),
        ("ioctl", (3, 0x5412), REFUSE),
    ],
)
def test_a_call_is_answered_by_its_number_and_arguments(
    machine: str, name: str, arguments: tuple[int, ...], expected: int
) -> None:
    assert answer(machine, _numbers(_ALL, machine)[name], *arguments) == expected


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_calls_in_another_numbering_end_the_process_or_fail(machine: str) -> None:
    assert answer(machine, 0, architecture=0x40000003) == KILL
    assert answer(machine, 0x40000001) == REFUSE


def test_the_older_open_of_x86_64_is_looked_at_too() -> None:
    assert answer("x86_64", 2, 0, os.O_RDONLY) == ALLOW
    assert answer("x86_64", 2, 0, os.O_WRONLY) == REFUSE
