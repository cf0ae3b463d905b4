"""Tensors survive both of their forms, and a body that is no request is refused, never guessed at."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from perfcast.api.inference_protocol._codec import read_request, write_response
from perfcast.api.inference_protocol._tensor import DTYPES, Tensor
from perfcast.errors import InvalidInput

SHAPES = arrays.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=5)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    datatype = draw(st.sampled_from([*DTYPES, "BYTES"]))
    if datatype == "BYTES":
        texts = draw(st.lists(TEXTS, max_size=5))
        return Tensor("t", datatype, np.array([*texts, None], dtype=object)[:-1])
    elements = {"allow_nan": False, "allow_infinity": False} if datatype.startswith("FP") else None
    return Tensor("t", datatype, draw(arrays.arrays(DTYPES[datatype], SHAPES, elements=elements)))


def entry(tensor: Tensor, **further: Any) -> dict[str, Any]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.values.shape)} | further


def as_json(tensor: Tensor) -> bytes:
    return json.dumps({"inputs": [entry(tensor, data=tensor.values.tolist())]}).encode()


def as_bytes(tensor: Tensor) -> tuple[bytes, int]:
    data = tensor.to_bytes()
    head = json.dumps({"inputs": [entry(tensor, parameters={"binary_data_size": len(data)})]}).encode()
    return head + data, len(head)


def same(tensor: Tensor, other: Tensor) -> bool:
    shape, other_shape = tensor.values.shape, other.values.shape
    return tensor.datatype == other.datatype and shape == other_shape and bool((tensor.values == other.values).all())


@given(tensors())
def test_a_tensor_sent_as_bytes_arrives_as_it_was(tensor: Tensor) -> None:
    (arrived,) = read_request(*as_bytes(tensor)).inputs
    assert same(arrived, tensor)


@given(tensors())
def test_a_tensor_sent_as_json_arrives_as_it_was(tensor: Tensor) -> None:
    (arrived,) = read_request(as_json(tensor)).inputs
    assert same(arrived, tensor)


@given(tensors(), st.sampled_from([True, False]))
def test_an_output_is_read_back_as_it_was_written(tensor, binary) -> None:
    parts, length = write_response({"model_name": "m"}, [(tensor, binary)])
    document = json.loads(parts[0])
    assert (length is None) == (not binary)
    if binary:
        assert document["outputs"][0]["parameters"]["binary_data_size"] == len(parts[1])
    again, json_length = json.dumps({"inputs": document["outputs"]}).encode(), None
    if binary:
        json_length = len(again)
    (arrived,) = read_request(b"".join([again, *parts[1:]]), json_length).inputs
    assert same(arrived, tensor)


@given(tensors(), st.binary(max_size=40), st.integers(0, 60))
def test_any_body_is_read_or_refused(tensor: Tensor, noise: bytes, cut: int) -> None:
    body, length = as_bytes(tensor)
    for attempt in (body[: len(body) - cut % len(body)], body[:length] + noise, noise):
        try:
            read_request(attempt, min(length, len(attempt)))
        except InvalidInput:
            continue


def test_each_input_gets_its_own_bytes_in_order() -> None:
    first, second = Tensor("a", "FP32", np.array([1, 2], "f4")), Tensor("b", "INT64", np.array([[3], [4]]))
    inputs = [entry(item, parameters={"binary_data_size": len(item.to_bytes())}) for item in (first, second)]
    inputs.insert(1, {"name": "c", "datatype": "BOOL", "shape": [2], "data": [True, False]})
    head = json.dumps({"inputs": inputs}).encode()
    request = read_request(head + first.to_bytes() + second.to_bytes(), len(head))
    assert [item.name for item in request.inputs] == ["a", "c", "b"]
    assert [item.values.ravel().tolist() for item in request.inputs] == [[1, 2], [True, False], [3, 4]]


def test_outputs_travel_as_bytes_where_each_or_all_of_them_say_so() -> None:
    one = {"inputs": [], "outputs": [{"name": "x"}, {"name": "y", "parameters": {"binary_data": False}}]}
    request = read_request(json.dumps(one | {"parameters": {"binary_data_output": True}}).encode())
    assert request.outputs == [("x", True), ("y", False)]
    assert not read_request(json.dumps(one).encode()).binary


def test_what_other_clients_leave_null_is_taken_as_absent() -> None:
    item = {"name": "x", "datatype": "FP32", "shape": [1], "data": [1], "parameters": None}
    request = read_request(json.dumps({"id": None, "inputs": [item], "outputs": None, "parameters": None}).encode())
    assert request.id is None
    assert request.outputs is None


TWO = {"name": "x", "datatype": "FP32", "shape": [2]}


@pytest.mark.parametrize(
    ("document", "field", "message"),
    [
        ({}, "body", "missing required field `inputs`"),
        ({"inputs": 3}, "body", "is no inference request"),
        ({"inputs": [TWO]}, "x", "neither 'data' nor"),
        ({"inputs": [TWO | {"data": [1]}]}, "x", "takes 2 elements, got 1"),
        ({"inputs": [TWO | {"data": [1, True]}]}, "x", "but FP32 holds finite numbers"),
        ({"inputs": [TWO | {"data": ["1", "2"]}]}, "x", "but FP32 holds finite numbers"),
        ({"inputs": [TWO | {"datatype": "INT8", "data": [1, 300]}]}, "x", "INT8 can't hold"),
        ({"inputs": [TWO | {"datatype": "FLOAT", "data": [1, 2]}]}, "x", "datatype must be one of BOOL"),
        ({"inputs": [TWO | {"shape": [-2], "data": [1, 2]}]}, "x", "no negative lengths"),
        ({"inputs": [TWO | {"shape": [10**9, 10**9], "data": [1, 2]}]}, "x", "elements, got 2"),
        ({"inputs": [TWO | {"data": [1, 2]}, TWO | {"data": [1, 2]}]}, "body", "given twice"),
        ({"inputs": [TWO | {"parameters": {"shared_memory_region": "r"}}]}, "x", "shared memory is not offered"),
        ({"inputs": [TWO | {"parameters": {"binary_data_size": 9}}]}, "x", "0 bytes are left"),
        ({"inputs": [TWO | {"parameters": {"binary_data_size": -1}}]}, "x", "number of bytes"),
        ({"inputs": [], "parameters": {"binary_data_output": 1}}, "binary_data_output", "true or false"),
        ({"inputs": [], "outputs": [{"name": "y", "parameters": {"classification": 3}}]}, "y", "is not offered"),
    ],
)
def test_a_refusal_names_the_tensor_and_what_is_wrong(document: Any, field: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_request(json.dumps(document).encode())
    assert [item.field for item in refused.value.fields] == [field]
    assert message in str(refused.value)


def test_bytes_that_belong_to_no_input_are_refused() -> None:
    body = json.dumps({"inputs": []}).encode()
    with pytest.raises(InvalidInput, match="3 bytes behind the JSON belong to no input"):
        read_request(body + b"abc", len(body))


def test_a_json_longer_than_the_body_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"Inference-Header-Content-Length is 99, but the body has 2 bytes"):
        read_request(b"{}", 99)
