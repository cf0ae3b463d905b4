"""Networks on several devices and batches, side by side: what images cost there, and which is best within a limit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from perfcast_client.answers import NetworkAnswer

_MS_PER_HOUR = 3.6e6


@dataclass(frozen=True)
class Option:
    """A device and a batch that a network can run with.

    Attributes:
        answer: What was predicted of it.
        within: Whether the upper bound of a call (the time itself, where there is none) stays within the limit; true
            without one.
        cost_per_million: Of images, in the currency of the prices; None where the device has none.
    """

    answer: NetworkAnswer
    within: bool
    cost_per_million: float | None

    @property
    def at_most_ms(self) -> float:
        """The upper bound of a call; the time itself where there is none."""
        return self.answer.execution_time_ms if self.answer.upper_ms is None else self.answer.upper_ms


def options_of(
    answers: Iterable[NetworkAnswer], *, within_ms: float | None = None, prices: Mapping[str, float] | None = None
) -> list[Option]:
    """What was predicted of a network, each with what images cost and whether a call is quick enough.

    Args:
        answers: Of `predict_network`, for several devices and batches.
        within_ms: How long a call may take.
        prices: Of devices, an hour.
    """
    found = []
    for answer in answers:
        price = (prices or {}).get(answer.device)
        cost = None if price is None else price * answer.execution_time_ms / answer.batch_size * 1e6 / _MS_PER_HOUR
        option = Option(answer, within=True, cost_per_million=cost)
        within = within_ms is None or option.at_most_ms <= within_ms
        found.append(Option(answer, within, cost))
    return found


def best_of(options: Sequence[Option]) -> Option | None:
    """The cheapest within the limit; where nothing has a price, the one with the most images a second."""
    fitting = [one for one in options if one.within and one.answer.images_per_second]
    priced = [one for one in fitting if one.cost_per_million is not None]
    if any(one.cost_per_million is not None for one in options):
        return min(priced, key=lambda one: (one.cost_per_million, one.at_most_ms), default=None)
    return max(fitting, key=lambda one: one.answer.images_per_second or 0.0, default=None)
