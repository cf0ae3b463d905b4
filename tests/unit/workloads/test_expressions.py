import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcast.errors import InvalidDeclaration
from perfcast.workloads import ArrayArithmetic, evaluate, names, parse
from perfcast.workloads._expressions import parse_comparison
from perfcast.workloads._rows import holds, scalar

whole = st.integers(1, 4096)


def on_arrays(text: str, **values: float) -> float:
    columns = {name: np.array([value], dtype=np.float32) for name, value in values.items()}
    return float(evaluate(parse(text), columns, ArrayArithmetic())[0])


def on_a_row(text: str, **values: float) -> float:
    return scalar(parse(text), {name: place for place, name in enumerate(values)})(list(values.values()))


@given(a=whole, b=whole)
def test_floor_division_and_remainder_are_those_of_whole_numbers(a: int, b: int) -> None:
    for run in (on_arrays, on_a_row):
        assert run("a // b", a=a, b=b) == a // b
        assert run("a % b", a=a, b=b) == a % b


@given(a=whole, b=whole, c=whole)
def test_arrays_and_rows_give_the_same_numbers(a: int, b: int, c: int) -> None:
    text = "max(a, b, 3) * -c + ceil(a / b) - min(abs(b - c), 7) / 2"
    assert on_arrays(text, a=a, b=b, c=c) == pytest.approx(on_a_row(text, a=a, b=b, c=c), rel=1e-6)
    assert on_a_row(text, a=a, b=b, c=c) == max(a, b, 3) * -c + math.ceil(a / b) - min(abs(b - c), 7) / 2


def test_everything_is_computed_in_float32() -> None:
    column = np.array([16_777_216], dtype=np.float32)
    result = evaluate(parse("a + 1"), {"a": column}, ArrayArithmetic())
    assert result.dtype == np.float32
    assert result[0] == 16_777_216  # 2^24 + 1 has no float32


def test_division_by_zero_is_an_infinity_on_arrays_and_rows() -> None:
    assert on_arrays("a / b", a=1, b=0) == math.inf
    assert on_a_row("a / b", a=1, b=0) == math.inf
    assert math.isnan(on_a_row("a / b", a=0, b=0))


def test_names_are_found_wherever_they_stand() -> None:
    assert set(names(parse("max(a, b * c) // 2 + abs(d)"))) == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "a.b",
        "a[0]",
        "lambda: 1",
        "a if b else c",
        "a ** b",
        "exp(a)",
        "floor(a, b)",
        "min(a)",
        "max(*a)",
        "f(x=1)",
        "'text'",
        "True",
        "a < b",
        "a and b",
        "a +",
        "",
        "a\x00",
        "-" * 100 + "a",
        "a % (" * 12 + "a" + ")" * 12,
        "abs(" * 12 + "a" + ")" * 12,
        "+".join(["a"] * 3000),
        "a := 1",
        "1j",
        "~a",
    ],
)
def test_whatever_is_not_exact_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(InvalidDeclaration):
        parse(text)


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused_and_nothing_else(text: str) -> None:
    with contextlib.suppress(InvalidDeclaration):
        parse(text)


@pytest.mark.parametrize("text", ["a", "a < b < c", "a in b", "a = b", "not a"])
def test_a_rule_must_be_one_comparison(text: str) -> None:
    with pytest.raises(InvalidDeclaration):
        parse_comparison(text)


@pytest.mark.parametrize(
    ("relation", "true_for"), [("<", {1}), ("<=", {1, 2}), (">", {3}), (">=", {2, 3}), ("==", {2}), ("!=", {1, 3})]
)
def test_a_rule_holds_where_its_relation_does(relation: str, true_for: set[int]) -> None:
    rule = holds(parse_comparison(f"a {relation} 2"), {"a": 0})
    assert {value for value in (1, 2, 3) if rule([value])} == true_for
