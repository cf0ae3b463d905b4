"""Migrations that old replicas live through say so by their names, and do nothing that breaks them."""

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from perfcast.storage import Database
from perfcast.storage._migration import configuration, upgrade
from perfcast.storage._schema import serves

BREAKING = re.compile(
    r"DROP (TABLE|COLUMN|CONSTRAINT|DEFAULT)|RENAME|ADD CONSTRAINT|SET NOT NULL|ALTER COLUMN \w+ TYPE|"
    r"ADD COLUMN (?!.*(DEFAULT|CHECK)).*NOT NULL",
    re.IGNORECASE,
)
"""What code that was written before would stumble over."""
CONTRACTING = ["0006", "0007", "0011"]
"""Of the migrations up to 0013, before which nobody ran side by side: those that would."""


def test_only_migrations_that_merely_add_say_that_older_code_is_served(new_postgres_url: Callable[[], str]) -> None:
    database, breaking = Database(new_postgres_url()), []
    migrations = [script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()][::-1]
    for migration in migrations:
        statements: list[str] = []
        with database.begin() as connection:

            def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
                statements.append(" ".join(statement.split()))  # noqa: B023 - called within this turn

            sa.event.listen(connection, "before_cursor_execute", note)
            upgrade(connection, migration, "here")
        if any(BREAKING.search(statement) for statement in statements):
            breaking.append(migration)
    assert [migration for migration in breaking if migration <= "0013"] == CONTRACTING
    assert [migration for migration in breaking if "_since_" in migration] == []
    database.close()


@pytest.mark.parametrize(
    ("migration", "head", "served"),
    [
        (None, "0013", False),
        ("0012", "0013", False),
        ("0013", "0013", True),
        ("0014", "0013", False),
        ("0014_since_0013", "0013", True),
        ("0015_since_0013", "0014_since_0013", True),
        ("0016_since_0015", "0014_since_0013", False),
        ("0014_since_0013", "0015", False),
        ("0016_since_0015", "0015", True),
    ],
)
def test_a_newer_schema_serves_code_that_is_not_older_than_its_name_says(
    monkeypatch: pytest.MonkeyPatch,
    migration: str | None,
    head: str,
    served: bool,  # noqa: FBT001 - a parameter
) -> None:
    monkeypatch.setattr("perfcast.storage._schema.HEAD", head)
    assert serves(migration) is served
