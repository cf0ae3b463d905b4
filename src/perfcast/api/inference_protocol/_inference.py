"""Answering inference requests: which version, from which rows, with which outputs."""

import time
from asyncio import shield, wrap_future
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from starlette.concurrency import run_in_threadpool

from perfcast.api.http._identifiers import Clock
from perfcast.api.inference_protocol._codec import InferenceRequest, RequestedOutput, read_request, write_response
from perfcast.api.inference_protocol._rows import rows_of
from perfcast.api.inference_protocol._tensor import Tensor, wrong
from perfcast.api.metrics._tally import Tally
from perfcast.errors import InvalidInput, NoUsableModel, PerfcastError, UnknownModel
from perfcast.manifest import COVERAGES, DEFAULT_COVERAGE
from perfcast.monitoring import PredictionLog, Record
from perfcast.registry import parse_reference
from perfcast.serving import Answer, Arm, Follower, Key, Predictor, Shadows, Slot
from perfcast.workloads import Rows

MOST_RECORDS = 100
"""Rows of one request that are recorded; a request with more leaves no record."""
_INLINE = 16_384
"""Bytes of a body that is answered on the event loop; larger ones are answered in a thread."""
_UNKNOWN = "unknown"


@dataclass(frozen=True)
class Inferred:
    """A response, ready to be sent.

    Attributes:
        parts: Its body: JSON, then the tensors that travel as bytes.
        json_length: Bytes of the JSON; None where it is the whole body.
    """

    parts: list[bytes]
    json_length: int | None


@dataclass(frozen=True)
class _Answered:
    rows: Rows
    answer: Answer
    response: Inferred


class InferenceProtocol:
    """Answers the Open Inference Protocol's calls about models.

    Args:
        follower: Holds the routes.
        tally: Counts.
        records: Takes a record of each row; None where they aren't kept.
        shadows: Takes the rows that a shadow shall be asked for too.
    """

    def __init__(self, follower: Follower, tally: Tally, records: PredictionLog | None, shadows: Shadows) -> None:
        self._follower = follower
        self._tally = tally
        self._records = records
        self._shadows = shadows
        self._clock = Clock()

    async def find(self, name: str, version: str | None) -> Predictor:
        """The version that a path means, a model's champion, loaded if it wasn't; as `arm`."""
        arm = await self.arm(name, version)
        return arm.slot.predictor or await self._fetch(arm.slot)

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
            await self._fetch(reference)
            arm = self._follower.routes.arm(reference)
        if arm is None:  # deleted, or displaced by others, since it was loaded
            raise NoUsableModel(f"model '{reference}' was unloaded just now; try again")
        return arm

    async def _fetch(self, what: Slot | str) -> Predictor:
        """Load it in a thread, together with whoever else waits for it."""
        return await shield(wrap_future(self._follower.fetch(what)))

    async def infer(
        self,
        name: str,
        version: str | None,
        body: bytes | bytearray,
        json_length: int | None,
        prediction_id: str,
        key: Key,
    ) -> Inferred:
        """Answer an inference request.

        Args:
            name: As `find`.
            version: As `find`.
            body: JSON, and behind it the inputs that travel as bytes.
            json_length: Bytes of the JSON; None where it is the whole body.
            prediction_id: The answer's name; unique. The record of row 2 is called by it and `-2`.
            key: Gives what the caller is known by; asked only where callers are split.

        Raises:
            InvalidInput: Names each tensor or feature that is wrong.
            NotFound, NoUsableModel: As `find`.
        """
        began = time.perf_counter()
        model = _UNKNOWN
        try:
            arm = await self.arm(name, version)
            arm = arm.pick(key)
            model = arm.slot.model
            predictor = arm.slot.predictor or await self._fetch(arm.slot)
            work = partial(self._answer, predictor, body, json_length, prediction_id)
            done = work() if len(body) <= _INLINE else await run_in_threadpool(work)
        except PerfcastError:
            self._tally.failed(model)
            raise
        self._record(arm, done, prediction_id)
        seconds = time.perf_counter() - began
        self._tally.predicted(arm.labels, seconds, len(done.rows))
        return done.response

    def _answer(
        self, predictor: Predictor, body: bytes | bytearray, json_length: int | None, prediction_id: str
    ) -> _Answered:
        request = read_request(body, json_length)
        coverage = _coverage(request)
        rows = rows_of(predictor.reader, request.inputs)
        answer = predictor.predict(rows, coverage)
        tensors = _outputs(predictor, answer)
        head: dict[str, Any] = {"model_name": predictor.model, "model_version": str(predictor.number)}
        if request.id is not None:
            head["id"] = request.id
        head["parameters"] = {"coverage": coverage, "prediction_id": prediction_id}
        wanted = request.outputs
        if wanted is None:
            wanted = tuple(RequestedOutput(tensor.name, request.binary) for tensor in tensors)
        chosen = [(_chosen(item.name, tensors, coverage), item.binary) for item in wanted]
        return _Answered(rows, answer, Inferred(*write_response(head, chosen)))

    def _record(self, arm: Arm, done: _Answered, prediction_id: str) -> None:
        """Record each row, and have the shadow asked for it."""
        count = len(done.rows)
        if count > MOST_RECORDS:
            return
        at = self._clock.text(time.time())
        lower, upper = _numbers(done.answer.lower, count), _numbers(done.answer.upper, count)
        costs = zip(done.rows.tolist(), done.answer.cost.tolist(), lower, upper, strict=True)
        for position, (row, cost, low, high) in enumerate(costs):
            name = prediction_id if count == 1 else f"{prediction_id}-{position}"
            if self._records is not None:
                self._records.append(Record(name, arm.slot.model, arm.slot.number, row, cost, low, high, at, arm.name))
            if arm.shadow is not None:
                self._shadows.offer(arm.shadow, name, row, at)


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


def _coverage(request: InferenceRequest) -> float:
    coverage = request.parameters.get("coverage")
    if coverage is None:
        return DEFAULT_COVERAGE
    if isinstance(coverage, str):  # the Triton client's parameters are texts where its users make them so
        coverage = next((known for known in COVERAGES if str(known) == coverage), coverage)
    if isinstance(coverage, bool) or coverage not in COVERAGES:
        raise wrong("coverage", f"expected one of {', '.join(map(str, COVERAGES))}")
    return float(coverage)


def _reference(name: str, version: str | None) -> str:
    """The model reference that a path means.

    Raises:
        UnknownModel: Nothing can have that name.
    """
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
