"""Sending structlog's events and the standard library's to where they are to go."""

import logging
import sys
import threading
from collections.abc import Mapping
from types import TracebackType

import structlog
from structlog import stdlib

from perfcast.logs._lines import FIRST_STEPS, formatter
from perfcast.logs._redaction import Redaction, secrets_of
from perfcast.logs._rotation import RotatedFile
from perfcast.settings import Settings

log = stdlib.get_logger("perfcast")


def configure_logs(settings: Settings, *, of_command: bool = False, about: Mapping[str, str] | None = None) -> None:
    """Log to standard error, and to `LOG_FILE` where there is one, from now on.

    Libraries (uvicorn too) are heard from `WARNING` on, as they tell of their own steps; with `LOG_LEVEL=DEBUG` they
    tell all.

    Args:
        settings: Level, form and file; their secrets stand in no line.
        of_command: For a command that a person waits for: our own warnings as plain lines, and nothing of libraries,
            whose failures come as errors anyway; unless `LOG_LEVEL=DEBUG` asks for everything. Never into the file.
        about: What every line of this process says, such as its job.
    """
    structlog.configure(
        processors=[stdlib.filter_by_level, *FIRST_STEPS, stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=stdlib.LoggerFactory(),
        wrapper_class=stdlib.BoundLogger,
    )
    plain = of_command and settings.log_level != "DEBUG"
    own = logging.getLogger("perfcast")
    own.setLevel(settings.log_level)
    for_libraries = own.level if own.level == logging.DEBUG else max(logging.WARNING, own.level)
    if plain:
        own.setLevel(for_libraries)
    root = logging.getLogger()
    for handler in root.handlers:
        if isinstance(handler, RotatedFile):
            handler.close()
    root.handlers = _handlers(settings, about or {}, plain=plain, of_command=of_command)
    root.setLevel(logging.CRITICAL if plain else for_libraries)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, root.level))
    if not of_command:
        sys.excepthook = _log_uncaught
        threading.excepthook = _log_uncaught_in_thread


def _handlers(settings: Settings, about: Mapping[str, str], *, plain: bool, of_command: bool) -> list[logging.Handler]:
    redaction = Redaction(secrets_of(settings))
    terminal = sys.stderr.isatty()
    text = settings.log_format == "text" or (settings.log_format == "auto" and terminal)
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    handlers[0].setFormatter(formatter(redaction, about, text=text, colours=text and terminal, plain=plain))
    if settings.log_file is not None and not of_command:
        file = RotatedFile(
            settings.log_file,
            most_bytes=settings.log_file_bytes,
            hours=settings.log_file_hours,
            keep=settings.log_file_keep,
        )
        file.setFormatter(formatter(redaction, about, text=settings.log_format == "text"))
        handlers.append(file)
    return handlers


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """What nobody caught, as a line like any other: found by its level, without secrets."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
    else:
        log.error("the process ends: nobody caught an error", exc_info=error)


def _log_uncaught_in_thread(told: threading.ExceptHookArgs) -> None:
    if not issubclass(told.exc_type, SystemExit):
        thread = told.thread.name if told.thread is not None else ""
        log.error("a thread ended: nobody caught an error", thread=thread, exc_info=told.exc_value)
