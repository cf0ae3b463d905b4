"""`POST /predict` from body to answer; the same for every way in: bare protocol, ASGI callable, FastAPI's route."""

import time

import structlog

from perfcast.api.http._identifiers import Clock
from perfcast.api.http._problems import Problem, problem_of
from perfcast.api.metrics import Ledger, kind_of
from perfcast.api.predict._answer_writer import AnswerWriter
from perfcast.errors import NoUsableModel, PerfcastError
from perfcast.logs import LatencyLines
from perfcast.monitoring import Record
from perfcast.serving import Arm, Follower, Key, Predictor, Request, UnknownReference

UNKNOWN = "unknown"
"""The label of predictions that failed before any model was found."""

log = structlog.stdlib.get_logger("perfcast.api")


class Predict:
    """Answers `/predict` bodies.

    Everything it needs is in memory: no SQL, no blocking call, no log line for an answer (rule R6).
    """

    def __init__(self, follower: Follower, ledger: Ledger, lines: LatencyLines | None = None) -> None:
        self._lines = lines or LatencyLines(0.0)
        self._follower, self._tally, self._enter = follower, ledger.tally, ledger.enter
        self._clock = Clock()
        self._write = AnswerWriter().write

    def at_once(self, body: bytes | bytearray, prediction_id: str, key: Key) -> bytes | None:
        """The answer to a body that is as declared, for a model that is loaded; None where `__call__` must be asked.

        Args:
            body: JSON text.
            prediction_id: The answer's name; unique.
            key: Gives what the caller is known by; asked only where callers are split.
        """
        began = time.perf_counter()
        routes = self._follower.routes
        try:
            request = routes.bodies.read_plain(body)
            if request is None:
                return None
            arm = routes.pick(request.reference, request.reader.workload.name, key)
            predictor = arm.slot.predictor
            return None if predictor is None else self._answer(arm, predictor, request, prediction_id, began)
        except PerfcastError:
            return None
        except Exception:
            log.exception("prediction failed; it is tried again the slower way", prediction_id=prediction_id)
            return None

    async def __call__(self, body: bytes | bytearray, request_id: str, prediction_id: str, key: Key) -> bytes | Problem:
        """The answer to any body, or why there is none; as `at_once`, and `request_id` is for the log."""
        answer = self.at_once(body, prediction_id, key)
        if answer is not None:
            return answer
        began = time.perf_counter()
        model = ""
        try:
            routes = self._follower.routes
            try:
                request = routes.bodies.read(body)
            except UnknownReference as unknown:
                request = await self._reach(body, unknown.reference)
                routes = self._follower.routes
            arm = routes.pick(request.reference, request.reader.workload.name, key)
            model = arm.slot.model
            predictor = arm.slot.predictor or await self._follower.fetched(arm.slot)
            return self._answer(arm, predictor, request, prediction_id, began)
        except Exception as error:
            if not isinstance(error, PerfcastError):
                log.exception("prediction failed", request_id=request_id, model=model)
            self._tally.failed(model or self._named(body), kind_of(error))
            return problem_of(error, in_body=True)

    def _answer(self, arm: Arm, predictor: Predictor, request: Request, name: str, began: float) -> bytes:
        """Predict, count, record and write the answer."""
        row, coverage = request.row, request.coverage
        prediction = predictor.answer(row, coverage, arm.slot.calibration)
        at = self._clock.text(time.time())
        answer = self._write(predictor, prediction, coverage=coverage, at=at, name=name)
        cost, lower, upper, spread = prediction.cost, prediction.lower, prediction.upper, prediction.spread
        who = predictor.model, predictor.number
        self._enter(arm, Record(name, *who, row, cost, lower, upper, at, arm.name, coverage, spread))
        if prediction.extrapolated:
            self._tally.outside(predictor.model)
        seconds = time.perf_counter() - began
        self._tally.predicted(arm.labels, seconds)
        if self._lines.due:
            self._lines.take(predictor.model, predictor.number, seconds, name)
        return answer

    async def _reach(self, body: bytes | bytearray, reference: str) -> Request:
        """Load what isn't loaded; where that fails, what is wrong with the features is told first."""
        try:
            refusal = self._follower.refusal(reference)
            if refusal is not None:
                raise refusal
            await self._follower.fetched(reference)
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
        arm = routes.arm(reference) if reference is not None else None
        return UNKNOWN if arm is None else arm.slot.model
