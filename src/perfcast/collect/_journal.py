"""The collector's journal: a file of SQLite with a row for each instant that was asked for, so that nothing is doubled.

It is what a collection goes on from, and can be lost: rows that reached a dataset come back from it, later ones from
Prometheus. Rows are kept by their time, so whoever asks twice changes nothing.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from perfcast.collect._rows import Taken
from perfcast.collect._span import Instants, Span
from perfcast.errors import Unavailable

_WAIT_SECONDS = 20.0
_TABLES = """
CREATE TABLE IF NOT EXISTS row (
    at INTEGER PRIMARY KEY, features BLOB NOT NULL, cost REAL NOT NULL, sent INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS waiting ON row (at) WHERE sent = 0;
CREATE TABLE IF NOT EXISTS gap (at INTEGER PRIMARY KEY, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value NOT NULL);
"""


class Journal:
    """Rows, gaps and facts of one collection. Several processes may use it at once.

    Args:
        path: The file; made where there is none, its folder too.
        width: Features of a row.

    Raises:
        Unavailable: The file can't be used.
    """

    def __init__(self, path: Path, width: int) -> None:
        self.path, self._width = path, width
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)
            self._file.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _TABLES)
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"the journal {path} can't be used ({error}); move it away to begin a new one") from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def add(self, taken: Taken, *, send: bool) -> int:
        """Keep rows and gaps, and give how many rows are new; a row that is there stays, a gap gives way to a row."""
        rows = zip(taken.at.tolist(), taken.features, taken.cost.tolist(), strict=True)
        values = [(at, row.tobytes(), cost, not send) for at, row, cost in rows]
        with self._transaction():
            before = self._file.total_changes
            self._file.executemany("INSERT OR IGNORE INTO row VALUES (?, ?, ?, ?)", values)
            fresh = self._file.total_changes - before
            self._file.executemany("DELETE FROM gap WHERE at = ?", [(at,) for at in taken.at.tolist()])
            self._file.executemany(
                "INSERT OR REPLACE INTO gap SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM row WHERE at = ?1)",
                taken.left_out.items(),
            )
        return fresh

    def asked(self, span: Span, *, gaps: bool = True) -> Instants:
        """The instants of a span that have a row, or that are known to have none."""
        both = "SELECT at FROM row UNION ALL SELECT at FROM gap" if gaps else "SELECT at FROM row"
        query = f"SELECT at FROM ({both}) WHERE at BETWEEN ? AND ? ORDER BY at"  # noqa: S608
        return np.array([row[0] for row in self._ask(query, (span.first, span.last))], dtype=np.int64)

    def newest(self) -> Taken:
        """The newest row, or none."""
        return self._rows("ORDER BY at DESC LIMIT 1")

    def last_asked(self) -> int | None:
        """The newest instant that was asked for, seconds since 1970."""
        query = "SELECT max(at) FROM (SELECT max(at) AS at FROM row UNION ALL SELECT max(at) FROM gap)"
        found: int | None = self._ask(query)[0][0]
        return found

    def rows(self) -> Taken:
        """Every row, oldest first."""
        return self._rows("ORDER BY at")

    def waiting(self, most: int) -> Taken:
        """The oldest rows that are still to be sent, at most so many."""
        return self._rows("WHERE sent = 0 ORDER BY at LIMIT ?", (most,))

    def __len__(self) -> int:
        return int(self._ask("SELECT count(*) FROM row")[0][0])

    def count_waiting(self) -> int:
        """How many rows are still to be sent."""
        return int(self._ask("SELECT count(*) FROM row WHERE sent = 0")[0][0])

    def sent(self, at: Iterable[int]) -> None:
        """These rows need not be sent any more."""
        with self._transaction():
            self._file.executemany("UPDATE row SET sent = 1 WHERE at = ?", [(moment,) for moment in at])

    def give_up(self, most: int) -> None:
        """Leave the oldest waiting rows unsent where there are more than so many."""
        newest = "SELECT at FROM row WHERE sent = 0 ORDER BY at DESC LIMIT 1 OFFSET ?"
        with self._transaction():
            self._file.execute(f"UPDATE row SET sent = 1 WHERE sent = 0 AND at <= ({newest})", (most,))  # noqa: S608

    def gaps(self, span: Span) -> Counter[str]:
        """How many instants of a span have no row, by reason."""
        query = "SELECT reason, count(*) FROM gap WHERE at BETWEEN ? AND ? GROUP BY reason"
        return Counter(dict(self._ask(query, (span.first, span.last))))

    def forget(self, keep: int) -> None:
        """Keep so many of the newest rows, and no gap that is older."""
        newest = "SELECT at FROM row ORDER BY at DESC LIMIT 1 OFFSET ?"
        with self._transaction():
            for table in ("gap", "row"):
                self._file.execute(f"DELETE FROM {table} WHERE at <= ({newest})", (keep,))  # noqa: S608

    def clear(self) -> None:
        """Forget everything."""
        with self._transaction():
            for table in ("row", "gap", "fact"):
                self._file.execute(f"DELETE FROM {table}")  # noqa: S608

    def fact(self, name: str) -> str | None:
        """What was last noted under a name."""
        found = self._ask("SELECT value FROM fact WHERE name = ?", (name,))
        return str(found[0][0]) if found else None

    def note(self, name: str, value: str | int) -> None:
        """Note something under a name, in place of what was there."""
        with self._transaction():
            self._file.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def _rows(self, how: str, given: tuple[int, ...] = ()) -> Taken:
        found = self._ask(f"SELECT at, features, cost FROM row {how}", given)  # noqa: S608
        features = np.frombuffer(b"".join(row[1] for row in found), np.float32).reshape(-1, self._width)
        at = np.array([row[0] for row in found], dtype=np.int64)
        return Taken(at, features, np.array([row[2] for row in found], dtype=np.float32))

    def _ask(self, query: str, given: tuple[int | str, ...] = ()) -> list[Any]:
        try:
            return self._file.execute(query, given).fetchall()
        except sqlite3.Error as error:
            raise Unavailable(f"the journal {self.path} can't be read ({error})") from None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing; a full disk is said in words."""
        try:
            with self._file:  # which commits or rolls back
                self._file.execute("BEGIN IMMEDIATE")
                yield
        except sqlite3.Error as error:
            raise Unavailable(f"the journal {self.path} can't be written ({error})") from None
