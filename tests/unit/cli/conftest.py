import logging
import os
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logs_as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands set levels, handlers and PYTHONWARNINGS for their process, which here is that of all tests."""
    monkeypatch.setenv("PYTHONWARNINGS", os.environ.get("PYTHONWARNINGS", ""))
    loggers = [logging.getLogger(name) for name in (None, "perfcast", "perfcast.discovery", "uvicorn.error")]
    configured = structlog.get_config()
    before = [(logger, logger.level, logger.handlers) for logger in loggers]
    yield
    structlog.configure(**configured)
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers = handlers
