"""Reading, predicting and writing batches in threads, with bounds on all of it."""

import time
from asyncio import Semaphore, get_running_loop
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from perfcast.api.batch._forms import JSON, NAMES, Counts, Question, media_type, wanted
from perfcast.api.batch._json_columns import read_columns, write_columns
from perfcast.api.batch._list import ListAnswerer
from perfcast.api.http._identifiers import Identifiers
from perfcast.api.http._problems import Overloaded
from perfcast.api.metrics import Ledger
from perfcast.api.predict import UNKNOWN
from perfcast.errors import InvalidInput
from perfcast.manifest import Calibration
from perfcast.processors import processors
from perfcast.serving import Answer, Arm, Follower, Key, Predictor, coverage_of, reach
from perfcast.settings import Settings
from perfcast.workloads import Rows

_CHUNK = 4_096
"""Rows of one call of ONNX Runtime, and of one piece of an answer."""
_LONG_BYTES = 1_000_000
_LONG, _SHORT = 2, 4
"""Batches that are worked on at a time, of long bodies and of short ones, so that these never wait for those."""


class BatchReply(NamedTuple):
    """What to send.

    Attributes:
        form: Its media type.
        model: Who answered, where it was one version.
        pieces: The bytes, made as they are asked for.
        counts: What was predicted.
        notes: What was remarkable about a text file, and in how many rows.
    """

    form: str
    model: str | None
    pieces: Iterator[bytes]
    counts: Counts
    notes: Mapping[str, int] = {}

    @property
    def headers(self) -> dict[str, str]:
        """What stands beside the answer: who gave it, and the notes."""
        headers = {} if self.model is None else {"X-Model-Version": self.model}
        if self.notes:
            headers["X-Notes"] = "; ".join(f"{note} (rows: {rows:,})" for note, rows in self.notes.items())
        return headers


class Batches:
    """Answers batches."""

    def __init__(self, settings: Settings, follower: Follower, ledger: Ledger, identifiers: Identifiers) -> None:
        self._follower, self._tally = follower, ledger.tally
        self.most_rows, self.most_bytes = settings.max_batch_rows, settings.max_batch_bytes
        self._lists = ListAnswerer(follower, ledger, identifiers, settings.max_batch_rows)
        self._held_bytes = 0
        self._long, self._short = Semaphore(_LONG), Semaphore(_SHORT)
        self._threads = ThreadPoolExecutor(_LONG + _SHORT, thread_name_prefix="perfcast-batch")
        self._runners = ThreadPoolExecutor(settings.batch_threads or processors(), thread_name_prefix="perfcast-rows")

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._runners.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def room(self, announced: int | None) -> Iterator[None]:
        """Room in memory for a body whose bytes may be known, else `Overloaded`."""
        needed = self.most_bytes if announced is None else announced
        if self._held_bytes and self._held_bytes + needed > 2 * self.most_bytes:
            raise Overloaded("large batches are being answered already; send this one again in a moment")
        self._held_bytes += needed
        try:
            yield
        finally:
            self._held_bytes -= needed

    async def answer(
        self,
        body: bytes | bytearray,
        *,
        content_type: str,
        accept: str,
        query: Mapping[str, str],
        key: Key,
        whole: str = "",
    ) -> BatchReply:
        """Answer a body; all is predicted when this returns.

        Args:
            body: The whole body.
            content_type: The request's header.
            accept: The request's header.
            query: `model_name` and `coverage` for columns.
            key: Gives what the caller is known by; asked only where callers are split.
            whole: Where one wrong body shall refuse a whole list: what the list is called.

        Raises:
            PerfcastError: It can't be answered; says why.
            TooManyRows: It has too many rows.
        """
        work = partial(self._answer, body, media_type(content_type), accept, query, key, whole)
        async with self._long if len(body) > _LONG_BYTES else self._short:
            began = time.perf_counter()
            reply = await get_running_loop().run_in_executor(self._threads, work)
        self._count(reply.counts, time.perf_counter() - began)
        return reply

    def _count(self, counts: Counts, seconds: float) -> None:
        """On the event loop's thread, as all counting."""
        for labels, rows in counts.good.items():
            self._tally.predicted(labels, seconds, rows)
        for model, rows in counts.outside.items():
            self._tally.outside(model, rows)
        for kind, rows in counts.bad.items():
            self._tally.failed(UNKNOWN, kind, rows)
        self._tally.batch(counts.form, sum(counts.good.values()) + sum(counts.bad.values()))

    def _answer(
        self, body: bytes | bytearray, form: str, accept: str, query: Mapping[str, str], key: Key, whole: str
    ) -> BatchReply:
        coverage_of(query.get("coverage"))  # a list's bodies say it themselves; a wrong one is told all the same
        if form == JSON and bytes(body[:64]).lstrip()[:1] != b"{":
            return BatchReply(JSON, None, *self._lists.answer(body, key, self._spread, whole))
        question = self._read(body, form)
        arm, predictor, coverage = self._asked(question, query, key)
        rows, notes = question.read(predictor.reader.columns)
        del question
        answers = self._predict(predictor, rows, coverage, arm.slot.calibration)
        outside = sum(int(answer.extrapolated.any(axis=1).sum()) for answer in answers)
        counts = Counts(NAMES[form], {arm.labels: len(rows)}, {arm.slot.model: outside})
        form = wanted(accept, form)
        return BatchReply(form, predictor.name, _writer(form)(predictor, coverage, answers), counts, notes)

    def _read(self, body: bytes | bytearray, form: str) -> Question:
        if form == JSON:
            return read_columns(body, self.most_rows)
        from perfcast.api.batch._arrow_forms import read_table

        return read_table(form, body, self.most_rows)

    def _asked(self, question: Question, query: Mapping[str, str], key: Key) -> tuple[Arm, Predictor, float]:
        coverage = coverage_of(query.get("coverage", question.coverage))
        reference = query.get("model_name", question.reference)
        if reference is not None:
            if self._follower.routes.arm(reference) is None:
                bodies = self._follower.routes.bodies
                check = lambda: question.read(bodies.reader_of(question.columns).columns)  # noqa: E731
                reach(self._follower, reference, check)
            workload = ""
        else:
            workload = self._follower.routes.bodies.reader_of(question.columns).workload.name
        return *self._follower.pick(reference, workload, key), coverage

    def _predict(
        self, predictor: Predictor, rows: Rows, coverage: float, calibration: Calibration | None
    ) -> list[Answer]:
        endless: list[int] = []

        def predict(start: int) -> Answer | None:
            part = rows[start : start + _CHUNK]
            try:
                return predictor.predict(part, coverage, calibration)
            except InvalidInput:
                endless.extend((start + np.flatnonzero(~np.isfinite(predictor.run(part)))).tolist())
                return None

        answers = self._spread(predict, range(0, len(rows), _CHUNK))
        if endless:
            first = ", ".join(map(str, sorted(endless)[:5]))
            told = f"model {predictor.name} gives no finite cost for {len(endless):,} rows: {first}"
            raise InvalidInput.of("body", told)
        return answers

    def _spread(self, do: Callable[[Any], Any], arguments: Sequence[Any]) -> list[Any]:
        """A function's result for each of the arguments, in several threads where there are several."""
        return list(map(do, arguments) if len(arguments) == 1 else self._runners.map(do, arguments))


def _writer(form: str) -> Callable[[Predictor, float, Sequence[Answer]], Iterator[bytes]]:
    if form == JSON:
        return write_columns
    from perfcast.api.batch._arrow_forms import write_table

    return partial(write_table, form)
