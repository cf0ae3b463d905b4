"""What is told: a JSON object, or a list of such, each with an actual and what it belongs to."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import sha256
from math import isfinite
from typing import Any, TypeAlias

import msgspec

from perfcast.api.http._problems import TooManyRows
from perfcast.errors import FieldError, InvalidInput
from perfcast.serving import parse_json
from perfcast.storage import time_text
from perfcast.workloads import no_moment, stated_moment

MOST_ITEMS = 100_000
_ID = re.compile(r"[0-9a-f]{26,28}(-[0-9]{1,7})?")
_AHEAD = timedelta(minutes=5)
"""So far a clock may be ahead of this one."""
_BESIDE = ("actual", "measured_at")
_KEY = 64
"""Characters of a key, as the database keeps it: a time of 27, and enough of a digest."""
_EXPECTED = "an object with an actual, or a list of such"


@dataclass(slots=True)
class Item:
    """One actual.

    Attributes:
        value: In the cost's unit.
        measured_at: ISO 8601, UTC; None where nobody said.
        prediction: Id of its prediction; empty until its features were predicted.
        key: What counts once; empty for the prediction's id.
        body: The `/predict` body to predict; None where the prediction was named.
        model: The model that answered, once it has.
        error: Why it is refused; empty where it isn't.
    """

    value: float = 0.0
    measured_at: str | None = None
    prediction: str = ""
    key: str = ""
    body: Mapping[str, Any] | None = None
    model: str = ""
    error: str = ""

    @property
    def name(self) -> str:
        """Under which it counts once; empty where that needs its prediction."""
        return self.key or self.prediction


Items: TypeAlias = Sequence[Item]


def read_items(body: bytes | bytearray, zone: tzinfo, once: str) -> tuple[list[Item], bool]:
    """The items of a body, and whether it was a list.

    Args:
        body: JSON text.
        zone: Of times that state none.
        once: What the caller calls this request; empty where it has no name.

    Raises:
        InvalidInput: It is neither an object nor a list, or the object is wrong.
        TooManyRows: The list is too long.
    """
    documents = parse_json(body, _EXPECTED)
    if not isinstance(documents, list):
        return [_item(documents, zone, once)], False
    if not documents:
        raise InvalidInput.of("body", "is an empty list; expected objects with an actual each")
    if len(documents) > MOST_ITEMS:
        raise TooManyRows(MOST_ITEMS, "POST /feedback")
    return [
        _or_error(document, zone, f"{once}/{place}" if once else "") for place, document in enumerate(documents)
    ], True


def _or_error(document: object, zone: tzinfo, once: str) -> Item:
    try:
        return _item(document, zone, once)
    except InvalidInput as error:
        return Item(error=str(error))


def _item(document: object, zone: tzinfo, once: str) -> Item:
    if not isinstance(document, dict):
        raise InvalidInput.of("body", f"expected {_EXPECTED}, got {_shown(document)}")
    wrong: list[FieldError] = []
    value = _number(document, wrong)
    at = _moment(document.get("measured_at"), zone, wrong)
    others = {name: held for name, held in document.items() if name not in _BESIDE}
    if "prediction_id" in others:
        _check_named(others, wrong)
    elif not others.keys() - {"model_name", "coverage", "device"}:
        wrong.append(FieldError("prediction_id", "is required, or else model_name and features"))
    if wrong:
        raise InvalidInput(wrong)
    if "prediction_id" in others:
        return Item(value, at, prediction=others["prediction_id"])
    return Item(value, at, key=_key(others, at, once), body=others)


def _number(document: Mapping[str, Any], wrong: list[FieldError]) -> float:
    if "actual" not in document:
        wrong.append(FieldError("actual", "is required: the true cost, a number"))
        return 0.0
    value = document["actual"]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e300 or not isfinite(value):
        wrong.append(FieldError("actual", f"must be a finite number, got {_shown(value)}"))
        return 0.0
    return float(value)


def _moment(value: object, zone: tzinfo, wrong: list[FieldError]) -> str | None:
    if value is None:
        return None
    try:
        moment, local = stated_moment(value)
        moment = (moment.replace(tzinfo=zone) if local else moment).astimezone(UTC)
    except (ValueError, OverflowError, TypeError):
        wrong.append(FieldError("measured_at", no_moment(_shown(value))))
        return None
    if moment > datetime.now(UTC) + _AHEAD:
        wrong.append(FieldError("measured_at", f"lies in the future, got {_shown(value)}"))
    return time_text(moment)


def _check_named(others: Mapping[str, Any], wrong: list[FieldError]) -> None:
    name = others["prediction_id"]
    if not isinstance(name, str) or not _ID.fullmatch(name):
        told = "must be the prediction_id of an answer; row 2 of a /v2 answer has its id and `-2`"
        wrong.append(FieldError("prediction_id", f"{told}, got {_shown(name)}"))
    wrong += [
        FieldError(other, "is not known here; give a prediction_id, or else model_name and features")
        for other in others
        if other != "prediction_id"
    ]


def _key(body: Mapping[str, Any], at: str | None, once: str) -> str:
    """What counts once: the features of that model at that time, or in that place of a request with a name.

    It begins with the time, since the actuals of a request are kept, and looked at, in the order of their keys.
    """
    if not (which := at or once):
        return ""
    plain = msgspec.json.encode([_plain(body), which], order="deterministic")
    return f"{at or ''}{sha256(plain).hexdigest()}"[:_KEY]


def _plain(value: Any) -> Any:
    """The same for 1 and 1.0."""
    if isinstance(value, dict):
        return {name: _plain(held) for name, held in value.items()}
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else value


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False).encode(errors="replace").decode()  # which says NaN and Infinity
    return text if len(text) <= 60 else f"{text[:57]}…"
