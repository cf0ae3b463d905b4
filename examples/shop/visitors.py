"""The shop's visitors: sessions that come with the shape of a day, ask, think and leave. `run.py` starts it."""

import argparse
import asyncio
import math
import random
import time

import httpx2
from day import level, route, think_seconds, unrest
from store import WORDS

TICK_SECONDS = 0.5
PAGES = 7
"""How many pages a visitor looks at on average."""


async def main() -> None:
    """Send visitors until ended."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("url")
    told.add_argument("--day-minutes", type=float, default=1440)
    told.add_argument("--opened", type=float, default=0.0, help="when the first day began, Unix time")
    told.add_argument("--per-second", type=float, default=3.2, help="visitors who come at the busiest moment")
    told.add_argument("--seed", type=int, default=1)
    chosen = told.parse_args()
    chance = random.Random(chosen.seed)
    day_seconds = 60 * chosen.day_minutes
    restless = unrest(chance, TICK_SECONDS, day_seconds)
    limits = httpx2.Limits(max_connections=200, max_keepalive_connections=100)
    async with httpx2.AsyncClient(base_url=chosen.url, limits=limits, timeout=30) as client:
        visits: set[asyncio.Task[None]] = set()
        number = 0
        while True:
            hour = 24 * ((time.time() - chosen.opened) / day_seconds % 1)
            expected = chosen.per_second * TICK_SECONDS * level(hour) * next(restless)
            for _ in range(_poisson(expected, chance)):
                number += 1
                visits.add(task := asyncio.create_task(_visit(client, f"visitor-{number}", hour, chance)))
                task.add_done_callback(visits.discard)
            await asyncio.sleep(TICK_SECONDS)


async def _visit(client: httpx2.AsyncClient, name: str, hour: float, chance: random.Random) -> None:
    """One visitor: about seven pages with thought between them; whoever gets no answer leaves."""
    headers = {"X-Visitor": name}
    await asyncio.sleep(chance.uniform(0, TICK_SECONDS))
    for _ in range(1 + int(chance.expovariate(1 / (PAGES - 0.5)))):
        method, path = _request(route(hour, chance), chance)
        try:
            (await client.request(method, path, headers=headers)).raise_for_status()
        except httpx2.HTTPError:
            return
        await asyncio.sleep(chance.expovariate(1 / think_seconds(hour)))


def _request(kind: str, chance: random.Random) -> tuple[str, str]:
    """Method and path."""
    number = chance.randrange(10_000)
    paths = {
        "browse": f"/browse?category={number}",
        "product": f"/product?number={number}",
        "search": f"/search?word={chance.choice(WORDS)}",
        "checkout": f"/checkout?number={number}",
    }
    return ("POST" if kind == "checkout" else "GET"), paths[kind]


def _poisson(mean: float, chance: random.Random) -> int:
    """How many come (Knuth's method: good for the small means of a tick)."""
    count, product, floor = 0, chance.random(), math.exp(-mean)
    while product > floor:
        count, product = count + 1, product * chance.random()
    return count


if __name__ == "__main__":
    asyncio.run(main())
