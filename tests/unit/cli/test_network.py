"""What is typed for `perfcast network`, and what it says."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcast.cli._network._layers import bar
from perfcast.cli._network._stated import batches, milliseconds, prices
from perfcast.cli._network._table import caveats, in_words
from perfcast.errors import InvalidInput
from perfcast_client import options_of
from perfcast_client.answers import NetworkAnswer, NotModelled


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("50ms", 50.0),
        ("0.2s", 200.0),
        ("50", 50.0),
        (" 50 ms ", 50.0),
        ("1min", 60_000.0),
        ("250us", 0.25),
        ("1e2", 100.0),
    ],
)
def test_times_are_understood(text: str, ms: float) -> None:
    assert milliseconds(text) == pytest.approx(ms)


@pytest.mark.parametrize("text", ["", "soon", "50 parsec", "0", "-5ms", "nan", "inf", "1e999s", "5 5ms"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="--within: must be a time"):
        milliseconds(text)


@given(st.text(max_size=20))
def test_any_other_text_is_a_time_or_refused(text: str) -> None:
    try:
        found = milliseconds(text)
    except InvalidInput:
        return
    assert found > 0


def test_prices_are_by_device_and_hour() -> None:
    assert prices(["a=0.05/h, b = 1 / hour", "c=3"]) == {"a": 0.05, "b": 1.0, "c": 3.0}
    assert prices([]) == {}


@pytest.mark.parametrize("text", ["a", "a=", "=5", "a=x/h", "a=-1", "a=nan", "a=5/d", "a=1,a=2"])
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="--price: "):
        prices([text])


def test_batches_are_whole_and_each_once() -> None:
    assert batches("8,1, 8,32") == [8, 1, 32]


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "x", "1;2", "²"])
def test_what_is_no_batch_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="--batch: must be whole numbers"):
        batches(text)


def test_the_dearest_layers_bar_is_the_longest() -> None:
    assert bar(0.5, 0.5) == "█" * 30
    assert bar(0.25, 0.5) == "█" * 15
    assert bar(0.126, 0.5).startswith("█" * 7)
    assert (bar(0.0, 0.5), bar(-0.1, 0.5), bar(0.0, 0.0)) == ("", "", "")


def answer(device: str, batch_size: int = 1, ms: float = 10.0, **others: object) -> NetworkAnswer:
    told: dict[str, object] = {
        "lower_ms": 9.0, "upper_ms": 12.0, "coverage": 0.9, "calibrated_on": 30, "extrapolated": [], "not_modelled": [],
        "not_modelled_share": 0.0,
    }  # fmt: skip
    return NetworkAnswer(
        network="net", device=device, batch_size=batch_size, execution_time_ms=ms, parameters=1, gigaflops=1.0,
        images_per_second=1e3 * batch_size / ms, memory_mb=1.0, calls=1, layers=[], models={},
        timestamp=datetime(2026, 3, 1, tzinfo=UTC),
        **{**told, **others},  # type: ignore[arg-type]
    )  # fmt: skip


def test_the_best_is_told_in_a_sentence() -> None:
    found = [answer("a"), answer("b", 8, 40.0, upper_ms=50.0)]
    assert (
        in_words(options_of(found), None) == "most images: b at a batch of 8, 200 a second, 40 ms a call (at most 50)"
    )
    priced = options_of(found, within_ms=20.0, prices={"a": 3.6, "b": 3.6})
    assert (
        in_words(priced, 20.0)
        == "cheapest within 20 ms: a at a batch of 1, 10 for a million images, 10 ms a call (at most 12)"
    )
    assert (
        in_words(options_of(found, within_ms=5.0), 5.0)
        == "nothing stays within 5 ms; the nearest is a at a batch of 1, at most 12 ms"
    )
    unpriced = in_words(options_of(found, within_ms=20.0, prices={"b": 3.6}), 20.0)
    assert unpriced == "nothing that has a price stays within 20 ms; without one do: a"


def test_nothing_is_to_be_said_where_all_is_well() -> None:
    assert list(caveats([answer("a"), answer("b")])) == []


def test_what_is_missing_is_said_by_its_reason() -> None:
    missing = [
        NotModelled("Softsign", "nobody measured it", 2, 1.0, ["s"]),
        NotModelled("relu", "no model", 1, 1.0, ["r"]),
    ]
    lines = list(caveats([answer("a", not_modelled=missing, not_modelled_share=0.25, calibrated_on=0)]))
    assert lines == [
        "a: not in the sum: 2 Softsign (nobody measured it)",
        "a: not in the sum: 1 relu (no model)",
        "a: the true time is larger: 25.0 % of the bytes are missing",
        "a: no whole network was measured there, so the interval is the sum of the layers' own",
    ]


def test_what_is_beyond_experience_is_said_for_each_batch() -> None:
    lines = list(caveats([answer("a", 8, extrapolated=["x", "y"]), answer("a", lower_ms=None, upper_ms=None)]))
    assert lines[0] == "a: layers outside what its models were trained on: 2 at a batch of 8; trust them less"
