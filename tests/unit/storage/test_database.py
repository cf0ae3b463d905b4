"""Transactions, and what is said when there is no database."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.services import free_port

from perfcast.errors import InvalidInput, InvalidSetting, Unavailable
from perfcast.storage import Database, insert_new, schema

REVISION = schema.revision.c.value


def value(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(sa.select(REVISION)).scalar_one())


def test_an_error_undoes_the_whole_transaction(database: Database) -> None:
    def fail_halfway() -> None:
        with database.begin() as connection:
            connection.execute(sa.update(schema.revision).values(value=7))
            connection.execute(sa.text("CREATE TABLE halfway (id INTEGER)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert value(database) == 0
    with database.read() as connection:
        assert not sa.inspect(connection).has_table("halfway")


def test_a_reader_sees_one_state_throughout_and_waits_for_no_writer(database: Database) -> None:
    with database.read() as reading:
        assert reading.execute(sa.select(REVISION)).scalar_one() == 0
        with database.begin() as writing:
            writing.execute(sa.update(schema.revision).values(value=1))
        assert reading.execute(sa.select(REVISION)).scalar_one() == 0
    assert value(database) == 1


def test_threads_that_read_and_then_write_lose_no_update(database: Database) -> None:
    def count_up() -> None:
        for _ in range(10):
            with database.begin() as connection:
                now = connection.execute(sa.select(REVISION).with_for_update()).scalar_one()
                connection.execute(sa.update(schema.revision).values(value=now + 1))

    threads = [threading.Thread(target=count_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert value(database) == 80


def test_references_to_rows_that_are_not_there_are_refused(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.begin() as connection:
        connection.execute(sa.insert(schema.default_model).values(workload="w", model="none"))


def test_insert_new_adds_a_row_once(database: Database) -> None:
    row = {"name": "m", "workload": "w", "dataset": "", "newest": 0, "created_at": ""}
    with database.begin() as connection:
        assert insert_new(connection, schema.model, row)
        assert not insert_new(connection, schema.model, row | {"workload": "other"})
        assert connection.execute(sa.select(schema.model.c.workload)).scalars().all() == ["w"]


def test_ping_answers(database: Database) -> None:
    database.ping()


def test_a_database_that_was_not_set_up_is_named_with_what_to_do(url: str) -> None:
    database = Database(url)
    with pytest.raises(Unavailable, match="has not been set up; start with `perfcast up`"):
        value(database)
    database.close()


def test_the_password_is_hidden_in_the_address_and_in_errors() -> None:
    database = Database(f"postgresql://me:hush@127.0.0.1:{free_port()}/state?password=hush&connect_timeout=2")
    assert "hush" not in database.address
    with pytest.raises(Unavailable, match=r"me:\*\*\*@127\.0\.0\.1.*check that it runs") as caught:
        database.ping()
    assert "hush" not in str(caught.value)


def test_a_wrong_password_is_not_repeated(postgres_url: str) -> None:
    database = Database(postgres_url.replace("perfcast:secret", "nobody:hush"))
    with pytest.raises(Unavailable, match="nobody") as caught:
        database.ping()
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong", ["", "sqlite://", "sqlite:///:memory:", "mysql://me:hush@host/db", "me:hush@host", "postgresql://h:x/d"]
)
def test_an_address_that_can_not_be_used_is_refused_without_showing_it(wrong: str) -> None:
    with pytest.raises(InvalidSetting, match="DATABASE_URL") as caught:
        Database(wrong)
    assert "hush" not in str(caught.value)


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="can't be made"):
        Database(f"sqlite:///{tmp_path / 'file' / 'sub' / 'perfcast.db'}")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "perfcast.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(Unavailable, match="can't be used: file is not a database"):
        Database(f"sqlite:///{tmp_path / 'perfcast.db'}").is_current()


def test_more_threads_than_connections_wait_for_their_turn(url: str) -> None:
    database = Database(url, pool_size=1)
    threads = [threading.Thread(target=database.ping) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    database.ping()
    database.close()


def test_importing_the_room_and_opening_a_database_imports_no_alembic_and_no_remote_store(tmp_path: Path) -> None:
    code = f"""
import sys
from perfcast.storage import Blobs, Database
assert "fsspec" not in sys.modules
Database("sqlite:///{tmp_path}/perfcast.db").is_current()
Blobs("{tmp_path}/blobs").exists("0" * 64)
heavy = {{"alembic", "mako", "numpy", "psycopg", "aiohttp", "s3fs", "pydantic"}} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_text_that_postgresql_cannot_keep_is_refused_by_its_column(new_postgres_url: Callable[[], str]) -> None:
    database = Database(new_postgres_url())
    database.migrate()
    for refused in (
        sa.select(schema.job.c.id).where(schema.job.c.id == "a\0b"),
        sa.update(schema.job).values(id="a\0b"),
    ):
        with pytest.raises(InvalidInput, match="id: must not hold a null character"), database.begin() as connection:
            connection.execute(refused)
    with pytest.raises(sa.exc.DataError), database.begin() as connection:  # any other is a mistake of ours
        connection.execute(sa.select(sa.cast("ten", sa.Integer)))
    database.close()
