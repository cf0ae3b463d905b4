"""One SQL database: its transactions, its migrations, its errors."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import sqlalchemy as sa

from perfcast.errors import Conflict, FieldError, InvalidInput, PerfcastError, Unavailable
from perfcast.storage._engine import make_engine, parse_url, shown_address
from perfcast.storage._held import go_on_counting, held_tables
from perfcast.storage._schema import HEAD, revision, serves, set_up
from perfcast.storage._statements import take_turns

_NO_TABLE = "42P01"  # PostgreSQL's undefined_table


class Database:
    """SQLite (one file) or PostgreSQL, used through SQLAlchemy Core.

    Safe to share between threads; each process makes its own, and a forked child must not use its parent's.

    Attributes:
        address: Where it is, without password, for logs and messages.
        file: SQLite's; None of PostgreSQL.
    """

    def __init__(self, url: str, *, pool_size: int = 5) -> None:
        """Set it up; nothing connects before it is used.

        Args:
            url: `sqlite:///…` or `postgresql://…`; the folder of an SQLite file is made.
            pool_size: Most connections this process holds at a time.

        Raises:
            InvalidSetting: It is no such address.
            Unavailable: The folder can't be made.
        """
        parsed = parse_url(url)
        self.address = shown_address(url)
        self.file = parsed.database if parsed.get_backend_name() == "sqlite" else None
        self._engine = make_engine(parsed, pool_size)
        self._reader = (
            self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            if parsed.get_backend_name() == "postgresql"
            else self._engine.execution_options(sqlite_begin="BEGIN")
        )

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction that may write: all of it on leaving, nothing of it on an error.

        On SQLite writers queue here; on PostgreSQL lock the rows that a decision rests on.

        Raises:
            Unavailable: The database can't be reached, or another writer holds it for too long.
        """
        with self._explained(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One transaction for reading: every query sees the same state, and none waits for a writer.

        Raises:
            Unavailable: The database can't be reached.
        """
        with self._explained(), self._reader.begin() as connection:
            yield connection

    def ping(self) -> None:
        """Ask for one number; raises `Unavailable`."""
        with self.read() as connection:
            connection.execute(sa.select(1))

    def is_current(self) -> bool:
        """Whether the tables are those this code was written for, or newer ones that serve it as well."""
        with self.read() as connection:
            return serves(_revision(connection))

    def migration(self) -> str | None:
        """The last migration that was run on it; None where there are no tables."""
        with self.read() as connection:
            return _revision(connection)

    def migrate(self) -> None:
        """Make the tables, or bring them up to date, in one transaction; of several processes one does it.

        Raises:
            Conflict: The database belongs to a newer Perfcast.
            Unavailable: It can't be reached.
        """
        if self.is_current():
            return
        with self.begin() as connection:
            take_turns(connection, "migrate")
            present = _revision(connection)
            if present is None:
                set_up(connection)
            elif not serves(present):
                self._upgrade(connection, HEAD)

    @contextmanager
    def remade(self, migration: str) -> Iterator[sa.Connection]:
        """One transaction in which all tables are made anew, empty, as a migration left them, and at its end migrated.

        What is put into them between becomes what the database holds; on an error it is as it was.

        Raises:
            Conflict: The database belongs to a newer Perfcast.
            Unavailable: It can't be reached.
        """
        with self.begin() as connection:
            take_turns(connection, "migrate")
            self._clear(connection)
            if migration == HEAD:
                set_up(connection)
            else:
                self._upgrade(connection, migration)
            connection.execute(sa.delete(revision))
            yield connection
            go_on_counting(connection)
            if migration != HEAD:
                self._upgrade(connection, HEAD)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _clear(self, connection: sa.Connection) -> None:
        present = _revision(connection)
        if present is None:
            return
        if present > HEAD:
            raise Conflict(f"the database {self.address} was set up by a newer Perfcast; upgrade Perfcast")
        held_tables(connection).drop_all(connection, checkfirst=False)
        connection.execute(sa.text("DROP TABLE alembic_version"))

    def _upgrade(self, connection: sa.Connection, target: str) -> None:
        from perfcast.storage._migration import upgrade

        upgrade(connection, target, self.address)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            if (explained := _explain(error, self.address)) is None:
                raise
            raise explained from error


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _explain(error: sa.exc.DBAPIError | sa.exc.TimeoutError, address: str) -> PerfcastError | None:
    """What an error of the driver means to the operator; None where it is a mistake in our own statement."""
    if isinstance(error, sa.exc.TimeoutError):
        return Unavailable(f"every connection to {address} is busy; raise DATABASE_POOL_SIZE or try again later")
    if isinstance(error, sa.exc.DataError) and (names := _with_null_character(error.params)):
        return InvalidInput([FieldError(name, "must not hold a null character") for name in names])
    reason = " ".join(str(error.orig).split())
    if "no such table" in reason or getattr(error.orig, "sqlstate", None) == _NO_TABLE:
        return Unavailable(f"the database {address} has not been set up; start with `perfcast up`, which migrates it")
    if "database is locked" in reason:
        return Unavailable(f"another writer keeps the database {address} busy; try again later")
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) or type(error) is sa.exc.DatabaseError:
        return Unavailable(
            f"the database {address} can't be used: {reason}; check that it runs and that DATABASE_URL is right"
        )
    return None


def _with_null_character(parameters: object) -> list[str]:
    """The columns that a statement gives a text which PostgreSQL can't keep."""
    given = parameters if isinstance(parameters, Mapping) else {}
    found = [name for name, value in given.items() if isinstance(value, str) and "\0" in value]
    return [re.sub(r"_\d+$", "", name) for name in found]
