"""Inference requests and responses: JSON, and behind it the tensors that travel as bytes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from perfcast.api.inference_protocol._tensor import Tensor, check_elements, from_bytes, from_json, wrong

_SIZE = "binary_data_size"
_SHARED_MEMORY = "shared_memory_region"
_CLASSIFICATION = "classification"
_Parameters = dict[str, Any]


class InferenceRequest(NamedTuple):
    """What a request asks.

    Attributes:
        id: The caller's name for it, repeated in the response; None where it gave none.
        inputs: The tensors, in the caller's order.
        outputs: Those wanted, in the caller's order, and whether each travels as bytes; None for all.
        binary: Whether all outputs travel as bytes, where `outputs` is None.
        parameters: Whatever else was asked for, such as `coverage`.
    """

    id: str | None
    inputs: tuple[Tensor, ...]
    outputs: list[tuple[str, bool]] | None
    binary: bool
    parameters: Mapping[str, Any]


class _Output(msgspec.Struct):
    name: str
    parameters: _Parameters | None = None


class _Input(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    parameters: _Parameters | None = None
    data: Any = None


class _Request(msgspec.Struct):
    inputs: list[_Input]
    id: str | None = None
    outputs: list[_Output] | None = None
    parameters: _Parameters | None = None


_decode = msgspec.json.Decoder(_Request).decode


def read_request(body: bytes | bytearray, json_length: int | None = None) -> InferenceRequest:
    """Read the body of an inference request.

    Args:
        body: JSON, and behind it the bytes of those inputs that say so.
        json_length: Bytes of the JSON; None where it is the whole body.

    Raises:
        InvalidInput: It is no such request; names the tensor that is wrong.
    """
    end = len(body) if json_length is None else json_length
    if end > len(body):
        raise wrong("body", f"Inference-Header-Content-Length is {end:,}, but the body has {len(body):,} bytes")
    view = memoryview(body)
    try:
        request = _decode(view[:end])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        _check_inputs(view[:end])
        raise wrong("body", f"is no inference request: {error}") from None
    parameters = request.parameters or {}
    binary = _flag(parameters, "binary_data_output", default=False)
    outputs = None if request.outputs is None else [_requested(item, binary) for item in request.outputs]
    inputs = _inputs(request.inputs, view[end:])
    return InferenceRequest(request.id or None, inputs, outputs, binary, parameters)


class _Index(msgspec.Struct):
    ready: bool = False


def read_index_request(body: bytes | bytearray) -> bool:
    """Whether a request for the repository's index, which may be empty, asks for ready versions alone.

    Raises:
        InvalidInput: It is no such request.
    """
    try:
        return msgspec.json.decode(body or b"{}", type=_Index).ready
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise wrong("body", f'must be empty or an object such as {{"ready": true}}: {error}') from None


def write_response(head: Mapping[str, Any], outputs: Sequence[tuple[Tensor, bool]]) -> tuple[list[bytes], int | None]:
    """Write the body of an inference response.

    Args:
        head: What stands before the outputs: `model_name` and the like.
        outputs: The tensors, and whether each travels as bytes.

    Returns:
        The body in parts, and the bytes of its JSON, None where it is the whole body.
    """
    described, tail = [], []
    for tensor, binary in outputs:
        entry: dict[str, Any] = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.values.shape)}
        if binary:
            tail.append(tensor.to_bytes())
            entry["parameters"] = {_SIZE: len(tail[-1])}
        else:
            entry["data"] = tensor.to_list()
        described.append(entry)
    document = msgspec.json.encode({**head, "outputs": described})
    return [document, *tail], len(document) if tail else None


def _check_inputs(text: memoryview) -> None:
    """Refuse a body by the name of the input that keeps it from being a request, also where that is a bare NaN."""
    try:
        document = json.loads(bytes(text))
        inputs = msgspec.convert(document, dict[str, Any]).get("inputs")
    except (ValueError, RecursionError, msgspec.ValidationError):
        return
    for position, item in enumerate(inputs if isinstance(inputs, list) else []):
        named = item.get("name") if isinstance(item, dict) else None
        name = named if isinstance(named, str) else f"inputs[{position}]"
        try:
            check_elements(name, (given := msgspec.convert(item, _Input)).datatype, given.data)
        except msgspec.ValidationError as error:
            raise wrong(name, f"is no tensor: {error}") from None


def _inputs(given: Sequence[_Input], tail: memoryview) -> tuple[Tensor, ...]:
    tensors: list[Tensor] = []
    begin = 0
    for item in given:
        size = _binary_size(item)
        if size is None:
            tensors.append(_from_json(item))
        else:
            if size > len(tail) - begin:
                raise wrong(item.name, f"{_SIZE} is {size:,}, but {len(tail) - begin:,} bytes are left behind the JSON")
            tensors.append(from_bytes(item.name, item.datatype, _shape(item), tail[begin : begin + size]))
            begin += size
    if begin != len(tail):
        raise wrong("body", f"{len(tail) - begin:,} bytes behind the JSON belong to no input; each says its {_SIZE}")
    if len({tensor.name for tensor in tensors}) != len(tensors):
        raise wrong("body", "an input is given twice")
    return tuple(tensors)


def _from_json(item: _Input) -> Tensor:
    if _SHARED_MEMORY in (item.parameters or {}):
        raise wrong(item.name, "shared memory is not offered; send the data in the body")
    if item.data is None:
        raise wrong(item.name, f"has neither 'data' nor the parameter '{_SIZE}'")
    return from_json(item.name, item.datatype, _shape(item), item.data)


def _binary_size(item: _Input) -> int | None:
    size = (item.parameters or {}).get(_SIZE)
    if size is None:
        return None
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise wrong(item.name, f"{_SIZE} must be a number of bytes")
    return size


def _shape(item: _Input) -> list[int]:
    if any(length < 0 for length in item.shape):
        raise wrong(item.name, f"shape {item.shape} must hold no negative lengths")
    return item.shape


def _requested(item: _Output, binary: bool) -> tuple[str, bool]:  # noqa: FBT001  # its meaning stands in its name
    parameters = item.parameters or {}
    for unknown in (_SHARED_MEMORY, _CLASSIFICATION):
        if parameters.get(unknown):
            raise wrong(item.name, f"'{unknown}' is not offered")
    return item.name, _flag(parameters, "binary_data", default=binary)


def _flag(parameters: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise wrong(name, "must be true or false")
    return value
