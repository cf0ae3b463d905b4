"""The gate asks for more than the absence of a better champion."""

import numpy as np
import pytest
from tests.drafts import weighted

from perfcast.datasets import Part, Split
from perfcast.training import judge
from perfcast.training.judging import best_constant
from perfcast.workloads import Workload, builtin_workloads

SERVICE = builtin_workloads()["cpu-utilization"]


def split_of(cost_per_rate: float, configurations: int, repeats: int, *, kind: str = "configuration") -> Split:
    """Rates of 1, 2, 3 …, each measured so often; the CPU is a multiple of the rate, with a little noise."""
    rates = np.repeat(np.arange(1, configurations + 1), repeats).astype(np.float32)
    features = np.zeros((len(rates), len(SERVICE.features)), dtype=np.float32)
    features[:, 0] = rates
    noise = np.random.default_rng(0).normal(0, 0.01, len(rates))
    rows = Part(features, (cost_per_rate * (rates + noise)).astype(np.float32))
    turn = np.repeat(np.arange(configurations), repeats) % 6
    train, calibrate, test = (rows.take(np.isin(turn, turns)) for turns in ((0, 1, 2, 3), (4,), (5,)))
    return Split(train, calibrate, test, kind, "", np.arange(len(train)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("weight", "split", "promoted", "said"),
    [
        (0.5, split_of(0.5, 60, 3), True, ["promoted", "no champion"]),
        (9.0, split_of(0.5, 60, 3), False, ["no better than always answering 1", "percent, which has MAE"]),
        (0.5, split_of(0.5, 12, 100), False, ["12 configurations are few, measure at least 30"]),
        (9.0, split_of(0.5, 12, 100), False, ["no better than always answering", "12 configurations are few"]),
        (0.5, split_of(0.5, 12, 100, kind="time"), True, ["promoted"]),
        (0.0, split_of(0.0, 60, 3), False, ["no better than always answering"]),
    ],
    ids=["good", "worse than a constant", "few", "few and worse", "times are no configurations", "as good as one"],
)
@pytest.mark.parametrize("champion", [None, weighted(SERVICE, request_rate=20.0)], ids=["alone", "with a champion"])
def test_a_version_must_beat_a_constant_on_enough_configurations(
    weight: float, split: Split, *, promoted: bool, said: list[str], champion: bytes | None
) -> None:
    verdict = judge(weighted(SERVICE, request_rate=weight), champion, split, SERVICE)
    assert verdict.promote is promoted, verdict.reason
    for text in said if champion is None or not promoted else ["against the champion's"]:
        assert text in verdict.reason


def test_the_constant_is_the_best_there_is_by_the_gates_own_measure(workload: Workload) -> None:
    cost = np.exp(np.random.default_rng(0).uniform(-7, 7, 201)).astype(np.float32)
    constant = best_constant(workload, cost)
    mape = {value: np.abs(value / cost - 1).mean() for value in cost}
    assert mape[np.float32(constant)] == min(mape.values())
    assert mape[np.median(cost)] > 10
    assert best_constant(SERVICE, cost) == np.median(cost)
