"""`POST /predict` from body to answer; the same for the bare ASGI callable and for FastAPI's route."""

import time
from asyncio import get_running_loop
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import structlog

from perfcast.api._identifiers import Clock
from perfcast.api._problems import Problem, problem_of
from perfcast.api._tally import Tally
from perfcast.errors import NoUsableModel, PerfcastError
from perfcast.monitoring import PredictionLog, Record
from perfcast.serving import Follower, Prediction, Predictor, Request, UnknownReference

UNKNOWN = "unknown"
"""The label of predictions that failed before any model was found."""

log = structlog.stdlib.get_logger("perfcast.api")


class Reply(NamedTuple):
    """A response: status, JSON body, and further headers where it is a problem."""

    status: int
    body: bytes
    problem: Problem | None = None


class Predict:
    """Answers `/predict` bodies.

    Everything it needs is in memory: no SQL, no blocking call, no log line for an answer (rule R6).

    Args:
        follower: Holds the routes.
        tally: Counts.
        records: Takes a record of each answer; None where they aren't kept.
    """

    def __init__(self, follower: Follower, tally: Tally, records: PredictionLog | None) -> None:
        self._follower = follower
        self._tally = tally
        self._records = records
        self._clock = Clock()
        self._shapes: dict[str, type[msgspec.Struct]] = {}
        self._encode = msgspec.json.Encoder().encode

    async def __call__(self, body: bytes | bytearray, request_id: str, prediction_id: str) -> Reply:
        """Answer one body.

        Args:
            body: JSON text.
            request_id: For the problem details and the log.
            prediction_id: The answer's name; unique.
        """
        began = time.perf_counter()
        model = ""
        try:
            routes = self._follower.routes
            try:
                request = routes.bodies.read(body)
            except UnknownReference as unknown:
                request = await self._reach(body, unknown.reference)
                routes = self._follower.routes
            predictor = routes.find(request.reference, request.reader.workload.name)
            model = predictor.model
            prediction = predictor.answer(request.row, request.coverage)
        except PerfcastError as error:
            return self._failed(problem_of(error, in_body=True), model or self._named(body), request_id)
        except Exception as error:
            log.exception("prediction failed", request_id=request_id, model=model)
            return self._failed(problem_of(error), model or self._named(body), request_id)
        reply = Reply(200, self._answer(predictor, request, prediction, prediction_id))
        self._tally.predicted(model, time.perf_counter() - began)
        return reply

    def _answer(self, predictor: Predictor, request: Request, prediction: Prediction, name: str) -> bytes:
        at = self._clock.text(time.time())
        model, number, workload = predictor.model, predictor.number, predictor.workload
        cost, lower, upper = prediction.cost, prediction.lower, prediction.upper
        if self._records is not None:
            self._records.append(Record(name, model, number, request.row, cost, lower, upper, at))
        answer = self._shape(workload.cost.name)(
            _rounded(cost),
            model,
            predictor.type,
            at,
            "success",
            number,
            None if lower is None else _rounded(lower),
            None if upper is None else _rounded(upper),
            request.coverage,
            prediction.extrapolated,
            name,
        )
        return self._encode(answer)

    async def _reach(self, body: bytes | bytearray, reference: str) -> Request:
        """Load what isn't loaded; where that fails, what is wrong with the features is told first."""
        try:
            refusal = self._follower.refusal(reference)
            if refusal is not None:
                raise refusal
            await get_running_loop().run_in_executor(None, self._follower.reach, reference)
        except PerfcastError:
            self._follower.routes.bodies.read(body, guess=True)
            raise
        try:
            return self._follower.routes.bodies.read(body)
        except UnknownReference:  # deleted, or displaced by others, since it was loaded
            raise NoUsableModel(f"model '{reference}' was unloaded just now; try again") from None

    def _named(self, body: bytes | bytearray) -> str:
        """The loaded model that a refused body names, for the metrics' label; never text that a caller made up."""
        routes = self._follower.routes
        reference = routes.bodies.named(body)
        predictor = routes.predictor(reference) if reference is not None else None
        return UNKNOWN if predictor is None else predictor.model

    def _failed(self, problem: Problem, model: str, request_id: str) -> Reply:
        self._tally.failed(model)
        return Reply(problem.status, problem.body(request_id), problem)

    def _shape(self, cost: str) -> Any:
        """The answer's struct type: the fields of the predecessors' example first, in their order."""
        shape = self._shapes.get(cost)
        if shape is None:
            shape = self._shapes[cost] = msgspec.defstruct("Answer", [(cost, float), *_FIELDS], gc=False)
        return shape


_FIELDS: Sequence[tuple[str, Any]] = (
    ("model_name", str),
    ("model_type", str),
    ("prediction_timestamp", str),
    ("status", str),
    ("model_version", int),
    ("lower", float | None),
    ("upper", float | None),
    ("coverage", float),
    ("extrapolated", list[str]),
    ("prediction_id", str),
)


def _rounded(value: float) -> float:
    """Seven significant digits: what float32 holds, without the tail that binary adds."""
    return float(f"{value:.7g}")
