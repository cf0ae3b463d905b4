"""Logs, one line an event on standard error: JSON for machines, text for people; commands tell little."""

import logging
import sys
from typing import Any

import structlog
from structlog import stdlib

from perfcast.settings import Settings


def configure_logs(settings: Settings, *, of_command: bool = False) -> None:
    """Send structlog's events and the standard library's (uvicorn's too) through one format.

    Libraries are heard from `WARNING` on, as they tell of their own steps; with `LOG_LEVEL=DEBUG` they tell all.

    Args:
        settings: `log_level` and `log_format` decide.
        of_command: For a command that a person waits for: our own warnings as plain lines, and nothing of libraries,
            whose failures come as errors anyway; unless `LOG_LEVEL=DEBUG` asks for everything.
    """
    structlog.configure(
        processors=[stdlib.filter_by_level, *_shared(), stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=stdlib.LoggerFactory(),
        wrapper_class=stdlib.BoundLogger,
    )
    plain = of_command and settings.log_level != "DEBUG"
    rendering = [_plain_line] if plain else _rendering(settings)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(), processors=[stdlib.ProcessorFormatter.remove_processors_meta, *rendering]
        )
    )
    own = logging.getLogger("perfcast")
    own.setLevel(settings.log_level)
    for_libraries = own.level if own.level == logging.DEBUG else max(logging.WARNING, own.level)
    if plain:
        own.setLevel(for_libraries)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.CRITICAL if plain else for_libraries)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, root.level))


def _shared() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        stdlib.add_log_level,
        stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        stdlib.ExtraAdder(),
    ]


def _rendering(settings: Settings) -> list[Any]:
    text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    if text:
        return [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _plain_line(_logger: object, _method: str, event: dict[str, Any]) -> str:
    unsaid = ("event", "level", "logger", "timestamp", "exc_info")
    details = ", ".join(f"{name} {value}" for name, value in event.items() if name not in unsaid)
    return f"perfcast: {event['event']}" + (f" ({details})" if details else "")
