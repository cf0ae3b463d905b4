"""Shapley values by sampling: what features add on the way from a usual row to the row that is explained.

A way begins at a row of the background and replaces one feature after the other, in some order, by the explained row's.
What a feature changes, in the mean over ways, is what it adds; all it adds together is exactly the difference between
the prediction and the mean of the beginnings (Strumbelj and Kononenko 2014, "Explaining prediction models and
individual predictions with feature contributions"). Each order is taken forwards and backwards, which lessens the noise
(Mitchell et al. 2022, "Sampling Permutations for Shapley Value Estimation"). A way through a row that isn't allowed,
such as a kernel that is larger than its input, is left out.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.errors import Refused
from perfcast.workloads import TIMESTAMP, Name, Rows, Workload, check_table, right_rows

BACKGROUND = 32
"""Rows that are kept with a version."""
MOST_ROWS = 640
"""A prediction is explained with so many rows, all in one call: about 10 ms of a mean of networks and trees."""
TRIED = 3
"""Times as many ways are drawn as are taken, since some aren't allowed."""
JUDGED_ROWS, JUDGED_WAYS = 64, 6
"""Rows, and ways to each, by which features' importance is told."""
_Doubles: TypeAlias = npt.NDArray[np.float64]
_Places: TypeAlias = npt.NDArray[np.int64]
Predict: TypeAlias = Callable[[Rows], Rows]


class Contribution(NamedTuple):
    """What a feature adds.

    Attributes:
        feature: Its name; `timestamp` for all that a clock decides, which is replaced at once.
        amount: In the cost's unit.
        factor: By how much it multiplies the cost; None where errors aren't relative.
    """

    feature: str
    amount: float
    factor: float | None


class Explanation(NamedTuple):
    """Why one row's cost is what it is.

    Attributes:
        cost: The prediction: `base` and all amounts together, or `typical` times all factors.
        base: Mean cost of the rows from which the ways begin.
        typical: Their geometric mean; None where errors aren't relative.
        contributions: The largest first.
        ways: Over how many this is the mean.
    """

    cost: float
    base: float
    typical: float | None
    contributions: tuple[Contribution, ...]
    ways: int


def choose_background(features: Rows) -> Rows:
    """Rows to keep with a version, of float32 [rows, features] that it has learnt from."""
    drawn = features[np.random.default_rng(0).permutation(len(features))[: 4 * BACKGROUND]]
    _, first = np.unique(drawn, axis=0, return_index=True)
    return np.asarray(drawn[np.sort(first)[:BACKGROUND]])


def explain(
    workload: Workload, predict: Predict, row: Rows, background: Rows, *, most_rows: int = MOST_ROWS
) -> Explanation:
    """Explain one prediction.

    Args:
        workload: Whose cost is predicted.
        predict: From float32 [rows, features] to float32 [rows]; called once.
        row: float32 [features].
        background: Usual rows, float32 [rows, features].
        most_rows: To ask at most.

    Raises:
        Refused: No way leads to the row through allowed ones.
    """
    players = _players(workload, row)
    ways = max(2, most_rows // (len(players) + 1))
    walk = _Walk(workload, list(players.values()), TRIED * ways)
    taken, rows = walk.through(np.repeat(row[None], TRIED * ways, axis=0), background)
    taken, rows = taken[:ways], rows[:ways]
    if not len(taken):
        raise Refused("no usual row leads to these features one by one through allowed ones, so none can be told apart")
    costs = _asked(predict, rows)
    amounts = walk.gains(costs, taken).mean(axis=0)
    relative = workload.cost.relative and costs.min() > 0
    factors = np.exp(walk.gains(np.log(costs), taken).mean(axis=0)) if relative else [None] * len(players)
    found = [
        Contribution(name, float(amount), factor)
        for name, amount, factor in zip(players, amounts, factors, strict=True)
    ]
    return Explanation(
        cost=float(costs[0, -1]),
        base=float(costs[:, 0].mean()),
        typical=float(np.exp(np.log(costs[:, 0]).mean())) if relative else None,
        contributions=tuple(
            sorted(found, key=lambda one: -abs(one.amount if one.factor is None else np.log(one.factor)))
        ),
        ways=len(taken),
    )


def importance(workload: Workload, predict: Predict, rows: Rows, background: Rows) -> dict[str, float]:
    """How much each feature matters: its share of all that features add or take away, in the mean over rows.

    From 0 to 1; of logarithms where errors are relative. Empty where no way is allowed or nothing matters.
    """
    players = _players(workload)
    spread = np.linspace(0, len(rows) - 1, min(len(rows), JUDGED_ROWS)).astype(np.int64)
    judged = np.repeat(rows[spread], TRIED * JUDGED_WAYS, axis=0)
    walk = _Walk(workload, list(players.values()), len(judged))
    taken, ways = walk.through(judged, background)
    if not len(taken):
        return {}
    costs = _asked(predict, ways)
    gains = walk.gains(np.log(costs) if workload.cost.relative and costs.min() > 0 else costs, taken)
    owners = taken // (TRIED * JUDGED_WAYS)
    means = np.stack([gains[owners == owner].mean(axis=0) for owner in np.unique(owners)])
    sizes = np.abs(means).mean(axis=0)
    if not sizes.sum():
        return {}
    shares = sizes / sizes.sum()
    return {
        name: round(float(shares[at]), 4) for at, name in sorted(enumerate(players), key=lambda item: -shares[item[0]])
    }


def _players(workload: Workload, row: Rows | None = None) -> dict[str, list[int]]:
    """What is replaced at once: each feature's column, and all columns that a clock decides.

    A feature that is another one unless it is given, such as the width of a square kernel, goes with that where the row
    has it so: nobody stated it.
    """
    found: dict[str, list[int]] = {}
    for at, feature in enumerate(workload.features):
        name = TIMESTAMP if feature.declaration.clock else feature.name
        if row is not None and isinstance(feature.default, Name):
            other = workload.feature_names.index(feature.default.name)
            name = next(player for player, own in found.items() if other in own) if row[at] == row[other] else name
        found.setdefault(name, []).append(at)
    return found


class _Walk:
    """Ways from background rows to others, in orders that come in pairs: one, and the same backwards."""

    def __init__(self, workload: Workload, players: list[list[int]], ways: int) -> None:
        self.workload, self.players = workload, players
        half = np.random.default_rng(0).random((-(-ways // 2), len(players))).argsort(axis=1)
        self.orders: _Places = np.stack([half, half[:, ::-1]], axis=1).reshape(-1, len(players))[:ways]

    def through(self, ends: Rows, background: Rows) -> tuple[_Places, Rows]:
        """The ways that are allowed, and the rows they lead through, float32 [ways, players + 1, features]."""
        begins = background[np.arange(len(ends)) // 2 % len(background)]
        ranks = self.orders.argsort(axis=1)
        replaced = ranks[:, None, :] < np.arange(len(self.players) + 1)[None, :, None]
        owner = np.zeros(ends.shape[1], dtype=np.int64)
        for player, columns in enumerate(self.players):
            owner[columns] = player
        rows = np.where(replaced[:, :, owner], ends[:, None, :], begins[:, None, :])
        flat = rows.reshape(-1, ends.shape[1])
        right = right_rows(check_table(self.workload, flat), len(flat)).reshape(rows.shape[:2]).all(axis=1)
        taken = np.flatnonzero(right)
        return taken, rows[taken]

    def gains(self, values: _Doubles, taken: _Places) -> _Doubles:
        """What each player adds on each way, [ways, players], from the values on it, [ways, players + 1]."""
        found = np.empty((len(taken), len(self.players)))
        np.put_along_axis(found, self.orders[taken], np.diff(values, axis=1), axis=1)
        return found


def _asked(predict: Predict, rows: Rows) -> _Doubles:
    """The costs along ways, float64 [ways, steps]; each different row is asked once."""
    different, place = np.unique(rows.reshape(-1, rows.shape[-1]), axis=0, return_inverse=True)
    return predict(different).astype(np.float64)[place.ravel()].reshape(rows.shape[:2])
