"""`POST /predict` from body to answer; the same for every way in: bare protocol, ASGI callable, FastAPI's route."""

import time
from asyncio import get_running_loop
from typing import NamedTuple

import structlog

from perfcast.api._answer import AnswerWriter
from perfcast.api._identifiers import Clock
from perfcast.api._problems import Problem, problem_of
from perfcast.api._tally import Tally
from perfcast.errors import PerfcastError
from perfcast.monitoring import PredictionLog, Record
from perfcast.serving import Follower, Predictor, Request, UnknownReference, read_reaching

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
        self._write = AnswerWriter().write

    def at_once(self, body: bytes | bytearray, prediction_id: str) -> bytes | None:
        """The answer to a body that is as declared, for a model that is loaded; None where `__call__` must be asked.

        Args:
            body: JSON text.
            prediction_id: The answer's name; unique.
        """
        began = time.perf_counter()
        routes = self._follower.routes
        try:
            request = routes.bodies.read_plain(body)
            if request is None:
                return None
            predictor = routes.find(request.reference, request.reader.workload.name)
            return self._answer(predictor, request, prediction_id, began)
        except PerfcastError:
            return None
        except Exception:
            log.exception("prediction failed; it is tried again the slower way", prediction_id=prediction_id)
            return None

    async def __call__(self, body: bytes | bytearray, request_id: str, prediction_id: str) -> Reply:
        """Answer one body.

        Args:
            body: JSON text.
            request_id: For the problem details and the log.
            prediction_id: The answer's name; unique.
        """
        answer = self.at_once(body, prediction_id)
        if answer is not None:
            return Reply(200, answer)
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
            return Reply(200, self._answer(predictor, request, prediction_id, began))
        except PerfcastError as error:
            return self._failed(problem_of(error, in_body=True), model or self._named(body), request_id)
        except Exception as error:
            log.exception("prediction failed", request_id=request_id, model=model)
            return self._failed(problem_of(error), model or self._named(body), request_id)

    def _answer(self, predictor: Predictor, request: Request, name: str, began: float) -> bytes:
        """Predict, count, record and write the answer."""
        row, coverage, model = request.row, request.coverage, predictor.model
        prediction = predictor.answer(row, coverage)
        at = self._clock.text(time.time())
        answer = self._write(predictor, prediction, coverage=coverage, at=at, name=name)
        if self._records is not None:
            cost, lower, upper = prediction.cost, prediction.lower, prediction.upper
            self._records.append(Record(name, model, predictor.number, row, cost, lower, upper, at))
        self._tally.predicted(model, time.perf_counter() - began)
        return answer

    async def _reach(self, body: bytes | bytearray, reference: str) -> Request:
        """Load what isn't loaded; where that fails, what is wrong with the features is told first."""
        refusal = self._follower.refusal(reference)
        if refusal is not None:
            self._follower.routes.bodies.read(body, guess=True)
            raise refusal
        return await get_running_loop().run_in_executor(None, read_reaching, self._follower, body)

    def _named(self, body: bytes | bytearray) -> str:
        """The loaded model that a refused body names, for the metrics' label; never text that a caller made up."""
        routes = self._follower.routes
        reference = routes.bodies.named(body)
        predictor = routes.predictor(reference) if reference is not None else None
        return UNKNOWN if predictor is None else predictor.model

    def _failed(self, problem: Problem, model: str, request_id: str) -> Reply:
        self._tally.failed(model)
        return Reply(problem.status, problem.body(request_id), problem)
