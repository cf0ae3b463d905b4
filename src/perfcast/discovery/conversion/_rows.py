"""Rows on which a converted graph is compared with its original (rule R3)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from perfcast.discovery.conversion._original import Doubles, Original
from perfcast.errors import Refused
from perfcast.workloads import (
    ArrayArithmetic,
    Expression,
    Feature,
    Name,
    Rows,
    Workload,
    check_table,
    evaluate,
    right_rows,
)

SAMPLED = 4_000
BESIDE = 500
"""Special values that rows are moved onto."""
LEAST = 100
USUAL = 0.85
"""Share of rows in which an optional feature has its default."""
UNBOUNDED = 1e6
"""Stands for the bound of a feature that declares none."""
ROUNDING = 1e-5
"""Where float32 sums alone move the original's own answer by more than this, it has no digits to compare with."""


def comparison_rows(workload: Workload, original: Original, inputs: Sequence[Expression]) -> Rows:
    """Rows all over the workload's bounds, and some moved onto a feature's extreme, or onto and beside a special value.

    Returns:
        float32 [rows, features].
    """
    random = np.random.default_rng(0)
    columns: dict[str, Any] = {feature.name: _sample(feature, random) for feature in workload.features}
    for feature in workload.features:
        if feature.default is not None:  # seldom given, so most often at its default
            usual = evaluate(feature.default, columns, ArrayArithmetic())
            columns[feature.name] = np.where(random.random(SAMPLED) < USUAL, usual, columns[feature.name])
    rows = np.stack(list(columns.values()), axis=1).astype(np.float32)
    rows = rows[right_rows(check_table(workload, rows), SAMPLED)]
    if len(rows) < LEAST:
        raise Refused(f"no rows to compare on: the rules of {workload.name} allow only {len(rows)} of those sampled")
    return np.concatenate([rows, _beside(workload, original, inputs, rows, random)])


def well_conditioned(original: Original, inputs: Doubles) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """The rows on which the original's own answer is known to enough digits: bool [rows]."""
    native = original.predict(inputs)
    if original.exact is None:
        return np.isfinite(native)
    exact = original.exact(inputs)
    largest = np.abs(native[np.isfinite(native)]).max(initial=0.0)
    apart = np.abs(native - exact)
    near = (apart <= ROUNDING * np.abs(exact)) | (apart > ROUNDING * largest)  # so far apart is no rounding: compare
    kept: np.ndarray[tuple[int], np.dtype[np.bool_]] = near | ((native <= 0) & (exact <= 0))
    return np.isfinite(native) & kept


def _sample(feature: Feature, random: np.random.Generator) -> Doubles:
    low, high = max(feature.minimum, -UNBOUNDED), min(feature.maximum, UNBOUNDED)
    if feature.whole and low >= 0 and high > 10:
        drawn = np.exp(random.uniform(0, np.log(high - low + 1), SAMPLED)) - 1 + low
    else:
        drawn = random.uniform(low, high, SAMPLED)
    return np.clip(np.round(drawn), np.ceil(low), np.floor(high)) if feature.whole else drawn


def _beside(
    workload: Workload, original: Original, inputs: Sequence[Expression], rows: Rows, random: np.random.Generator
) -> Rows:
    pairs = [
        (position, bound)
        for position, feature in enumerate(workload.features)
        for bound in (max(feature.minimum, -UNBOUNDED), min(feature.maximum, UNBOUNDED))
    ]
    share = BESIDE // max(1, len(original.special))
    for column, values in original.special.items():
        read = inputs[column]
        if isinstance(read, Name) and read.name in workload.feature_names:
            position, others = workload.feature_names.index(read.name), random.permutation(values[1:])[:share]
            pairs += [(position, value) for value in (values[0], *others)]
    columns = np.repeat([column for column, _ in pairs], 3)
    middle = np.array([value for _, value in pairs], dtype=np.float32)
    around = [np.nextafter(middle, np.float32(-np.inf)), middle, np.nextafter(middle, np.float32(np.inf))]
    moved = rows[random.integers(len(rows), size=len(columns))].copy()
    moved[np.arange(len(columns)), columns] = np.stack(around, axis=1).reshape(-1)
    return moved
