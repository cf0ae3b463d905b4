"""Where state and bytes are kept (rule R5).

`Database` is one SQL database, SQLite or PostgreSQL, with its transactions and its migrations (`migrations/`, packaged
with the code); `schema` are its tables, which each room above queries for itself. `Blobs` keeps bytes under their own
sha256 in a folder or in any store that fsspec reaches.
"""

from perfcast.storage import _schema as schema
from perfcast.storage._alone import alone
from perfcast.storage._blobs import Blobs, sha256
from perfcast.storage._clock import later, now, patiently, time_text
from perfcast.storage._database import Database
from perfcast.storage._engine import CONNECT_SECONDS, libpq_address, shown_address
from perfcast.storage._held import held_tables, hold_rows
from perfcast.storage._statements import (
    in_parts,
    insert_all_new,
    insert_new,
    insert_or_add,
    insert_or_replace,
    take_turns,
)

__all__ = [
    "CONNECT_SECONDS",
    "Blobs",
    "Database",
    "alone",
    "held_tables",
    "hold_rows",
    "in_parts",
    "insert_all_new",
    "insert_new",
    "insert_or_add",
    "insert_or_replace",
    "later",
    "libpq_address",
    "now",
    "patiently",
    "schema",
    "sha256",
    "shown_address",
    "take_turns",
    "time_text",
]
