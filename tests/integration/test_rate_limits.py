"""Limits shared through a real Redis, also while it is gone."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from tests.contract.conftest import fill, start
from tests.patience import PATIENCE_SECONDS, until
from tests.services import RedisServer, redis_server

from perfcast.api.access._limits import Limits, Rate

ASK = {"request_rate": 1, "active_users": 1, "db_connections": 1, "timestamp": "2026-03-02T14:05:00Z"}


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path)
    return tmp_path


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[httpx2.Client]:
    process, address = start(folder, **environment)
    try:
        with httpx2.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
            yield client
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


def statuses(client: httpx2.Client, count: int, secret: str = "one") -> list[int]:
    return [client.post("/predict", json=ASK, headers={"X-API-Key": secret}).status_code for _ in range(count)]


def test_two_processes_share_a_limit_through_redis(folder: Path, redis: RedisServer) -> None:
    given = {"REDIS_URL": redis.url, "RATE_LIMIT": "10/hour", "API_KEY": "one:predict,two:predict"}
    with serving(folder, **given) as first, serving(folder, **given) as second:
        assert statuses(first, 6) == [200] * 6
        assert statuses(second, 6) == [200] * 4 + [429] * 2
        assert statuses(first, 1) == [429]
        refused = second.post("/predict", json=ASK, headers={"X-API-Key": "one"})
        assert 3580 <= int(refused.headers["retry-after"]) <= 3600
        assert statuses(second, 1, "two") == [200]


def test_without_redis_each_process_counts_for_itself_and_shares_again_when_it_is_back(
    folder: Path, redis: RedisServer
) -> None:
    given = {"REDIS_URL": redis.url, "RATE_LIMIT": "5/hour", "API_KEY": "one:predict"}
    with serving(folder, **given) as first, serving(folder, **given) as second:
        assert statuses(first, 5) == [200] * 5
        assert statuses(second, 1) == [429]
        redis.stop()
        for client in (first, second):
            assert statuses(client, 7) == [200] * 5 + [429] * 2
            health = client.get("/health").json()
            assert health["status"] == "degraded"
            assert "counts by itself" in health["problems"]["rate_limits"]
        redis.start()
        for client in (first, second):
            until(lambda client=client: client.get("/health").json()["status"] == "healthy")  # type: ignore[misc]
        assert statuses(first, 3) == [200] * 3
        assert statuses(second, 3) == [200] * 2 + [429]
    assert "one" not in str(health)


def test_a_redis_that_takes_connections_and_never_answers_holds_nobody_up() -> None:
    async def ask(url: str) -> tuple[list[object], float, str | None]:
        limits = Limits([Rate(3, 3600)], url)
        began = time.monotonic()
        answers = list(await asyncio.gather(*(limits.hit("caller") for _ in range(50))))
        taken = time.monotonic() - began
        problem = limits.problem
        await limits.close()
        return answers, taken, problem

    with socket.create_server(("127.0.0.1", 0)) as silent:
        answers, taken, problem = asyncio.run(ask(f"redis://127.0.0.1:{silent.getsockname()[1]}/0"))
    assert answers.count(None) == 3
    assert problem is not None
    assert taken < PATIENCE_SECONDS


def test_the_event_loop_runs_on_while_redis_is_waited_for() -> None:
    async def turns(url: str) -> int:
        limits = Limits([Rate(3, 3600)], url)
        hit, count = asyncio.create_task(limits.hit("caller")), 0
        while not hit.done():
            count += 1
            await asyncio.sleep(0.005)
        await limits.close()
        return count

    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert asyncio.run(turns(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")) > 5


def test_an_address_is_believed_only_from_a_trusted_proxy(folder: Path) -> None:
    def ask(client: httpx2.Client, forwarded: str) -> int:
        return client.get("/models", headers={"X-Forwarded-For": forwarded}).status_code

    with serving(folder, RATE_LIMIT="2/hour") as client:
        assert [ask(client, f"198.51.100.{number}") for number in range(3)] == [200, 200, 429]
    with serving(folder, RATE_LIMIT="2/hour", TRUSTED_PROXIES="127.0.0.0/8, 10.0.0.1") as client:
        assert [ask(client, "198.51.100.7") for _ in range(3)] == [200, 200, 429]
        assert ask(client, "198.51.100.8") == 200
        assert ask(client, "203.0.113.1, 198.51.100.7") == 429  # what the caller itself put in front isn't believed
        assert ask(client, "198.51.100.7, 10.0.0.1") == 429
