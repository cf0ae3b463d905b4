"""The shop's limit of processor time."""

from importlib import import_module

import pytest


class Time:
    """A clock and a processor that stand still unless told otherwise."""

    def __init__(self) -> None:
        self.now = self.used = 0.0

    def monotonic(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.used

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(import_module("quota"), "time", time)
    return time


def test_nobody_waits_while_there_is_processor_time_left(time: Time) -> None:
    quota = import_module("quota").Quota(0.3)
    for _ in range(100):
        time.now, time.used = time.now + 1, time.used + 0.29
        quota.wait()
    assert quota.waited_seconds == 0


def test_whoever_comes_when_it_is_used_up_waits_until_the_mean_is_kept(time: Time) -> None:
    quota = import_module("quota").Quota(0.3)
    for _ in range(200):
        time.used += 0.05
        quota.wait()
    assert time.used / time.now == pytest.approx(0.3, rel=0.05)
    assert quota.waited_seconds == pytest.approx(time.now)


def test_what_is_saved_up_is_a_second_at_most(time: Time) -> None:
    quota = import_module("quota").Quota(0.3)
    time.now = 3600
    quota.wait()
    time.used = 0.3 + 0.03
    quota.wait()
    assert time.now == pytest.approx(3600.1, abs=0.01)
