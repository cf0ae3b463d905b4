"""References are read without a database."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcast.errors import InvalidInput
from perfcast.registry import check_label, check_name, parse_reference
from perfcast.registry._reference import Reference

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,30}", fullmatch=True).filter(
    lambda name: not re.fullmatch(r"v?[0-9]+|v?[0-9]+(\.[0-9]+)+(-.*)?", name)
)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("xgb_prediction-training-gpul40s", Reference("xgb_prediction-training-gpul40s")),
        ("cpu-utilization:3", Reference("cpu-utilization", number=3)),
        ("cpu-utilization:v3", Reference("cpu-utilization", number=3)),
        ("cpu-utilization:v1.2.0", Reference("cpu-utilization", label="v1.2.0")),
        ("cpu-utilization:nightly", Reference("cpu-utilization", label="nightly")),
        ("cpu-utilization@shadow", Reference("cpu-utilization", alias="shadow")),
        ("3", Reference(None, number=3)),
        ("v3", Reference(None, number=3)),
        ("v1.2.0", Reference(None, label="v1.2.0")),
        ("1.2.0-rc.1+build", None),
        ("v1.2.0-rc.1", Reference(None, label="v1.2.0-rc.1")),
        ("poly_best_lasso_model", Reference("poly_best_lasso_model")),
        ("vgg16", Reference("vgg16")),
        ("v3-large", Reference("v3-large")),
        ("", None),
        (":3", None),
        ("a:", None),
        ("a@", None),
        ("a:1@shadow", None),
        ("a:1:2", None),
        ("-a", None),
        ("a b", None),
        ("a\n", None),
        ("../etc/passwd", None),
        ("\N{FULLWIDTH DIGIT THREE}", None),
        ("3:3", None),
        ("v1.2.0@champion", None),
        ("a" * 129, None),
        ("9" * 5000, None),
    ],
)
def test_a_reference_is_read_as_the_design_says(text: str, reference: Reference | None) -> None:
    if reference is None:
        with pytest.raises(InvalidInput, match="model_name: must"):
            parse_reference(text)
    else:
        assert parse_reference(text) == reference


@given(name=NAMES)
def test_a_name_alone_is_a_name(name: str) -> None:
    assert parse_reference(name) == Reference(check_name(name))


@given(name=NAMES, number=st.integers(0, 10**18), prefix=st.sampled_from(["", "v"]))
def test_a_number_is_a_number_with_and_without_a_v(name: str, number: int, prefix: str) -> None:
    assert parse_reference(f"{name}:{prefix}{number}") == Reference(name, number=number)
    assert parse_reference(f"{prefix}{number}") == Reference(None, number=number)


@given(
    reference=st.builds(Reference, NAMES)
    | st.builds(Reference, NAMES | st.none(), number=st.integers(0, 10**9))
    | st.builds(Reference, NAMES, alias=st.sampled_from(["champion", "challenger", "shadow"]))
    | st.builds(Reference, NAMES, label=st.from_regex(r"[A-Za-uw-z][A-Za-z0-9._+-]{0,20}", fullmatch=True))
)
def test_what_is_written_is_read_back(reference: Reference) -> None:
    assert parse_reference(str(reference)) == reference


@given(text=st.text(max_size=300))
def test_any_text_is_a_reference_or_an_error_of_ours(text: str) -> None:
    try:
        reference = parse_reference(text)
    except InvalidInput:
        return
    assert [reference.number, reference.label, reference.alias].count(None) >= 2


@pytest.mark.parametrize("name", ["3", "v3", "v1.2.0", "1.5", "", "a b", "a:b", "ä", "x" * 129, "_a", "stats"])
def test_a_name_that_could_be_mistaken_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_name(name)


def test_a_model_of_that_name_from_before_is_still_found() -> None:
    assert parse_reference("stats") == Reference("stats")
    assert parse_reference("stats@champion") == Reference("stats", alias="champion")
    assert parse_reference("stats:2") == Reference("stats", number=2)


@pytest.mark.parametrize("label", ["3", "v3", "", "a b", "a@b", "x" * 129])
def test_a_label_that_could_be_mistaken_is_refused(label: str) -> None:
    with pytest.raises(InvalidInput):
        check_label(label)
