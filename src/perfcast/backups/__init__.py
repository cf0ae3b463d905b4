"""All state in one file, and back: the database, the graphs and the datasets.

`back_up` copies a running installation, `verify` reads a file whole and says what is in it, `restore` puts it into an
empty place, which may be of the other kind: SQLite or PostgreSQL, a folder or a store of objects. A file is a plain
`tar.gz`, encrypted on request (`_encryption`).
"""

from perfcast.backups._backup import back_up
from perfcast.backups._encryption import read_passphrase
from perfcast.backups._inventory import Inventory
from perfcast.backups._progress import OnProgress
from perfcast.backups._restore import restore, verify

__all__ = ["Inventory", "OnProgress", "back_up", "read_passphrase", "restore", "verify"]
