"""The shop's database: products and orders, behind a pool of connections that is watched."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import QueuePool

POOL_SIZE = 20
PRODUCTS, CATEGORIES = 2000, 40
WORDS = ("red", "blue", "small", "large", "steel", "wooden", "garden", "kitchen", "winter", "summer", "lamp", "chair")
_QUERY_SECONDS = 0.03
"""How long a query is on its way: SQLite stands for a server that a network lies before."""


class Store:
    """Products and orders.

    Args:
        url: Of the database, SQLite or PostgreSQL.
    """

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, poolclass=QueuePool, pool_size=POOL_SIZE, max_overflow=0, pool_timeout=5)
        self._busy_seconds = 0.0
        self._since: dict[int, float] = {}
        self._lock = threading.Lock()
        with self._engine.begin() as connection:
            _fill(connection)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of the pool and a transaction on it; how long it is held is counted."""
        with self._engine.begin() as connection:
            with self._lock:
                self._since[id(connection)] = time.monotonic()
            try:
                yield connection
            finally:
                with self._lock:
                    self._busy_seconds += time.monotonic() - self._since.pop(id(connection))

    @property
    def in_use(self) -> int:
        """Connections that are out of the pool just now."""
        return len(self._since)

    @property
    def busy_seconds(self) -> float:
        """Seconds that connections were out of the pool, summed over them: its rate is the mean number in use."""
        with self._lock:
            now = time.monotonic()
            return self._busy_seconds + sum(now - since for since in self._since.values())


def page(connection: Connection, category: int) -> list[dict[str, Any]]:
    """A page of a category."""
    return _rows(connection, "SELECT * FROM product WHERE category = :category LIMIT 24", category=category)


def product(connection: Connection, number: int) -> list[dict[str, Any]]:
    """One product with what else is bought."""
    return _rows(connection, "SELECT * FROM product WHERE id >= :id ORDER BY id LIMIT 6", id=number)


def search(connection: Connection, word: str) -> list[dict[str, Any]]:
    """The products whose name has the word."""
    return _rows(connection, "SELECT * FROM product WHERE name LIKE :word LIMIT 40", word=f"%{word}%")


def order(connection: Connection, visitor: str, signature: str) -> None:
    """Keep an order."""
    time.sleep(_QUERY_SECONDS)
    connection.execute(
        text("INSERT INTO purchase (visitor, signature) VALUES (:visitor, :signature)"),
        {"visitor": visitor, "signature": signature},
    )


def _rows(connection: Connection, statement: str, **values: object) -> list[dict[str, Any]]:
    time.sleep(_QUERY_SECONDS)
    return [dict(row) for row in connection.execute(text(statement), values).mappings()]


def _fill(connection: Connection) -> None:
    """Make the tables and the products, the same ones each time."""
    connection.execute(text("DROP TABLE IF EXISTS product"))
    connection.execute(text("CREATE TABLE product (id INTEGER PRIMARY KEY, category INTEGER, name TEXT, price REAL)"))
    connection.execute(text("CREATE INDEX product_category ON product (category)"))
    connection.execute(text("CREATE TABLE IF NOT EXISTS purchase (visitor TEXT, signature TEXT)"))
    insert = text("INSERT INTO product VALUES (:id, :category, :name, :price)")
    connection.execute(insert, _products())


def _products() -> Sequence[dict[str, object]]:
    chance = random.Random(1)
    return [
        {
            "id": number,
            "category": number % CATEGORIES,
            "name": " ".join(chance.sample(WORDS, 3)),
            "price": round(chance.uniform(1, 500), 2),
        }
        for number in range(PRODUCTS)
    ]
