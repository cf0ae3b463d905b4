"""Answering inference requests: which version, from which rows, with which outputs."""

import time
from collections.abc import Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from starlette.concurrency import run_in_threadpool

from perfcast.api.http._identifiers import Clock
from perfcast.api.inference_protocol._codec import read_request, write_response
from perfcast.api.inference_protocol._rows import rows_of
from perfcast.api.inference_protocol._tensor import Tensor, wrong
from perfcast.api.metrics import Ledger, kind_of
from perfcast.errors import InvalidInput, NoUsableModel, PerfcastError, UnknownModel
from perfcast.manifest import Calibration
from perfcast.monitoring import Record
from perfcast.registry import parse_reference
from perfcast.serving import Answer, Arm, Follower, Key, Predictor, coverage_of
from perfcast.workloads import Rows

MOST_RECORDS = 100
"""Rows of one request that are recorded; a request with more leaves no record."""
_INLINE = 16_384
"""Bytes of a body that is answered on the event loop; larger ones are answered in a thread."""
Response: TypeAlias = tuple[list[bytes], int | None]
"""A body in parts, the JSON and the tensors behind it, and the JSON's bytes; None where it is the whole body."""


class InferenceProtocol:
    """Answers the Open Inference Protocol's calls about models; counts and records as `/predict` does."""

    def __init__(self, follower: Follower, ledger: Ledger) -> None:
        self._follower, self._tally, self._enter = follower, ledger.tally, ledger.enter
        self._clock = Clock()

    async def find(self, name: str, version: str | None) -> Predictor:
        """The version that a path means, a model's champion, loaded if it wasn't; as `arm`."""
        arm = await self.arm(name, version)
        return arm.slot.predictor or await self._follower.fetched(arm.slot)

    async def arm(self, name: str, version: str | None) -> Arm:
        """Who answers to a path.

        Args:
            name: A model's name, or `NAME@ALIAS`; never guessed.
            version: Number or label; None for the champion.

        Raises:
            NotFound: There is no such model or version.
            NoUsableModel: The model has no champion, or the version can't be read or run.
        """
        reference = _reference(name, version)
        arm = self._follower.routes.arm(reference)
        if arm is None:
            await self._follower.fetched(reference)
            arm = self._follower.routes.arm(reference)
        if arm is None:  # deleted, or displaced by others, since it was loaded
            raise NoUsableModel(f"model '{reference}' was unloaded just now; try again")
        return arm

    async def infer(
        self,
        name: str,
        version: str | None,
        body: bytes | bytearray,
        json_length: int | None,
        prediction_id: str,
        key: Key,
    ) -> Response:
        """Answer an inference request.

        Args:
            name: As of `arm`.
            version: As of `arm`.
            body: As of `read_request`.
            json_length: As of `read_request`.
            prediction_id: The answer's name; unique. The record of row 2 is called by it and `-2`.
            key: Gives what the caller is known by; asked only where callers are split.

        Raises:
            InvalidInput: Names each tensor or feature that is wrong.
            NotFound, NoUsableModel: As `arm`.
        """
        began = time.perf_counter()
        model = "unknown"
        try:
            arm = await self.arm(name, version)
            arm = arm.pick(key)
            model = arm.slot.model
            predictor = arm.slot.predictor or await self._follower.fetched(arm.slot)
            work = partial(self._answer, predictor, arm.slot.calibration, body, json_length, prediction_id)
            rows, answer, response = work() if len(body) <= _INLINE else await run_in_threadpool(work)
        except PerfcastError as error:
            self._tally.failed(model, kind_of(error))
            raise
        self._record(arm, rows, answer, prediction_id)
        seconds = time.perf_counter() - began
        self._tally.predicted(arm.labels, seconds, len(rows))
        self._tally.outside(model, int(answer.extrapolated.any(axis=1).sum()))
        self._tally.batch("tensors", len(rows))
        return response

    def _answer(
        self,
        predictor: Predictor,
        calibration: Calibration | None,
        body: bytes | bytearray,
        json_length: int | None,
        prediction_id: str,
    ) -> tuple[Rows, Answer, Response]:
        request = read_request(body, json_length)
        coverage = coverage_of(request.parameters.get("coverage"))  # text where Triton's users make it so
        rows = rows_of(predictor.reader, request.inputs)
        answer = predictor.predict(rows, coverage, calibration)
        tensors = _outputs(predictor, answer)
        head: dict[str, Any] = {"model_name": predictor.model, "model_version": str(predictor.number)}
        if request.id is not None:
            head["id"] = request.id
        head["parameters"] = {"coverage": coverage, "prediction_id": prediction_id}
        wanted = request.outputs
        if wanted is None:
            wanted = [(tensor.name, request.binary) for tensor in tensors]
        chosen = [(_chosen(name, tensors, coverage), binary) for name, binary in wanted]
        return rows, answer, write_response(head, chosen)

    def _record(self, arm: Arm, rows: Rows, answer: Answer, prediction_id: str) -> None:
        count = len(rows)
        if count > MOST_RECORDS:
            return
        at = self._clock.text(time.time())
        beside = (_numbers(values, count) for values in (answer.lower, answer.upper, answer.spread))
        costs = zip(rows.tolist(), answer.cost.tolist(), *beside, strict=True)
        for position, (row, cost, low, high, spread) in enumerate(costs):
            name = prediction_id if count == 1 else f"{prediction_id}-{position}"
            who = (arm.slot.model, arm.slot.number)
            self._enter(arm, Record(name, *who, row, cost, low, high, at, arm.name, answer.coverage, spread))


def _outputs(predictor: Predictor, answer: Answer) -> list[Tensor]:
    outputs = [Tensor(predictor.workload.cost.name, "FP32", answer.cost)]
    if answer.lower is not None and answer.upper is not None:
        outputs += [Tensor("lower", "FP32", answer.lower), Tensor("upper", "FP32", answer.upper)]
    return [*outputs, Tensor("extrapolated", "BOOL", np.asarray(answer.extrapolated.any(axis=1)))]


def _chosen(name: str, tensors: Sequence[Tensor], coverage: float) -> Tensor:
    for tensor in tensors:
        if tensor.name == name:
            return tensor
    if name in ("lower", "upper"):
        raise wrong(name, f"this version promises no interval at coverage {coverage}")
    raise wrong(name, f"is no output; there are {', '.join(tensor.name for tensor in tensors)}")


def _reference(name: str, version: str | None) -> str:
    text = name if version is None else f"{name}:{version}"
    try:
        named, asked = parse_reference(name), parse_reference(text)
    except InvalidInput:
        raise UnknownModel(text, hint="/models lists what there is") from None
    if named.model is None or named.number is not None or named.label is not None:
        raise UnknownModel(name, hint="a version is asked for as /v2/models/NAME/versions/VERSION")
    return str(asked)


def _numbers(values: Rows | None, count: int) -> list[Any]:
    return [None] * count if values is None else np.asarray(values).tolist()
