"""Moving windows in memory."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from perfcast.api.access._limits import Rate, Windows


@given(st.lists(st.floats(0, 3), max_size=80), st.integers(1, 5), st.integers(1, 10))
def test_no_window_ever_holds_more_than_its_rate_and_nothing_is_refused_before(
    gaps: list[float], amount: int, seconds: int
) -> None:
    windows, now, admitted = Windows([Rate(amount, seconds)]), 1000.0, deque[float]()
    for gap in gaps:
        now += gap
        recent = [at for at in admitted if at > now - seconds]
        excess = windows.hit("caller", now)
        assert (excess is None) == (len(recent) < amount)
        if excess is None:
            admitted.append(now)
        else:
            assert 0 < excess.wait <= seconds
            assert windows.hit("caller", now + excess.wait - 1e-3) is not None or excess.wait < 2e-3


def test_a_refused_request_is_welcome_when_it_was_told_to_come_again() -> None:
    windows = Windows([Rate(2, 10)])
    assert windows.hit("a", 0.0) is None
    assert windows.hit("a", 4.0) is None
    excess = windows.hit("a", 5.0)
    assert excess is not None
    assert excess.wait == 5.0
    assert windows.hit("a", 5.0 + excess.wait) is None
    assert windows.hit("a", 11.0) is not None


def test_callers_do_not_count_for_each_other() -> None:
    windows = Windows([Rate(1, 10)])
    assert windows.hit("a", 0.0) is None
    assert windows.hit("b", 0.0) is None
    assert windows.hit("a", 1.0) is not None


def test_every_rate_holds_and_what_one_refuses_counts_for_none() -> None:
    windows = Windows([Rate(1, 1), Rate(2, 60)])
    assert windows.hit("a", 0.0) is None
    assert windows.hit("a", 0.5).rate == Rate(1, 1)  # type: ignore[union-attr]
    assert windows.hit("a", 2.0) is None
    assert windows.hit("a", 4.0).rate == Rate(2, 60)  # type: ignore[union-attr]


def test_memory_is_bounded_however_many_callers_there_are() -> None:
    windows = Windows([Rate(1, 3600)], most=100)
    for caller in range(10_000):
        windows.hit(str(caller), 0.0)
    assert len(windows) == 100
    assert windows.hit("9999", 1.0) is not None
