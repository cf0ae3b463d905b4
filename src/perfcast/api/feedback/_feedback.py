"""Taking actuals: read, predicted where they come with features, checked, and kept in one transaction."""

from asyncio import Semaphore
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool

from perfcast.api.batch import JSON, Batches
from perfcast.api.feedback._items import Item, Items, read_items
from perfcast.api.http._identifiers import timestamp
from perfcast.api.metrics import Ledger
from perfcast.errors import Conflict, InvalidInput
from perfcast.monitoring import Actual, Kept, keep_actuals, kept_actuals, models_of
from perfcast.serving import Follower, Key, read_reaching
from perfcast.storage import Database, now
from perfcast.workloads import Cost

_AT_A_TIME = 2
"""Requests that are worked on: each holds a connection and a thread, and SQLite lets one write."""
_OFF = "PREDICTION_LOG is off, so no prediction is kept that an actual could belong to; turn it on"


class Feedback:
    """Takes actuals."""

    def __init__(self, database: Database, follower: Follower, batches: Batches, ledger: Ledger, zone: tzinfo) -> None:
        self._database, self._follower, self._batches = database, follower, batches
        self._records, self._tally, self._zone = ledger.records, ledger.tally, zone
        self._turn = Semaphore(_AT_A_TIME)

    async def take(self, body: bytes | bytearray, key: Key, once: str = "") -> dict[str, Any]:
        """Take what a body tells; all of it is in the database when this returns.

        Args:
            body: An object with an actual, or a list of such.
            key: Gives what the caller is known by; asked only where callers are split.
            once: What the caller calls this request: sent again, it counts once.

        Returns:
            What became of each item, and how many fared so.

        Raises:
            InvalidInput: The body is no such thing; or an object alone is wrong.
            Conflict: The prediction of an object alone has another actual, or predictions aren't recorded.
            PerfcastError: The model of an object alone can't be had.
            Unavailable: The database can't be used; nothing is kept.
            TooManyRows: The list is too long.
        """
        if self._records is None:
            raise Conflict(_OFF)
        async with self._turn:
            items, is_list = await run_in_threadpool(read_items, body, self._zone, once)
            if not is_list and items[0].body is not None:  # whose problems have a status of their own
                await run_in_threadpool(read_reaching, self._follower, msgspec.json.encode(items[0].body))
            known = await run_in_threadpool(self._known, items)
            await self._predict([item for item in _firsts(items) if item.body and item.key not in known], key)
            _share(items)
            results = await run_in_threadpool(self._keep, items, is_list=is_list)
        counts = Counter(result["status"] for result in results)
        told = {status: counts[status] for status in ("accepted", "repeated", "refused")}
        self._tally.fed_back(told)
        return {"results": results, **told, "timestamp": timestamp()}

    def _known(self, items: Items) -> Mapping[str, Kept]:
        """What was told before, of items that would have to be predicted."""
        names = {item.key for item in items if item.key}
        if not names:
            return {}
        with self._database.read() as connection:
            return kept_actuals(connection, sorted(names))

    async def _predict(self, items: Items, key: Key) -> None:
        if not items:
            return
        body = await run_in_threadpool(msgspec.json.encode, [item.body for item in items])
        reply = await self._batches.answer(body, content_type=JSON, accept=JSON, query={}, key=key)
        await run_in_threadpool(_note, items, reply.pieces)

    def _keep(self, items: Items, *, is_list: bool) -> list[dict[str, Any]]:
        if self._records is not None and any(item.body and item.prediction for item in items):
            self._records.flush()  # an actual is nothing without what was predicted
        self._check_bounds(items)
        if not is_list and items[0].error:
            field, _, told = items[0].error.partition(": ")
            raise InvalidInput.of(field, told)
        given = {item.name: item for item in _firsts([item for item in items if not item.error])}
        with self._database.begin() as connection:
            known = kept_actuals(connection, list(given))
            new = [
                Actual(name, item.prediction, item.value, item.measured_at)
                for name, item in given.items()
                if name not in known and item.prediction
            ]
            known |= keep_actuals(connection, new, now())
        results = _results(items, known)
        if not is_list and results[0]["status"] == "refused":
            raise Conflict(results[0]["error"])
        return results

    def _check_bounds(self, items: Items) -> None:
        """Refuse what the cost can't be, as far as it is known which models answered."""
        costs = {slot.model: slot.reader.workload.cost for slot in self._follower.routes.slots}
        named = [item.prediction for item in items if item.prediction and not item.model]
        models: Mapping[str, set[str]] = {}
        if named:
            with self._database.read() as connection:
                models = models_of(connection, named)
        for item in items:
            answered = {item.model} if item.model else models.get(item.prediction, set())
            possible = [cost for model in answered if (cost := costs.get(model)) is not None]
            if possible and not item.error and not any(cost.minimum <= item.value <= cost.maximum for cost in possible):
                item.error = _out_of_bounds(possible[0], item.value)


def _firsts(items: Items) -> list[Item]:
    """Of items that count once, the first."""
    seen: set[str] = set()
    chosen = []
    for item in items:
        if not item.name or item.name not in seen:
            chosen.append(item)
            seen.add(item.name)
    return chosen


def _share(items: Items) -> None:
    """Give to items that count once with an earlier one what was predicted for that."""
    first: dict[str, Item] = {}
    for item in items:
        if item.key:
            same = first.setdefault(item.key, item)
            item.prediction, item.model, item.error = same.prediction, same.model, item.error or same.error


def _note(items: Items, pieces: Iterable[bytes]) -> None:
    """Take over what was predicted; asking for the answer's pieces is what records it."""
    for item, result in zip(items, msgspec.json.decode(b"".join(pieces))["results"], strict=True):
        if result["status"] == "success":
            item.prediction, item.model = result["prediction_id"], result["model_name"]
        else:
            item.error = result["error"]


def _out_of_bounds(cost: Cost, value: float) -> str:
    return f"actual: {cost.name} is from {cost.minimum:g} to {cost.maximum:g} {cost.unit}, got {value:g}"


def _results(items: Items, known: Mapping[str, Kept]) -> list[dict[str, Any]]:
    """What became of each, where some were told before and others are repeated among themselves."""
    before, results = dict(known), []
    for item in items:
        results.append(_result(item, before.get(item.name)))
        if not item.error:
            before.setdefault(item.name, Kept(item.prediction, item.value))
    return results


def _result(item: Item, before: Kept | None) -> dict[str, Any]:
    if item.error:
        named = {"prediction_id": item.prediction} if item.prediction and not item.body else {}
        return {"status": "refused", **named, "error": item.error}
    if before is None:
        return {"status": "accepted", "prediction_id": item.prediction}
    if before.value == item.value:
        return {"status": "repeated", "prediction_id": before.prediction}
    error = f"actual: {before.value:g} was told before and stays, got {item.value:g}"
    return {"status": "refused", "prediction_id": before.prediction, "error": error}
