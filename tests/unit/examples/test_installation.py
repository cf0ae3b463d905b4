"""What the shop's story asks of its own Perfcast."""

import shutil
from contextlib import closing
from importlib import import_module
from pathlib import Path

from perfcast.storage import Database


def test_where_nothing_was_told_nothing_is_waited_for(migrated_sqlite: Path, tmp_path: Path) -> None:
    here = import_module("installation").installation(tmp_path / "perfcast", 1_795_392_000)
    path = Path(shutil.copy(migrated_sqlite, tmp_path / "perfcast.db"))
    with closing(Database(f"sqlite:///{path}")) as database:
        here.settle(database)
    assert here.clock.read_text() == "1795392000.000"
