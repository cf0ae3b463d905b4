"""`GET /networks` and `POST /networks/predict`."""

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message

from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._reply import Body, CallerKey, Following, Json, held
from perfcast.api.http._schemas import said
from perfcast.api.networks._answers import NETWORK_BODY, NetworkAnswer, NetworkList
from perfcast.errors import FieldError, InvalidInput
from perfcast.networks import CONVOLUTIONS, NetworkQuestion, Networks, list_networks
from perfcast.serving import Follower, Key, Predictor, parse_object

router = APIRouter(prefix="/networks", tags=["networks"])
_HOW = "send multipart/form-data, as `curl -F network=@network.onnx -F device=cpu-torch -F batch_size=8` does"
_TEXTS = ("device", "batch_size", "coverage", "input_shape")
_LONGEST = 1_000
"""Bytes of a part that is no file."""


@router.get("", summary="Networks and devices", **said(NetworkList, "What there is to ask for", 503))
def networks(follower: Following) -> Json:
    """The presets, and the devices that a model knows."""
    return Json({**list_networks(follower.routes.champions), "timestamp": timestamp()})


@router.post(
    "/predict",
    summary="Predict a whole network",
    openapi_extra={"requestBody": NETWORK_BODY},
    **said(NetworkAnswer, "The time of a call, layer by layer", 400, 409, 413, 422, 501, 503),
)
async def predict(
    request: Request, body: Body, follower: Following, asked: Annotated[Networks, held(Networks)], key: CallerKey
) -> Json:
    """What one call of a network takes on a device: a preset, a list of layers or an ONNX file.

    What the runtime fuses is fused. Operators whose time isn't known are named, with their share. 409 where the
    device's model was trained before its workload had all its features.
    """
    fields, content, name = await _parts(request, bytes(body))
    return Json(await run_in_threadpool(_predicted, follower, asked, fields, content, name, key))


def _predicted(
    follower: Follower, networks: Networks, fields: Mapping[str, Any], content: bytes | None, name: str, key: Key
) -> dict[str, object]:
    question = _question(fields)
    graph = None if content is None else networks.read(content, name, question.input_shape)

    def find(model: str) -> Predictor:
        return follower.pick(model, CONVOLUTIONS, key)[1]

    found = networks.answer(question, sorted(follower.routes.champions), find, graph=graph)
    return {**found, "timestamp": timestamp()}


def _question(fields: Mapping[str, Any]) -> NetworkQuestion:
    try:
        return msgspec.convert(fields, NetworkQuestion)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$.")
        raise InvalidInput.of(place.rstrip("`").split(".")[0].split("[")[0] or "body", text) from None


async def _parts(request: Request, body: bytes) -> tuple[Mapping[str, Any], bytes | None, str]:
    """The fields of the question, the content of an ONNX file where there is one, and what the file is called."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return parse_object(body), None, ""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    whole = Request(request.scope, receive)
    try:
        async with whole.form(max_files=1, max_fields=len(_TEXTS), max_part_size=_LONGEST) as form:
            return await _read(form)
    except HTTPException as error:  # what Starlette makes of a body that is no form
        raise InvalidInput.of("body", f"{error.detail}; {_HOW}") from None


async def _read(form: FormData) -> tuple[Mapping[str, Any], bytes, str]:
    others = sorted(set(form) - {"network", *_TEXTS})
    if others:
        raise InvalidInput([FieldError(name, f"is no part of it; {_HOW}") for name in others])
    network = form.get("network")
    if not isinstance(network, UploadFile):
        raise InvalidInput.of("network", f"must be a file; {_HOW}")
    fields: dict[str, Any] = {}
    for name in _TEXTS:
        value = form.get(name)
        if isinstance(value, UploadFile):
            raise InvalidInput.of(name, "must be text, not a file")
        if value is not None:
            fields[name] = _READ[name](name, value)
    return fields, await network.read(), PurePath(network.filename or "network").stem


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidInput.of(name, f"must be a whole number, got '{text[:40]}'") from None


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInput.of(name, f"must be a number, got '{text[:40]}'") from None


def _sizes(name: str, text: str) -> list[int]:
    return [_whole(name, part) for part in text.split(",")]


_READ: Mapping[str, Callable[[str, str], Any]] = {
    "device": lambda _, text: text, "batch_size": _whole, "coverage": _number, "input_shape": _sizes,
}  # fmt: skip
