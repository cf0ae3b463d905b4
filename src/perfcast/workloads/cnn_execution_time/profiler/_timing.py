"""The time of one convolution call: the least of several timed batches."""

import math
from dataclasses import dataclass

from ._runners import Timer


class TooSlowError(RuntimeError):
    """A single call takes longer than a configuration may."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to repeat a call.

    Attributes:
        seconds: Time for the timed batches together.
        batch_seconds: Least duration of a batch, so that the clock's resolution doesn't matter.
        batches: Least number of batches.
        call_seconds: Longest allowed single call.
    """

    seconds: float
    batch_seconds: float = 1e-3
    batches: int = 3
    call_seconds: float = math.inf


def time_call(timer: Timer, budget: Budget) -> float:
    """Warm up, repeat timed batches of calls, and return the least seconds per call.

    Raises:
        TooSlowError: A warm call took longer than the budget allows.
    """
    if timer(1) > 2 * budget.call_seconds:
        raise TooSlowError(f"one call takes more than {2e3 * budget.call_seconds:.0f} ms")
    warm = timer(1)
    if warm > budget.call_seconds:
        raise TooSlowError(f"one call takes {1e3 * warm:.0f} ms, more than {1e3 * budget.call_seconds:.0f} ms")
    calls = _calls_per_batch(timer, warm, budget.batch_seconds)
    best, spent, batches = (warm, warm, 1) if calls == 1 else (math.inf, 0.0, 0)
    while batches < budget.batches or spent < budget.seconds:
        elapsed = timer(calls)
        best, spent, batches = min(best, elapsed / calls), spent + elapsed, batches + 1
    return best


def _calls_per_batch(timer: Timer, warm: float, batch_seconds: float) -> int:
    """How many calls fill a batch, from a second estimate where the first is short."""
    if warm >= batch_seconds:
        return 1
    trial = max(1, int(0.3 * batch_seconds / warm))
    per_call = min(warm, timer(trial) / trial)
    return max(1, math.ceil(batch_seconds / per_call))
