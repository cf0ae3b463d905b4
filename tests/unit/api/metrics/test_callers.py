"""Callers are counted once, whichever process they call, and forgotten after a day."""

from pathlib import Path

from perfcast.api.metrics import Callers, _callers

HOUR = 3600.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def test_who_called_lately_is_counted_and_who_was_silent_for_a_day_is_new_again() -> None:
    clock = Clock()
    callers = Callers(clock=clock)
    for name in ("a", "b", "a"):
        callers.seen(name)
    assert callers.look().new == 2
    assert callers.counts() == {"1h": 2, "24h": 2}
    clock.now += 2 * HOUR
    callers.seen("a")
    assert callers.look().new == 2
    assert callers.counts() == {"1h": 1, "24h": 2}
    clock.now += 25 * HOUR
    assert callers.counts() == {"1h": 0, "24h": 0}
    callers.seen("b")
    assert callers.look().new == 3


def test_processes_of_a_port_count_a_caller_once(tmp_path: Path) -> None:
    first, second = Callers(), Callers()
    for one in (first, second):
        one.share(str(tmp_path))
    for one, names in ((first, "ab"), (second, "bc"), (first, "c")):
        for name in names:
            one.seen(name)
        one.look()
    assert first.look().new == second.look().new == 3
    assert first.counts() == second.counts() == {"1h": 3, "24h": 3}
    successor = Callers()
    successor.share(str(tmp_path))
    assert successor.look().new == 3


def test_only_hashes_of_names_are_kept(tmp_path: Path) -> None:
    callers = Callers(name=lambda address: f"address:{address}")
    callers.share(str(tmp_path))
    callers.seen("203.0.113.7")
    callers.look()
    assert b"203.0.113.7" not in (tmp_path / "callers").read_bytes()


def test_so_many_callers_are_remembered_and_no_more() -> None:
    clock = Clock()
    callers = Callers(clock=clock)
    for number in range(_callers.MOST + 10):
        clock.now += 1
        callers.seen(str(number))
    assert callers.look().new == _callers.MOST + 10
    assert callers.counts()["24h"] == _callers.MOST
