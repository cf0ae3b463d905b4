"""The shop's other clock, by which its day of twenty minutes is a day."""

import json
from importlib import import_module
from types import ModuleType

import pytest

MIDNIGHT, OPENED, FACTOR = 1_795_392_000, 1_795_784_193.855, 72.0


@pytest.fixture
def stretched() -> ModuleType:
    return import_module("stretched")


def test_a_time_comes_back_from_the_other_clock(stretched: ModuleType) -> None:
    clock = stretched.Stretch(OPENED, MIDNIGHT, FACTOR)
    assert clock.real(MIDNIGHT) == OPENED
    assert clock.real(MIDNIGHT + 86_400) == pytest.approx(OPENED + 1200)
    assert clock.stretched(clock.real(MIDNIGHT + 12_345)) == pytest.approx(MIDNIGHT + 12_345)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("sum(rate(x[18m]))", "sum(rate(x[15000ms]))"),
        ('rate(x{route="[1h]"}[1080s]) + y', 'rate(x{route="[1h]"}[15000ms]) + y'),
        ("avg_over_time(x[1h:6m])", "avg_over_time(x[50000ms:5000ms])"),
        ("avg_over_time(x[1h30m])", "avg_over_time(x[75000ms])"),
    ],
)
def test_windows_become_as_much_shorter_as_the_day_is(stretched: ModuleType, asked: str, wanted: str) -> None:
    assert stretched.Stretch(OPENED, MIDNIGHT, FACTOR).query(asked) == wanted


def test_a_question_goes_out_by_the_real_clock_and_its_answer_comes_back_by_the_other(stretched: ModuleType) -> None:
    clock = stretched.Stretch(OPENED, MIDNIGHT, FACTOR)
    asked = clock.asked(
        {"query": "x", "start": str(MIDNIGHT), "end": str(MIDNIGHT + 720), "step": "360", "timeout": "3s"}
    )
    assert asked == {"query": "x", "start": str(OPENED), "end": str(OPENED + 10), "step": "5.0", "timeout": "3s"}
    values = [[round(OPENED + seconds, 3), "1"] for seconds in (0, 5, 10)]
    answer = json.loads(clock.answered(json.dumps({"data": {"result": [{"values": values}]}}).encode()))
    assert [at for at, _ in answer["data"]["result"][0]["values"]] == [MIDNIGHT, MIDNIGHT + 360, MIDNIGHT + 720]


def test_an_answer_without_series_passes_as_it_is(stretched: ModuleType) -> None:
    clock = stretched.Stretch(OPENED, MIDNIGHT, FACTOR)
    for body in ({"status": "success"}, {"data": {"resultType": "scalar", "result": [1, "2"]}}):
        assert json.loads(clock.answered(json.dumps(body).encode())) == body
