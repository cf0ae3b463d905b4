"""What two declarations make of the same numbers: told in words, and translated where that is possible."""

from typing import Any

import numpy as np
import pytest

from perfcast.errors import InvalidData
from perfcast.workloads import (
    Workload,
    differences,
    document_differences,
    encoded_for,
    same_rows,
    workload_from_document,
)

ZONE = {"name": "zone", "type": "choice", "values": ["a", "b", "c"]}
LOAD = {"name": "load", "unit": "1/s", "maximum": 10}


def declared(*features: dict[str, Any], cost: dict[str, Any] | None = None, **more: object) -> Workload:
    return workload_from_document({"name": "w", "cost": cost or {"name": "ms"}, "features": features, **more})


@pytest.mark.parametrize(
    ("now", "told", "same"),
    [
        (declared(ZONE, LOAD), (), True),
        (declared(ZONE | {"meaning": "Where"}, LOAD | {"trend": "increasing"}), (), True),
        (declared(ZONE | {"values": ["c", "a", "b"]}, LOAD), ("'zone' had the values a, b, c; now c, a, b",), False),
        (declared(ZONE, LOAD | {"maximum": 20}), ("'load' had the maximum 10.0; now 20.0",), True),
        (declared(ZONE, LOAD | {"unit": "1/min"}), ("'load' had the unit 1/s; now 1/min",), False),
        (declared(LOAD, ZONE), ("the features stood in the order zone, load; now load, zone",), False),
        (declared(ZONE), ("'load' is gone",), False),
        (declared(ZONE, LOAD, derived=[{"name": "twice", "expression": "2 * load"}]), ("'twice' is new",), True),
        (declared(ZONE, LOAD, cost={"name": "ms", "relative": True, "minimum": 0}), None, True),
        (declared(ZONE, LOAD, cost={"name": "s"}), ("'ms' is gone", "'s' is new"), False),
    ],
)
def test_differences_are_told_in_words(now: Workload, told: tuple[str, ...] | None, *, same: bool) -> None:
    before = declared(ZONE, LOAD)
    if told is not None:
        assert differences(before, now) == told
        assert document_differences(before.document(), now.document()) == told
    assert same_rows(before, now) is same


def test_rows_are_put_into_the_terms_of_another_declaration_or_refused() -> None:
    source = declared(ZONE, LOAD)
    rows = np.array([[0, 1], [1, 2], [0, 3]], dtype=np.float32)
    target = declared(LOAD, ZONE | {"values": ["b", "x", "a"]})
    assert encoded_for(rows, source, target).tolist() == [[1, 2], [2, 0], [3, 2]]
    for other, part in (
        (declared(ZONE | {"values": ["a", "c"]}, LOAD), "expected one of a, c, got 'b'"),
        (declared(ZONE, LOAD, {"name": "more"}), "no 'more'"),
        (declared(ZONE, LOAD | {"unit": "1/h"}), "number 1/h by one and as number 1/s by the other"),
        (declared(ZONE, LOAD, cost={"name": "s"}), "predicts ms in no unit, the other s in no unit"),
    ):
        with pytest.raises(InvalidData, match=part):
            encoded_for(rows, source, other)
