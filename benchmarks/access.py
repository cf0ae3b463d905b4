"""What the gate costs a request, in this process: microseconds for the check alone, no network.

.venv/bin/python benchmarks/access.py
.venv/bin/python benchmarks/access.py --redis redis://127.0.0.1:6379/15
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

from perfcast.api.access import Gate, make_gate
from perfcast.settings import load_settings

ROUNDS, CALLS = 7, 20_000
HEADERS = [
    (b"host", b"perfcast"),
    (b"accept", b"*/*"),
    (b"user-agent", b"curl/8"),
    (b"content-type", b"application/json"),
    (b"content-length", b"120"),
    (b"x-api-key", b"0123456789abcdef0123456789abcdef"),
]
CLIENT = ("192.0.2.7", 40_000)


def gate(**given: Any) -> Gate:
    """A gate with these settings."""
    made = make_gate(load_settings(**given))
    assert made is not None
    return made


def microseconds(call: Callable[[], Any], calls: int = CALLS) -> float:
    """Median of the rounds' mean time of a call."""
    means = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(calls):
            call()
        means.append((time.perf_counter() - began) / calls * 1e6)
    return statistics.median(means)


def at_once(asked: Gate) -> float:
    """The short way of `POST /predict`: let through, then counted."""

    def call() -> None:
        caller = asked.passes(HEADERS, CLIENT)
        assert caller
        asked.count(caller)

    return microseconds(call)


def admitted(asked: Gate, method: str, path: str) -> float:
    """The usual way, without suspension."""
    scope = {"type": "http", "method": method, "path": path, "headers": HEADERS, "client": CLIENT}

    def call() -> None:
        try:
            asked.admit(scope).send(None)
        except StopIteration as done:
            if done.value is not None:
                raise RuntimeError(done.value.detail) from None

    return microseconds(call)


async def shared(asked: Gate, calls: int = 500) -> float:
    """The usual way with Redis, one request after another."""
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": HEADERS, "client": CLIENT}
    assert await asked.admit(scope) is None
    began = time.perf_counter()
    for _ in range(calls):
        assert await asked.admit(scope) is None
    taken = (time.perf_counter() - began) / calls * 1e6
    assert not asked.problems
    await asked.close()
    return taken


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--redis", default="", help="Redis for the shared limit; left out without.")
    redis = parser.parse_args().redis
    key = "0123456789abcdef0123456789abcdef"
    ten = ",".join([f"{number}{key[1:]}x:read" for number in range(9)] + [key])
    rate = "1000000/minute"
    print("| | µs a request |\n|---|---|")
    print(f"| one key | {at_once(gate(api_key=key)):.1f} |")
    print(f"| ten keys | {at_once(gate(api_key=ten)):.1f} |")
    print(f"| a limit, in memory, by address | {at_once(gate(rate_limit=rate)):.1f} |")
    print(f"| one key and a limit, in memory | {at_once(gate(api_key=key, rate_limit=rate)):.1f} |")
    print(
        f"| the same, where FastAPI answers: `GET /models/m` | "
        f"{admitted(gate(api_key=key, rate_limit=rate), 'GET', '/models/m'):.1f} |"
    )
    if redis:
        taken = asyncio.run(shared(gate(api_key=key, rate_limit=rate, redis_url=redis)))
        print(f"| one key and a limit, in Redis on this machine | {taken:.0f} |")


if __name__ == "__main__":
    main()
