"""A JSON list of `/predict` bodies, each answered by itself."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from perfcast.api.batch._forms import Counts
from perfcast.api.batch._json_columns import names_outside, pieces, written
from perfcast.api.http._identifiers import Clock, Identifiers, timestamp
from perfcast.api.http._numbers import rounded
from perfcast.api.http._problems import TooManyRows
from perfcast.api.metrics import Kind, Ledger, kind_of
from perfcast.errors import FieldError, InvalidInput, NoUsableModel, PerfcastError
from perfcast.monitoring import Record
from perfcast.serving import Arm, Follower, ItemReader, Key, Predictor, Reader, UnknownReference, read_reaching
from perfcast.workloads import Rows

_BETWEEN = re.compile(rb"\}\s*,\s*\{")
_PIECE_BYTES = 131_072
"""Several hundred bodies: less than a millisecond of decoding, and many enough for one call of ONNX Runtime."""
_SHORT_BYTES = 2_000
"""Of a list that isn't worth a guess."""
_MOST_LOADED = 64
"""Models one batch may have loaded for it; each is a query."""
_SHOWN = 5
"""Wrong bodies of which each is told, where they refuse all."""
_BESIDE = {
    **dict.fromkeys(("model_name", "model_type", "prediction_timestamp", "status"), str),
    "model_version": int,
    **dict.fromkeys(("lower", "upper"), float | None),
    "coverage": float,
    "extrapolated": list[str],
    "prediction_id": str,
}
"""What stands beside an answer's cost, in `/predict`'s order."""
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_Spread = Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]]
_item_reader = lru_cache(maxsize=_MOST_LOADED)(ItemReader)


@dataclass
class _Group:
    """Bodies of one piece that one version answers with one coverage.

    Attributes:
        places: int [bodies], their places in the piece.
        rows: float64 [bodies, features].
        cost: float64 [bodies], once predicted.
        spread: float32 [bodies], how far the version's members disagree; None where its graph doesn't say.
        outside: bool [bodies, features], where features lie outside the range trained on; once predicted.
    """

    arm: Arm
    predictor: Predictor
    coverage: float
    places: npt.NDArray[np.int64]
    rows: npt.NDArray[np.float64]
    cost: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    spread: Rows | None = None
    outside: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))


@dataclass
class _Piece:
    """Some bodies that follow each other: groups, and what is wrong with the rest, told and by kind."""

    count: int
    groups: list[_Group]
    wrong: dict[int, Any]
    kinds: Counter[Kind] = field(default_factory=Counter)


class ListAnswerer:
    """Answers lists of bodies."""

    def __init__(self, follower: Follower, ledger: Ledger, identifiers: Identifiers, most_rows: int) -> None:
        self._follower, self._enter = follower, ledger.enter_all
        self._identifiers, self._most_rows = identifiers, most_rows
        self._clock = Clock()

    def answer(
        self, body: bytes | bytearray, key: Key, spread: _Spread, whole: str = ""
    ) -> tuple[Iterator[bytes], Counts]:
        """Answer a list; all is predicted when this returns.

        Args:
            body: JSON text.
            key: Gives what the caller is known by; asked only where callers are split.
            spread: Calls a function with each of many arguments, in several threads.
            whole: Where one wrong body shall refuse the whole list: what the list is called.

        Returns:
            The answer's bytes, made as they are asked for, which keeps the records too; and what was predicted.

        Raises:
            InvalidInput: It is no JSON list, or a body is wrong that refuses it whole.
            TooManyRows: It is too long.
        """
        read = self._read(body, _Reading(self._follower, key))
        spread(_predict, [piece for piece in read if piece.groups])
        if whole:
            _refuse(read, whole)
        return self._write(read), _counts(read)

    def _read(self, body: bytes | bytearray, reading: "_Reading") -> list[_Piece]:
        try:
            return self._bounded(map(reading.read, pieces(body, _BETWEEN, _PIECE_BYTES)))
        except _UNREADABLE:  # the list was cut at a wrong place, or is wrong
            pass
        try:
            return self._bounded([reading.read(bytes(body))])
        except _UNREADABLE as error:
            why = error if isinstance(error, msgspec.MsgspecError) else "it is not UTF-8 text, or is nested too deeply"
            raise InvalidInput.of("body", f"expected a list of /predict bodies: {why}") from None

    def _bounded(self, read: Iterable[_Piece]) -> list[_Piece]:
        held, count = list[_Piece](), 0
        for piece in read:
            held.append(piece)
            count += piece.count
            if count > self._most_rows:
                raise TooManyRows(self._most_rows)
        return held

    def _write(self, read: Sequence[_Piece]) -> Iterator[bytes]:
        yield b'{"results":'
        yield from written(map(self._results, read))
        rows = sum(piece.count for piece in read)
        good = rows - sum(len(piece.wrong) for piece in read)
        about = {"total_requests": rows, "successful_predictions": good, "timestamp": timestamp()}
        yield b"," + msgspec.json.encode(about)[1:]

    def _results(self, piece: _Piece) -> list[Any]:
        results: list[Any] = [None] * piece.count
        for place, failure in piece.wrong.items():
            results[place] = failure
        for group in piece.groups:
            answers, records = self._answers(group)
            for place, answer in zip(group.places.tolist(), answers, strict=True):
                results[place] = answer
            self._enter(group.arm, records)
        return results

    def _answers(self, group: _Group) -> tuple[list[Any], list[Record]]:
        predictor, coverage = group.predictor, group.coverage
        calibration = group.arm.slot.calibration
        bounds = calibration.intervals(group.cost, coverage, group.spread) if calibration is not None else None
        nothing: list[float | None] = [None] * len(group.places)
        lower, upper = (nothing, nothing) if bounds is None else (bounds[0].tolist(), bounds[1].tolist())
        shown = (nothing, nothing) if bounds is None else (rounded(bounds[0]), rounded(bounds[1]))
        outside = names_outside(group.outside, predictor.workload.feature_names)
        at, number, model, kind = self._clock.text(time.time()), predictor.number, predictor.model, predictor.type
        names = [self._identifiers.next() for _ in nothing]
        shape = _shape(predictor.workload.cost.name)
        answers = [
            shape(cost, model, kind, at, "success", number, low, high, coverage, told, name)
            for cost, low, high, told, name in zip(rounded(group.cost), *shown, outside, names, strict=True)
        ]
        spreads = nothing if group.spread is None else group.spread.tolist()
        exact = zip(names, group.rows.tolist(), group.cost.tolist(), lower, upper, spreads, strict=True)
        arm = group.arm.name
        return answers, [
            Record(name, model, number, row, cost, low, high, at, arm, coverage, spread)
            for name, row, cost, low, high, spread in exact
        ]


class _Reading:
    """What is known while one list is read: so each model is looked for once."""

    def __init__(self, follower: Follower, key: Key) -> None:
        self._follower, self._key = follower, key
        self._routes = follower.routes
        self._found: dict[tuple[str | None, str], tuple[Arm, Predictor] | None] = {}
        self._likely: ItemReader | None = None
        self._loaded: set[str] = set()

    def read(self, piece: bytes) -> _Piece:
        """The piece's bodies.

        Raises:
            msgspec.MsgspecError, UnicodeDecodeError, RecursionError: It is no JSON list.
        """
        if self._likely is None and len(piece) > _SHORT_BYTES:  # the whole list is likely what its first body is
            with suppress(PerfcastError, UnknownReference):
                first = next(pieces(piece, _BETWEEN, 1))[1:-1]
                self._likely = _item_reader(self._routes.bodies.read(first).reader)
        return self._at_once(piece) or self._one_by_one(piece)

    def _at_once(self, piece: bytes) -> _Piece | None:
        items = self._likely.read(piece) if self._likely is not None else None
        if items is None or self._likely is None:
            return None
        reader = self._likely.reader
        places: dict[tuple[str | None, float], list[int]] = {}
        for place, asked in enumerate(items.asked):
            places.setdefault(asked, []).append(place)
        groups = []
        for (name, coverage), held in places.items():
            found = self._find(name, reader)
            if found is None:
                return None
            at = np.array(held)
            groups.append(_Group(*found, coverage, at, items.rows[at]))
        return _Piece(len(items.asked), groups, {})

    def _find(self, name: str | None, reader: Reader) -> tuple[Arm, Predictor] | None:
        """Who answers with this reader's rows."""
        key = (name, reader.workload.name)
        if key not in self._found:
            try:
                self._found[key] = self._follower.pick(name, reader.workload.name, self._key)
            except NoUsableModel:
                self._found[key] = None
        found = self._found[key]
        return found if found is not None and found[1].reader is reader else None

    def _one_by_one(self, piece: bytes) -> _Piece:
        bodies = msgspec.json.decode(piece, type=list[msgspec.Raw])
        rows: dict[tuple[Arm, Predictor, float], list[tuple[int, Sequence[float]]]] = {}
        wrong: dict[int, Any] = {}
        kinds = Counter[Kind]()
        for place, raw in enumerate(bodies):
            body = bytes(raw)
            try:
                arm, predictor, coverage, row = self._single(body)
                rows.setdefault((arm, predictor, coverage), []).append((place, row))
            except PerfcastError as error:
                wrong[place] = _failure(str(error), self._routes.bodies.named(body))
                kinds[kind_of(error)] += 1
        groups = []
        for (arm, predictor, coverage), held in rows.items():
            places, values = zip(*held, strict=True)
            groups.append(_Group(arm, predictor, coverage, np.array(places), np.array(values, dtype=np.float64)))
            self._likely = _item_reader(predictor.reader)
        return _Piece(len(bodies), groups, wrong, kinds)

    def _single(self, body: bytes) -> tuple[Arm, Predictor, float, Sequence[float]]:
        request = read_reaching(self._follower, body, self._may_load)
        reader = request.reader
        found = self._find(request.reference, reader)
        if found is None:  # it has been loaded since, or can't answer
            self._routes = self._follower.routes
            found = self._follower.pick(request.reference, reader.workload.name, self._key)
            self._found[request.reference, reader.workload.name] = found
        return *found, request.coverage, request.row

    def _may_load(self, reference: str) -> None:
        self._loaded.add(reference)
        if len(self._loaded) > _MOST_LOADED:
            raise NoUsableModel(
                f"model '{reference}' isn't loaded, and one batch may name at most {_MOST_LOADED} such; send several"
            )


def _predict(piece: _Piece) -> None:
    """Predict a piece's groups; bodies without a finite cost become wrong ones."""
    for group in piece.groups:
        answered, spread = group.predictor.run_with_spread(group.rows.astype(np.float32))
        cost = answered.astype(np.float64)
        good = np.isfinite(cost)
        if not good.all():
            told = f"body: model {group.predictor.name} gives no finite cost for these features"
            piece.kinds["invalid"] += int((~good).sum())
            piece.wrong |= dict.fromkeys(group.places[~good].tolist(), _failure(told, group.predictor.model))
            group.places, group.rows, cost = group.places[good], group.rows[good], cost[good]
            spread = None if spread is None else spread[good]
        group.cost, group.spread, group.outside = cost, spread, group.predictor.outside(group.rows)
    piece.groups = [group for group in piece.groups if len(group.places)]


def _counts(read: Iterable[_Piece]) -> Counts:
    good, outside, bad = Counter[tuple[str, str, int]](), Counter[str](), Counter[Kind]()
    for piece in read:
        bad += piece.kinds
        for group in piece.groups:
            good[group.arm.labels] += len(group.places)
            outside[group.predictor.model] += int(group.outside.any(axis=1).sum())
    return Counts("list", good, outside, bad)


def _refuse(read: Sequence[_Piece], called: str) -> None:
    """Refuse the whole list, which is called so, by its wrong bodies, counted from 0."""
    begins = accumulate((piece.count for piece in read), initial=0)
    wrong = [
        FieldError(f"{called}[{begin + place}]", failure["error"])
        for begin, piece in zip(begins, read, strict=False)
        for place, failure in sorted(piece.wrong.items())
    ]
    if wrong:
        more = [FieldError(called, f"{len(wrong) - _SHOWN:,} more rows are wrong")] if len(wrong) > _SHOWN else []
        raise InvalidInput(wrong[:_SHOWN] + more)


def _failure(told: str, model: str | None) -> Mapping[str, str | None]:
    return {"status": "error", "error": told, "model_name": model}


@lru_cache(maxsize=256)
def _shape(cost: str) -> Any:
    """The struct of the answers whose cost has that name, which msgspec writes."""
    return msgspec.defstruct("Answer", [(cost, float), *_BESIDE.items()], gc=False)
