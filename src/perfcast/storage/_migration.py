"""Running the packaged Alembic scripts; the only module that imports Alembic."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from perfcast.errors import Conflict

SCRIPTS = Path(__file__).with_name("migrations")
"""The folder of `env.py` and `versions/`."""


def configuration() -> Config:
    """Alembic's configuration, without a file."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(connection: sa.Connection, target: str, address: str) -> None:
    """Run what is missing up to a migration, inside a transaction that keeps other migrating processes out."""
    config = configuration()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, target)
    except CommandError as error:
        raise Conflict(
            f"the database {address} was set up by a newer Perfcast ({error}); upgrade Perfcast or use another database"
        ) from error
