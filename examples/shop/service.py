"""The shop: a small web service that has real work to do. `run.py` starts it.

Its settings are environment variables: `SHOP_DATABASE_URL`, `SHOP_CORES` (the processor time allotted to it), `DEMAND`
(1.3: each request's work takes 30 % more), `SHOP_DAY_MINUTES` and `SHOP_OPENED` (how long its day is, and when the
first one began, in seconds of Unix time).
"""

import hashlib
import json
import os
import random
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import FastAPI, Header, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel
from quota import Quota
from store import CATEGORIES, POOL_SIZE, PRODUCTS, Store, order, page, product, search

SESSION_SECONDS = 30
"""A visitor who was not seen for so long has left."""
UNITS = {"browse": 95, "product": 45, "search": 180, "checkout": 540}
"""How often a request's answer is serialised and hashed."""
PAYMENT_SECONDS = (0.3, 0.9)
"""How long the payment provider takes; the order's transaction is open meanwhile."""

Visitor = Annotated[str, Header(alias="X-Visitor")]


class Deploy(BaseModel):
    """A new version: the work of each request is multiplied by `demand`."""

    demand: float


@dataclass(eq=False)
class Shop(Collector):
    """What the service holds, and what of it is looked at."""

    store: Store
    quota: Quota
    day_seconds: float
    opened: float
    demand: float = 1.0
    deploys: int = 0
    seen: dict[str, float] = field(default_factory=dict)

    def work(self, route: str, rows: list[dict[str, Any]]) -> str:
        """Serialise and hash the answer, as often as the route's units and the demand say."""
        self.quota.wait()
        digest = b""
        for _ in range(round(UNITS[route] * self.demand)):
            digest = hashlib.sha256(json.dumps((rows * 30)[:30]).encode() + digest).digest()
        return digest.hex()

    def active_users(self) -> int:
        """Visitors seen within the last half minute."""
        now = time.monotonic()
        self.seen = {name: at for name, at in list(self.seen.items()) if now - at < SESSION_SECONDS}
        return len(self.seen)

    def hour(self) -> float:
        """The hour of the shop's own day, 0 to 24."""
        return 24 * ((time.time() - self.opened) / self.day_seconds % 1)

    def collect(self) -> Iterator[Metric]:
        """What is looked at when Prometheus asks."""
        gauges = {
            "shop_active_users": ("Visitors seen within 30 s", self.active_users()),
            "shop_db_connections_in_use": ("Connections out of the pool", self.store.in_use),
            "shop_db_connections_max": ("Connections of the pool", POOL_SIZE),
            "shop_cpu_capacity_cores": ("Processor time allotted", self.quota.cores),
            "shop_demand": ("What each request's work is multiplied by", self.demand),
            "shop_clock_hours": ("The hour of the shop's day", self.hour()),
            "host_load1": ("Load average of the machine", os.getloadavg()[0]),
        }
        for name, (meaning, value) in gauges.items():
            yield GaugeMetricFamily(name, meaning, value=value)
        counters = {
            "shop_db_connection_seconds": ("Seconds that connections were in use", self.store.busy_seconds),
            "shop_throttled_seconds": ("Seconds that requests waited for processor time", self.quota.waited_seconds),
            "shop_deploys": ("Versions brought in since the start", self.deploys),
        }
        for name, (meaning, value) in counters.items():
            yield CounterMetricFamily(name, meaning, value=value)


def create_app() -> FastAPI:
    """The service as its environment describes it."""
    shop = Shop(
        store=Store(os.environ.get("SHOP_DATABASE_URL", "sqlite:///shop.db")),
        quota=Quota(float(os.environ.get("SHOP_CORES", "0.3"))),
        day_seconds=60 * float(os.environ.get("SHOP_DAY_MINUTES", "1440")),
        opened=float(os.environ.get("SHOP_OPENED", "0")),
        demand=float(os.environ.get("DEMAND", "1")),
    )
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(shop)
    requests = Counter("http_requests_total", "Requests answered", ["route"], registry=registry)
    seconds = Histogram("http_request_duration_seconds", "How long requests took", ["route"], registry=registry)
    for route in UNITS:  # so that each series begins at 0
        requests.labels(route)
        seconds.labels(route)
    app = FastAPI(title="Shop", docs_url=None, redoc_url=None)

    def answer(route: str, visitor: str, rows: list[dict[str, Any]], begun: float, signature: str) -> dict[str, Any]:
        shop.seen[visitor] = time.monotonic()
        requests.labels(route).inc()
        seconds.labels(route).observe(time.monotonic() - begun)
        return {"rows": rows, "signature": signature}

    def read(route: str, visitor: str, query: Any, *values: object) -> dict[str, Any]:
        begun = time.monotonic()
        with shop.store.connection() as connection:
            rows = query(connection, *values)
            signature = shop.work(route, rows)
        return answer(route, visitor, rows, begun, signature)

    @app.get("/browse")
    def browse(visitor: Visitor, category: int = 0) -> dict[str, Any]:
        return read("browse", visitor, page, category % CATEGORIES)

    @app.get("/product")
    def look(visitor: Visitor, number: int = 0) -> dict[str, Any]:
        return read("product", visitor, product, number % (PRODUCTS - 6))

    @app.get("/search")
    def find(visitor: Visitor, word: str) -> dict[str, Any]:
        return read("search", visitor, search, word)

    @app.post("/checkout")
    def checkout(visitor: Visitor, number: int = 0) -> dict[str, Any]:
        begun = time.monotonic()
        with shop.store.connection() as connection:
            rows = product(connection, number % (PRODUCTS - 6))
            signature = shop.work("checkout", rows)
            receipt = zlib.compress(json.dumps(rows * 50).encode(), 6)
            time.sleep(random.uniform(*PAYMENT_SECONDS))
            order(connection, visitor, f"{signature}:{len(receipt)}")
        return answer("checkout", visitor, rows, begun, signature)

    @app.post("/deploy")
    async def deploy(new: Deploy) -> dict[str, float]:
        shop.demand, shop.deploys = new.demand, shop.deploys + 1
        return {"demand": shop.demand}

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")

    return app
