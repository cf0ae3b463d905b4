"""Reading `/predict` bodies."""

import json
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcast.errors import InvalidInput
from perfcast.serving import Reader, UnknownReference
from perfcast.serving._body import BodyReader
from perfcast.workloads import RowReader, Workload, builtin_workloads, workload_from_document

LOAD: dict[str, Any] = {
    "request_rate": 120,
    "active_users": 60,
    "db_connections": 25,
    "hour_sin": 0.5,
    "hour_cos": 0.866,
    "minute_sin": 0.2588,
    "minute_cos": 0.9659,
    "is_business_hour": 1,
}
CONVOLUTION: dict[str, Any] = {
    "batch_size": 32,
    "input_channels": 3,
    "input_height": 224,
    "input_width": 224,
    "output_channels": 64,
    "kernel_size": 3,
    "stride": 1,
}
CPU, CNN = builtin_workloads()["cpu-utilization"], builtin_workloads()["cnn-execution-time"]
READERS = {workload.name: Reader(workload, UTC) for workload in (CPU, CNN)}
BODIES = BodyReader(list(READERS.values()), READERS.get, list)


def fields_of(body: object) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        BODIES.read(body if isinstance(body, bytes) else json.dumps(body).encode())
    return {error.field: error.message for error in caught.value.fields}


@pytest.mark.parametrize(
    ("body", "workload"),
    [
        (LOAD, CPU),
        ({"features": LOAD}, CPU),
        ({"model_name": None, "coverage": None, "features": LOAD}, CPU),
        ({"model_name": "cpu-utilization", **LOAD}, CPU),
        (CONVOLUTION, CNN),
        ({"cnn_config": CONVOLUTION}, CNN),
        ({"features": CONVOLUTION}, CNN),
        ({"model_name": "cnn-execution-time", "cnn_config": CONVOLUTION}, CNN),
        ({"model_name": "cnn-execution-time", **CONVOLUTION}, CNN),
    ],
)
def test_each_form_of_a_body_gives_the_row_of_its_workload(body: dict[str, Any], workload: Workload) -> None:
    request = BODIES.read(json.dumps(body).encode())
    features = LOAD if workload is CPU else CONVOLUTION
    assert request.reader.workload is workload
    assert list(request.row) == RowReader(workload).read(features)
    assert request.coverage == 0.9


@given(
    st.dictionaries(
        st.sampled_from([*CONVOLUTION, "padding", "groups", "dilation", "kernel"]),
        st.one_of(
            st.integers(-2, 300), st.floats(allow_nan=False, allow_infinity=False), st.none(), st.booleans(), st.text()
        ),
    )
)
def test_the_quick_way_and_the_explaining_way_agree_on_every_body(changes: dict[str, Any]) -> None:
    features = CONVOLUTION | changes
    body = json.dumps({"cnn_config": features}).encode()
    try:
        expected = RowReader(CNN).read(features)
    except InvalidInput as error:
        with pytest.raises(InvalidInput) as caught:
            BODIES.read(body)
        assert caught.value.fields == error.fields  # noqa: PT017
    else:
        assert list(BODIES.read(body).row) == expected


def test_a_timestamp_stands_for_the_five_time_features() -> None:
    body = {"request_rate": 1, "active_users": 2, "db_connections": 3, "timestamp": "2026-03-02T12:00:00Z"}
    row = BODIES.read(json.dumps(body).encode()).row
    assert list(row) == pytest.approx([1, 2, 3, 0, -1, 0, 1, 1], abs=1e-9)


def test_a_whole_number_may_be_written_with_a_point_and_a_flag_as_a_boolean() -> None:
    assert BODIES.read(json.dumps({"cnn_config": CONVOLUTION | {"batch_size": 3.0}}).encode()).row[0] == 3
    assert BODIES.read(json.dumps(LOAD | {"is_business_hour": True}).encode()).row[7] == 1


def test_of_a_name_that_stands_twice_the_last_one_counts() -> None:
    body = json.dumps(LOAD).encode()[:-1] + b', "request_rate": 7}'
    assert BODIES.read(body).row[0] == 7


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_each_offered_coverage_can_be_asked_in_each_form(coverage: float) -> None:
    for body in ({**LOAD, "coverage": coverage}, {"features": LOAD, "coverage": coverage}):
        assert BODIES.read(json.dumps(body).encode()).coverage == coverage


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        (b"", "body", "is empty"),
        (b"[]", "body", "got a list"),
        (b"3", "body", "got a number"),
        (b'"x"', "body", "got a string"),
        (b"null", "body", "got null"),
        (b'{"request_rate": NaN}', "request_rate", "finite"),
        (b'{"request_rate": Infinity}', "request_rate", "finite"),
        (b'{"request_rate": 1e999}', "request_rate", "finite"),
        (b'{"a": 1,}', "body", "is not JSON"),
        (b'{"a": "\xff"}', "body", "UTF-8"),
        (b"[" * 100_000, "body", "nested too deeply"),
        (b'{"features":' * 100_000, "body", "nested too deeply"),
        ({**LOAD, "coverage": 0.7}, "coverage", "expected one of 0.5"),
        ({**LOAD, "coverage": True}, "coverage", "expected one of 0.5"),
        ({"features": LOAD, "coverage": "0.9"}, "coverage", "expected one of 0.5"),
        ({**LOAD, "model_name": 3}, "model_name", "expected a model reference"),
        ({**LOAD, "device": "gpu"}, "device", "know one device"),
        ({"cnn_config": CONVOLUTION, "features": CONVOLUTION}, "cnn_config", "not both"),
        ({"cnn_config": []}, "cnn_config", "got a list"),
        ({"features": 3}, "features", "got a number"),
        ({"cnn_config": CONVOLUTION, "covrage": 0.5}, "covrage", "did you mean 'coverage'"),
        ({"cnn_config": CONVOLUTION, "padding": 1}, "padding", "features go into 'cnn_config'"),
        ({**LOAD, "request_rate": 1e308}, "request_rate", "must be a finite number, at most 1e+30"),
        ({**LOAD, "request_rate": "120"}, "request_rate", "expected a number"),
        ({**LOAD, "timestamp": None}, "timestamp", "expected an ISO 8601 time such as 2026-03-01T14:05:00Z, a date"),
        ({"request_rate": 1, "active_users": 1, "timestamp": None}, "timestamp", "got null"),
        ({**LOAD, "request_rate": int("9" * 400)}, "request_rate", "must be a finite number"),
        ({**LOAD, "request_rat": 1}, "request_rat", "did you mean 'request_rate'"),
        ({"cnn_config": CONVOLUTION | {"groups": 2}}, "groups", "must divide"),
        ({"cnn_config": CONVOLUTION | {"batch_size": -1}}, "batch_size", "between 1 and 4096"),
        ({"cnn_config": {}}, "kernel_size", "is required"),
    ],
)
def test_a_wrong_body_is_refused_naming_the_place(body: object, field: str, message: str) -> None:
    assert message in fields_of(body)[field]


def test_every_wrong_field_is_named_at_once() -> None:
    wrong = fields_of({"model_name": 3, "coverage": 2, "cnn_config": CONVOLUTION | {"stride": 0, "kernel_size": "x"}})
    assert set(wrong) == {"model_name", "coverage", "stride", "kernel_size"}


def test_a_body_whose_features_tell_nothing_is_taken_for_cpu_utilization() -> None:
    assert "request_rate" in fields_of({})
    assert "request_rate" in fields_of({"nothing": 1})


def test_a_model_that_is_not_loaded_is_reported_before_its_features_are_judged() -> None:
    with pytest.raises(UnknownReference):
        BODIES.read(json.dumps({"model_name": "other", **LOAD}).encode())
    request = BODIES.read(json.dumps({"model_name": "other", **LOAD}).encode(), guess=True)
    assert request.reader.workload is CPU


def test_a_choice_is_read_as_the_position_of_its_value() -> None:
    document = {
        "name": "query",
        "cost": {"name": "query_ms"},
        "features": [
            {"name": "rows", "type": "integer", "minimum": 0},
            {"name": "engine", "type": "choice", "values": ["hash", "merge", "loop"], "default": "merge"},
        ],
    }
    reader = Reader(workload_from_document(document), UTC)
    bodies = BodyReader([reader], {}.get, list)
    assert list(bodies.read(b'{"rows": 5, "engine": "loop"}').row) == [5, 2]
    assert list(bodies.read(b'{"features": {"rows": 5}}').row) == [5, 1]
    with pytest.raises(InvalidInput, match="expected one of hash, merge, loop"):
        bodies.read(b'{"rows": 5, "engine": "nested"}')


@pytest.mark.parametrize("body", [LOAD | {"request_rate": -1}, {"timestamp": "now"}, {"cnn_config": {"stride": 0}}])
def test_workloads_without_a_model_are_not_asked_where_a_loaded_one_fits(body: dict[str, Any]) -> None:
    def unreachable() -> list[Reader]:
        raise AssertionError

    bodies = BodyReader(list(READERS.values()), READERS.get, unreachable)
    with pytest.raises(InvalidInput):
        bodies.read(json.dumps(body).encode())


def test_a_body_that_fits_a_workload_without_a_model_is_taken_for_it() -> None:
    bodies = BodyReader([READERS[CPU.name]], READERS.get, lambda: list(READERS.values()))
    assert bodies.read(json.dumps(CONVOLUTION).encode()).reader.workload is CNN


@pytest.mark.parametrize(
    ("body", "name"),
    [(b'{"model_name": "m", "request_rate": NaN}', "m"), (b'{"model_name": 3}', None), (b"{}", None), (b"[", None)],
)
def test_the_model_that_a_refused_body_names_can_be_told(body: bytes, name: str | None) -> None:
    assert BODIES.named(body) == name
