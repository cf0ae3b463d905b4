"""The packaged migrations make exactly the tables that the code was written for."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from perfcast.errors import Conflict, Unavailable
from perfcast.monitoring import read_records
from perfcast.storage import Database, schema
from perfcast.storage._migration import SCRIPTS, configuration, upgrade

ARMS = [(1, "champion"), (1, "shadow"), (2, "challenger"), (3, "champion")]


@pytest.fixture(params=["new", "old"])
def database(url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """One that was made just now, or one that began with the first tables."""
    database = Database(url)
    if request.param == "old":
        with database.begin() as connection:
            upgrade(connection, "0001", url)
    database.migrate()
    yield database
    database.close()


def test_the_migrated_tables_equal_the_metadata(database: Database) -> None:
    with database.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, schema.metadata) == []


def test_constraints_have_the_names_of_the_metadata(database: Database, url: str) -> None:
    with database.begin() as connection:
        inspector = sa.inspect(connection)
        for table in schema.metadata.tables.values():
            wanted = {key.name for key in table.foreign_key_constraints}
            assert {key["name"] for key in inspector.get_foreign_keys(table.name)} == wanted
            checks = {key.name for key in table.constraints if isinstance(key, sa.CheckConstraint)}
            assert {key["name"] for key in inspector.get_check_constraints(table.name)} == checks
            if url.startswith("postgresql"):
                assert inspector.get_pk_constraint(table.name)["name"] == table.primary_key.name


def test_the_head_constant_is_the_last_packaged_migration() -> None:
    assert ScriptDirectory.from_config(configuration()).get_current_head() == schema.HEAD
    assert (SCRIPTS / "script.py.mako").is_file()


def test_a_new_database_is_not_current_and_a_migrated_one_is(url: str) -> None:
    database = Database(url)
    assert not database.is_current()
    database.migrate()
    assert database.is_current()
    database.migrate()
    with database.read() as connection:
        assert connection.execute(sa.select(schema.revision.c.id, schema.revision.c.value)).all() == [(1, 0)]
    database.close()


def test_four_processes_may_migrate_at_once(url: str) -> None:
    code = f"from perfcast.storage import Database; Database({url!r}).migrate()"
    processes = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(4)]
    errors = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, errors
    database = Database(url)
    assert database.is_current()
    database.close()


def test_a_failed_migration_leaves_nothing_behind(url: str) -> None:
    database = Database(url)
    with database.begin() as connection:
        connection.execute(sa.text("CREATE TABLE revision (id INTEGER)"))
    with pytest.raises((sa.exc.DBAPIError, Unavailable)):
        database.migrate()
    with database.read() as connection:
        assert sa.inspect(connection).get_table_names() == ["revision"]
    database.close()


def test_a_database_of_a_newer_perfcast_is_left_alone(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Conflict, match="newer Perfcast"):
        database.migrate()
    assert not database.is_current()


def test_records_of_predictions_move_into_arms_and_then_into_blocks(url: str) -> None:
    database, config = Database(url), configuration()
    told = {"model": "m", "version": 1, "features": "[1.0, 2.5]", "lower": None, "upper": 3.0}

    def insert(connection: sa.Connection, **values: object) -> None:
        names, at = [*told, *values, "at"], "2026-03-01T00:00:00Z"
        marks = ", ".join(f":{name}" for name in names)
        statement = sa.text(f"INSERT INTO prediction ({', '.join(names)}) VALUES ({marks})")
        connection.execute(statement, told | values | {"at": at})

    with database.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        insert(connection, id="0000", cost=7.5)
        command.upgrade(config, "0006")
        for number, arm in ARMS:
            insert(connection, id=f"{number:04x}", arm=arm, cost=number / 2)
        command.upgrade(config, "head")
        expected = {(0, "champion", 7.5)} | {(number, arm, number / 2) for number, arm in ARMS}
        found = list(read_records(connection))
    assert {(int(item.id, 16), item.arm, item.cost) for item in found} == expected
    assert {(item.model, item.version, tuple(item.row), item.lower, item.upper, item.at) for item in found} == {
        ("m", 1, (1.0, 2.5), None, 3.0, "2026-03-01T00:00:00Z")
    }
    assert database.is_current()
    database.close()
