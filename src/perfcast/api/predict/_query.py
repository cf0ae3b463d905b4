"""The features of `GET /predict`, as the body that `POST /predict` takes."""

from collections.abc import Mapping, Sequence

import msgspec

from perfcast.errors import FieldError, InvalidInput, PerfcastError
from perfcast.serving import Follower, Reader
from perfcast.workloads import TIMESTAMP

_TEXTS = frozenset({"model_name", "device", TIMESTAMP})


async def body_of(query: Sequence[tuple[str, str]], follower: Follower) -> bytes:
    """The JSON body that a query means: numbers where the workload has numbers, text elsewhere.

    Args:
        query: Names and values, decoded.
        follower: Holds the routes, which know the workloads.

    Raises:
        InvalidInput: A name is there twice.
    """
    given = dict(query)
    if len(given) < len(query):
        names = [name for name, _ in query]
        raise InvalidInput([FieldError(name, "is given twice") for name in given if names.count(name) > 1])
    reader = await _reader(given, follower)
    choices = {item.name for item in reader.workload.features if item.declaration.values} if reader else set()
    return msgspec.json.encode(
        {name: text if name in _TEXTS or name in choices else _value(text) for name, text in given.items()}
    )


async def _reader(given: Mapping[str, str], follower: Follower) -> Reader | None:
    """Whose features these are; None where nobody can answer, which the answer then tells."""
    name = given.get("model_name")
    try:
        if name is None:
            return follower.routes.bodies.reader_of(given)
        arm = follower.routes.arm(name)
        return arm.slot.reader if arm is not None else (await follower.fetched(name)).reader
    except PerfcastError:
        return None


def _value(text: str) -> float | bool | str:
    try:
        return msgspec.json.decode(text, type=int | float | bool)
    except msgspec.MsgspecError:
        return text
