"""What a feature takes for a value: choices by text or number, flags by any usual word, whole numbers while exact."""

import numpy as np
import pytest

from perfcast.errors import InvalidDeclaration
from perfcast.workloads import Feature, exact
from perfcast.workloads._declaration import FeatureDeclaration, FeatureType
from perfcast.workloads._feature import ready


def feature(kind: FeatureType, *values: str | float) -> Feature:
    return ready(FeatureDeclaration("f", kind, values=values), "feature 'f'")


@pytest.mark.parametrize(
    ("values", "given", "position"),
    [
        (("001", "002", "010"), "010", 2),
        (("001", "002", "010"), 10, 2),
        (("true", "false"), "false", 1),
        (("true", "false"), True, 0),
        (("True", "False"), False, 1),
        (("1.9", "1.10"), "1.10", 1),
        (("1.9", "1.10"), 1.9, 0),
        ((0.5, 1.0, 2.0), 1.0, 1),
        ((0.5, 1.0, 2.0), 1, 1),
        ((0.5, 1.0, 2.0), "1", 1),
        ((0.5, 1.0, 2.0), "1.0", 1),
        ((1, 2, 4), "2.0", 1),
        ((0.1, 0.2), float(np.float32(0.1)), 0),
        (("0.1", "0.2"), float(np.float32(0.2)), 1),
        ((16777216, 16777217), 16777217, 1),
        (("none", "relu"), "relu", 1),
    ],
)
def test_a_value_is_found_by_its_text_or_by_its_number(
    values: tuple[str | float, ...], given: object, position: float
) -> None:
    assert feature("choice", *values).encode(given) == position


@pytest.mark.parametrize(
    ("values", "given", "part"),
    [
        (("001", "002"), "1", "expected one of 001, 002, got '1'"),
        (("1.9", "1.10"), "1.1", "expected one of 1.9, 1.10, got '1.1'"),
        (("1.1", "1.10"), 1.1, "it may be '1.1' or '1.10', so give its text"),
        ((1, 0), True, "got True"),
        ((16777216, 3), 16777217, "got 16777217"),
        ((1, 2), float("nan"), "got nan"),
        ((1, 2), 10**400, "expected one of 1, 2"),
        ((1, 2), [1], r"got \[1\]"),
    ],
)
def test_a_value_that_is_none_or_could_be_two_is_refused(
    values: tuple[str | float, ...], given: object, part: str
) -> None:
    with pytest.raises(ValueError, match=part):
        feature("choice", *values).encode(given)


@pytest.mark.parametrize("values", [(1, 1.0), (1, "1"), (1.0, "1"), ("a", "a")])
def test_values_that_are_one_number_or_one_text_are_refused(values: tuple[str | float, ...]) -> None:
    with pytest.raises(InvalidDeclaration, match="must differ"):
        feature("choice", *values)


def test_a_flag_is_any_usual_word_for_it() -> None:
    for words, number in ((("yes", "True", "ON", "1", 1, True), 1), (("no", "false", "Off", "0", 0.0, False), 0)):
        assert {feature("flag").encode(word) for word in words} == {number}
    with pytest.raises(ValueError, match="yes/no"):
        feature("flag").encode("maybe")


def test_a_whole_number_that_float32_would_round_is_refused_alone_and_in_a_column() -> None:
    given = [20240101, 20240102, 16777216, 16777217, -16777217, 3]
    held = [False, True, True, False, False, True]
    for column in (np.array(given), np.array(given, dtype=np.float64)):
        assert exact(feature("integer"), column).tolist() == held
    assert exact(feature("number"), np.array(given)).all()
    assert exact(feature("integer"), np.array([np.nan, 20240101.5, 1e38, np.inf])).all()
    for value, good in zip(given, held, strict=True):
        if good:
            assert feature("integer").encode(value) == value
        else:
            with pytest.raises(ValueError, match=f"{value} is a whole number beyond 16,777,216.*a date as a time"):
                feature("integer").encode(value)


@pytest.mark.parametrize(
    ("given", "held"), [(2**60, True), (2**60 + 1, False), (float(2**60 + 1), False), (float(2**52), True)]
)
def test_a_whole_number_that_float64_may_have_rounded_before_is_refused(given: float, held: bool) -> None:  # noqa: FBT001
    assert exact(feature("integer"), np.array([given])).tolist() == [held]
    if held:
        assert feature("integer").encode(given) == given
    else:
        with pytest.raises(ValueError, match="can't be told from its neighbours"):
            feature("integer").encode(given)
