"""Every test that asks for `shop` runs on files alone, on PostgreSQL alone, and on PostgreSQL with Redis."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa
from tests.services import empty
from tests.workers import IMPATIENT, Shop, small_dataset

from perfcast.settings import Settings, load_settings


@pytest.fixture(params=["files", "postgres", "servers"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "files":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path)
        return load_settings(data_dir=tmp_path, **IMPATIENT)
    asked = SERVERS if request.param == "servers" else {"database_url": SERVERS["database_url"]}
    servers = {name: str(request.getfixturevalue(fixture)) for name, fixture in asked.items()}
    return load_settings(data_dir=tmp_path, **servers, **IMPATIENT)


SERVERS = {"database_url": "migrated_postgres_url", "redis_url": "redis_url"}


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    shop = Shop(settings)
    empty(shop.database)
    if settings.redis_url:  # to receive until nothing comes would wait a second
        with redis.Redis.from_url(settings.redis_url) as queue:
            queue.flushdb()
    elif settings.database_url:
        shop.transport.ping()
        with shop.database.begin() as connection:
            connection.execute(sa.text("DELETE FROM huey_task"))
    shop.datasets.add(small_dataset(200))
    yield shop
    shop.close()
