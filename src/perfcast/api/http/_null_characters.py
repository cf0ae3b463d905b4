"""Null characters in names, refused before a route is asked.

PostgreSQL keeps no text with one in it, SQLite does; here both refuse it, and name the field. `/predict`, batches and
uploads read their bodies themselves and let no such name through; the Open Inference Protocol knows no such model.
"""

import json
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request

from perfcast.errors import FieldError, InvalidInput

_NULL = "\0"
_ESCAPED = b"\\u0000"
"""The only way in which JSON text can hold one; in UTF-16 and UTF-32 with null bytes between."""


async def refuse_null_characters(request: Request) -> None:
    """Refuse a request with a null character in its path, in a query that the route reads, or in its JSON body.

    Raises:
        InvalidInput: Names each field.
    """
    route = request.scope["route"]
    read = {parameter.alias for parameter in route.dependant.query_params}
    given = [*request.path_params.items(), *(item for item in request.query_params.multi_items() if item[0] in read)]
    wrong = [name for name, value in given if _NULL in value]
    if route.body_field is not None and _ESCAPED in (body := await request.body()).replace(b"\0", b""):
        wrong += _in_json(body)
    if wrong:
        raise InvalidInput([FieldError(name, "must not hold a null character") for name in dict.fromkeys(wrong)])


def _in_json(body: bytes) -> Iterator[str]:
    """The innermost names over every text with a null character."""
    try:
        waiting: list[tuple[str, Any]] = [("body", json.loads(body))]
    except ValueError:  # such a body is refused for that
        return
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, str) and _NULL in value:
            yield name
        elif isinstance(value, list):
            waiting += [(name, item) for item in reversed(value)]
        elif isinstance(value, dict):
            waiting += [(key, item) for key, item in reversed(value.items())]
            if any(_NULL in key for key in value):
                yield name
