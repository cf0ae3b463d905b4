"""Fixtures that every test may use."""

import logging
import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

pytest_plugins = ["tests.services", "tests.metric_servers", "tests.object_store"]

settings.register_profile("perfcast", deadline=None)  # how long an example takes is the machine's affair
settings.load_profile("perfcast")


@pytest.fixture(autouse=True)
def _logs_as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands and servers set how their process logs, which here is that of all tests."""
    monkeypatch.setenv("PYTHONWARNINGS", os.environ.get("PYTHONWARNINGS", ""))
    loggers = [logging.getLogger(name) for name in (None, "perfcast", "perfcast.discovery", "uvicorn.error")]
    before = [(logger, logger.level, logger.handlers) for logger in loggers]
    yield
    structlog.reset_defaults()
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers = handlers
