"""Installations on files alone, and on PostgreSQL with Redis."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.workers import IMPATIENT, Shop, small_dataset

from perfcast.settings import load_settings


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Files alone."""
    shop = Shop(load_settings(data_dir=tmp_path, **IMPATIENT))
    shop.datasets.add(small_dataset())
    yield shop
    shop.close()


@pytest.fixture(params=["files", "servers"])
def either_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """One of each pair."""
    given: dict[str, str] = {}
    if request.param == "servers":
        new: Callable[[], str] = request.getfixturevalue("new_postgres_url")
        given = {"database_url": new(), "redis_url": str(request.getfixturevalue("redis_url"))}
    shop = Shop(load_settings(data_dir=tmp_path, **given, **IMPATIENT))
    shop.datasets.add(small_dataset())
    yield shop
    shop.close()
