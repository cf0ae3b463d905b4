"""What the calls of a plan take together: one question to each model, and a sum."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.errors import InvalidInput
from perfcast.networks._call import CONVOLUTIONS, OPERATORS, Call, Plan, Unmodelled
from perfcast.workloads import RowReader, Rows, builtin_workloads

Column: TypeAlias = npt.NDArray[np.float64]


class Costs(Protocol):
    """What a model says of some rows: float32 [rows] each, `extrapolated` bool [rows, features]."""

    @property
    def cost(self) -> Rows: ...
    @property
    def lower(self) -> Rows | None: ...
    @property
    def upper(self) -> Rows | None: ...
    @property
    def extrapolated(self) -> npt.NDArray[np.bool_]: ...


_MOST_SPARED = 0.8
"""Share of a layer's time: what it is spared of can't be all of it."""
Ask: TypeAlias = Mapping[str, Callable[[Rows], Costs]]
"""For each workload that a device has a model of, how to ask it for many rows."""


@dataclass(frozen=True)
class Sum:
    """Calls with what each takes alone, in milliseconds and in the order of the plan: float64 [calls].

    Attributes:
        calls: Those whose time is known, at the batch asked for.
        unmodelled: What has no time.
        ms: The time of each, negative for what is spared.
        lower, upper: Its bounds; None where a model has none.
        extrapolated: Whether it is outside what its model was trained on: bool [calls].
    """

    calls: tuple[Call, ...]
    unmodelled: tuple[Unmodelled, ...]
    batch_size: int
    ms: Column
    lower: Column | None
    upper: Column | None
    extrapolated: npt.NDArray[np.bool_]

    @cached_property
    def terms(self) -> Column:
        """What a network's time is made of, in ms, calls, MB: float64 [calls, len(TERMS)]; see `TERMS`."""
        convolution = np.array([call.workload == CONVOLUTIONS for call in self.calls], dtype=bool)
        made = np.array([call.sign > 0 and not call.inside for call in self.calls], dtype=bool)
        inside = np.array([call.inside for call in self.calls], dtype=bool)
        weights = np.array([call.weight_bytes for call in self.calls], dtype=np.float64)
        moved = np.array([call.moved_bytes for call in self.calls], dtype=np.float64)
        times = [self.ms * part for part in (convolution, ~convolution & made, inside, ~(made | inside))]
        return np.stack([*times, made.astype(np.float64), 1e-6 * weights * made, 1e-6 * moved * made], axis=1)


TERMS = ("convolutions_ms", "operators_ms", "inside_ms", "spared_ms", "calls", "weight_megabytes", "moved_megabytes")
"""What a whole network's time is a sum of: times of its calls alone, their number, and what they move.

A call measured alone finds its weights and its tensors in the cache and has no interpreter between it and the next one.
"""


def add_up(plan: Plan, batch_size: int, ask: Ask) -> Sum:
    """Ask a device's models for all calls of a plan.

    Args:
        plan: The calls, at a batch of one.
        batch_size: Images a call of the network.
        ask: The device's models.
    """
    readers = {workload: RowReader(builtin_workloads()[workload]) for workload in ask}
    calls = tuple(at_batch(call, batch_size) for call in plan.calls)
    read = [_row(call, readers) for call in calls]
    timed = [(call, row) for call, row in zip(calls, read, strict=True) if not isinstance(row, str)]
    layers = {node for call, _ in timed if call.sign > 0 for node in call.nodes}
    timed = [(call, row) for call, row in timed if call.sign > 0 or layers.issuperset(call.nodes)]
    known, features = tuple(call for call, _ in timed), [row for _, row in timed]
    missing = [
        Unmodelled(call.name, call.operator, row, call.moved_bytes // batch_size)
        for call, row in zip(calls, read, strict=True)
        if isinstance(row, str) and call.sign > 0
    ]
    ms, lower, upper = (np.zeros(len(known)) for _ in range(3))
    extrapolated = np.zeros(len(known), dtype=bool)
    bounded = True
    for workload in (CONVOLUTIONS, OPERATORS):
        places = [at for at, call in enumerate(known) if call.workload == workload]
        if not places:
            continue
        rows, which = np.unique(np.array([features[at] for at in places], np.float32), axis=0, return_inverse=True)
        found = ask[workload](rows)
        outside: npt.NDArray[np.bool_] = np.asarray(found.extrapolated.any(axis=1))
        ms[places], extrapolated[places] = found.cost[which], outside[which]
        if found.lower is None or found.upper is None:
            bounded = False
        else:
            lower[places], upper[places] = found.lower[which], found.upper[which]
    signs = np.array([call.sign for call in known], dtype=float)
    sides = (signs * np.where(signs > 0, lower, upper), signs * np.where(signs > 0, upper, lower))
    below, above = sides if bounded else (None, None)
    return Sum(
        known, (*plan.unmodelled, *missing), batch_size, hold_spared(known, signs * ms), below, above, extrapolated
    )


def by_layer(calls: Sequence[Call]) -> Mapping[str, list[int]]:
    """Where the calls of each layer are; what is spared belongs to the layer whose node is spared of it."""
    owners = {node: call.name for call in calls if call.sign > 0 for node in call.nodes}
    places: dict[str, list[int]] = {}
    for at, call in enumerate(calls):
        spared_by = owners.get(call.nodes[0]) if call.sign < 0 and call.nodes else None
        places.setdefault(spared_by or call.name, []).append(at)
    return places


def hold_spared(calls: Sequence[Call], ms: Column) -> Column:
    """What calls take, such that none is spared of more than `_MOST_SPARED` of its time: errors may exceed it."""
    held = ms.copy()
    for own in by_layer(calls).values():
        taken, spared = float(ms[own].clip(min=0).sum()), float(-ms[own].clip(max=0).sum())
        if spared > _MOST_SPARED * taken:
            held[own] = np.where(ms[own] < 0, ms[own] * (_MOST_SPARED * taken / spared), ms[own])
    return held


def at_batch(call: Call, batch_size: int) -> Call:
    """A call at another batch than one."""
    features = {**call.features, "batch_size": int(call.features["batch_size"]) * batch_size}
    flops, moved = call.flops * batch_size, call.moved_bytes * batch_size
    return replace(call, features=features, flops=flops, moved_bytes=moved)


def _row(call: Call, readers: Mapping[str, RowReader]) -> list[float] | str:
    """A call's features as numbers, or why its time can't be asked for."""
    if call.workload not in readers:
        return f"the device has no model of {call.workload}"
    try:
        return readers[call.workload].read(call.features)
    except InvalidInput as error:
        return str(error)
