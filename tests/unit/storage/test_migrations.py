"""The packaged migrations make exactly the tables that the code was written for."""

import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from perfcast.errors import Conflict, Unavailable
from perfcast.monitoring import read_records
from perfcast.storage import HEAD, Database, schema
from perfcast.storage._migration import SCRIPTS, configuration, newest

ARMS = [(1, "champion"), (1, "shadow"), (2, "challenger"), (3, "champion")]


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
    assert newest() == HEAD
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


def test_going_back_leaves_no_table_and_going_forward_again_works(database: Database) -> None:
    config = configuration()
    with database.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        assert set(sa.inspect(connection).get_table_names()) == {"alembic_version"}
    assert not database.is_current()
    database.migrate()
    assert database.is_current()


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


def test_records_of_predictions_move_into_blocks_and_back(database: Database) -> None:
    config = configuration()
    columns = "id, arm, model, version, features, cost, lower, upper, at"
    rows = [(f"{n:04x}", arm, "m", 1, "[1.0, 2.5]", n / 2, None, 3.0, "2026-03-01T00:00:00Z") for n, arm in ARMS]
    with database.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0006")
        marks = ", ".join(f":{name}" for name in columns.split(", "))
        insert = sa.text(f"INSERT INTO prediction ({columns}) VALUES ({marks})")
        connection.execute(insert, [dict(zip(columns.split(", "), row, strict=True)) for row in rows])
        command.upgrade(config, "0007")
        expected = {(n, arm, n / 2) for n, arm in ARMS}
        assert {(int(item.id, 16), item.arm, item.cost) for item in read_records(connection)} == expected
        command.downgrade(config, "0006")
        found = connection.execute(sa.text(f"SELECT {columns} FROM prediction ORDER BY id, arm")).all()
        assert sorted(map(tuple, found)) == sorted(rows)
        command.upgrade(config, "head")
    assert database.is_current()
