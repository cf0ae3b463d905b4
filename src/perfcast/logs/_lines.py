"""How an event becomes a line: JSON, text for people, or the plain sentence of a command."""

from collections.abc import Mapping
from typing import Any

import structlog
from structlog import stdlib
from structlog.dev import ConsoleRenderer, plain_traceback

from perfcast.logs._redaction import Redaction

FIRST_STEPS: tuple[Any, ...] = (
    structlog.contextvars.merge_contextvars,
    stdlib.add_log_level,
    stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    stdlib.ExtraAdder(),
)
"""What every event gets, structlog's and the standard library's."""
_UNSAID = ("event", "level", "logger", "timestamp", "exc_info")


def formatter(
    redaction: Redaction, about: Mapping[str, str], *, text: bool = False, colours: bool = False, plain: bool = False
) -> stdlib.ProcessorFormatter:
    """What makes lines; `about` is part of each, unless the event says otherwise."""

    def tell_about(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        return {**event, **{name: value for name, value in about.items() if name not in event}}

    rendering: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if text:
        rendering = _for_people(colours=colours)
    if plain:
        rendering = _plain_line
    processors = [
        stdlib.ProcessorFormatter.remove_processors_meta,
        tell_about,
        _level_in_capitals,
        *(() if plain else (structlog.processors.format_exc_info,)),
        redaction,
        rendering,
    ]
    return stdlib.ProcessorFormatter(foreign_pre_chain=FIRST_STEPS, processors=processors)


def _level_in_capitals(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """So that `grep ERROR` finds errors in both forms."""
    event["level"] = str(event.get("level", "info")).upper()
    return event


def _for_people(*, colours: bool) -> ConsoleRenderer:
    styles = {level.upper(): style for level, style in ConsoleRenderer.get_default_level_styles(colours).items()}
    return ConsoleRenderer(colors=colours, level_styles=styles, exception_formatter=plain_traceback)


def _plain_line(_logger: object, _method: str, event: dict[str, Any]) -> str:
    details = ", ".join(f"{name} {value}" for name, value in event.items() if name not in _UNSAID)
    return f"perfcast: {event['event']}" + (f" ({details})" if details else "")
