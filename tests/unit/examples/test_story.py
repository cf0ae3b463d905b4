"""What the shop's story tells of each of its parts."""

from datetime import UTC, datetime
from importlib import import_module
from types import ModuleType

import polars as pl
import pytest

DEPLOY, PROMOTED = 1000.0, 2000.0


@pytest.fixture
def story() -> ModuleType:
    return import_module("story")


def judged(seconds: float, value: float, *, lower: float, upper: float) -> dict[str, object]:
    at = datetime.fromtimestamp(seconds, UTC)
    plain = {"plain_lower": 9.0, "plain_upper": 11.0}
    return {"measured_at": at, "value": value, "predicted": 10.0, "lower": lower, "upper": upper} | plain


def test_each_part_between_deploy_and_promotions_has_its_own_figures(story: ModuleType) -> None:
    rows = pl.DataFrame(
        [
            judged(500, 10.5, lower=9, upper=11),
            judged(1500, 13.0, lower=8, upper=14),
            judged(1600, 14.0, lower=8, upper=13),
            judged(2500, 10.0, lower=9, upper=12),
        ]
    )
    events = [{"what": "promoted", "at": at} for at in (400.0, PROMOTED)]
    before, after, learnt = story.periods(rows, [(DEPLOY, 1.5)], events)
    assert [part["period"] for part in (before, after, learnt)] == [
        "before the deploy",
        "after it",
        "after retraining 1",
    ]
    assert (after["rows"], after["mean error"], after["bias"]) == (2, 3.5, -3.5)
    assert (after["held %"], after["held %, uncorrected"]) == (50, 0)
    assert (after["width"], after["width, uncorrected"]) == (5.5, 2)
    assert learnt["held %"] == 100


def test_a_shop_without_a_deploy_has_one_part(story: ModuleType) -> None:
    rows = pl.DataFrame([judged(500, 10.5, lower=9, upper=11)])
    assert [part["period"] for part in story.periods(rows, [], [])] == ["before the deploy"]
