"""What was backed up is there again, wherever it is restored."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.drafts import draft, weighted
from tests.unit.backups.conftest import MODEL, Place

from perfcast.backups import back_up, restore, verify
from perfcast.errors import BrokenVersion, Conflict, InvalidSetting, Unavailable
from perfcast.monitoring import read_records
from perfcast.storage import Blobs, held_tables, schema
from perfcast.storage._migration import upgrade
from perfcast.workloads import builtin_workloads


def test_a_backup_goes_from_sqlite_to_postgresql_and_back_without_a_difference(
    full: Place, new_place: Callable[[str], Place], tmp_path: Path
) -> None:
    there, back = new_place("postgresql"), new_place("sqlite")
    back_up(full.database, full.blobs, tmp_path / "first", passphrase="a long passphrase")
    restore(tmp_path / "first", there.database, there.blobs, passphrase="a long passphrase")
    back_up(there.database, there.blobs, tmp_path / "second")
    restore(tmp_path / "second", back.database, back.blobs)
    assert there.rows() == full.rows()
    assert back.rows() == full.rows()
    assert {"version", "dataset", "actual", "prediction_block", "job", "schedule"} <= {
        name for name, rows in back.rows().items() if rows
    }
    assert there.bytes_of_all() == back.bytes_of_all() == full.bytes_of_all()
    assert all(place.database.is_current() for place in (there, back))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_restored_place_goes_on_counting_and_followers_see_the_change(
    full: Place, new_place: Callable[[str], Place], tmp_path: Path, kind: str
) -> None:
    place = new_place(kind)
    place.database.migrate()
    with place.database.begin() as connection:
        connection.execute(sa.update(schema.revision).values(value=1000))
    back_up(full.database, full.blobs, tmp_path / "backup")
    restore(tmp_path / "backup", place.database, place.blobs)
    assert place.registry.revision() == 1001
    workload = builtin_workloads()[MODEL]
    added = place.registry.add(MODEL, draft(workload, weighted(workload, request_rate=0.75)))
    place.registry.point(MODEL, "champion", added.number)  # whose history takes a number
    assert added.number == 3
    assert len(place.registry.history(MODEL)) == 2


def test_it_is_told_how_far_it_is_and_what_a_backup_holds(full: Place, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    written = back_up(full.database, full.blobs, tmp_path / "backup", on_progress=lambda *now: told.append(now))
    assert told[0] == ("artifacts", 1, 3)
    assert told[-1][0] == "rows"
    assert told[-1][1] == told[-1][2] == sum(written.rows.values())
    assert verify(tmp_path / "backup") == written
    assert (written.artifacts, written.rows["actual"], written.rows["job"]) == (3, 700, 1)
    assert written.migration == schema.HEAD


def test_only_its_owner_may_read_a_backup(full: Place, tmp_path: Path) -> None:
    back_up(full.database, full.blobs, tmp_path / "backup")
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600


def test_a_place_that_holds_something_is_left_alone_unless_it_may_be_replaced(full: Place, tmp_path: Path) -> None:
    back_up(full.database, full.blobs, tmp_path / "backup")
    before = full.rows()
    full.registry.annotate(full.registry.version(MODEL, 1), "changed since")
    with full.database.begin() as connection:
        connection.execute(sa.text("CREATE TABLE somebody_elses (id INTEGER)"))
    with pytest.raises(Conflict, match=r"isn't empty.*--replace"):
        restore(tmp_path / "backup", full.database, full.blobs)
    assert full.registry.version(MODEL, 1).note == "changed since"
    restore(tmp_path / "backup", full.database, full.blobs, replace=True)
    assert full.rows() == before
    with full.database.read() as connection:
        assert sa.inspect(connection).has_table("somebody_elses")


def test_an_older_backup_is_migrated(new_place: Callable[[str], Place], tmp_path: Path) -> None:
    old, place = new_place("sqlite"), new_place("postgresql")
    with old.database.begin() as connection:
        upgrade(connection, "0005", "here")
        columns = "id, model, version, features, cost, lower, upper, at"
        values = "'0001', 'm', 1, '[1.0, 2.5]', 7.5, NULL, 3.0, '2026-03-01T00:00:00Z'"
        connection.execute(sa.text(f"INSERT INTO prediction ({columns}) VALUES ({values})"))
    assert back_up(old.database, old.blobs, tmp_path / "backup").migration == "0005"
    assert old.database.migration() == "0005"
    restore(tmp_path / "backup", place.database, place.blobs)
    assert place.database.is_current()
    with place.database.read() as connection:
        (record,) = read_records(connection)
        assert (record.id, record.row, record.cost, record.upper) == ("0001", [1.0, 2.5], 7.5, 3.0)
        assert "prediction" not in held_tables(connection).tables


def test_what_belongs_to_a_newer_perfcast_is_refused(
    full: Place, new_place: Callable[[str], Place], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(full.database, full.blobs, tmp_path / "backup")
    empty = new_place("sqlite")
    for module in ("_restore", "_backup"):
        monkeypatch.setattr(f"perfcast.backups.{module}.schema.HEAD", "0001")
    with pytest.raises(Conflict, match=r"is of a newer Perfcast \(.*, migration 0013; this one knows 0001\)"):
        restore(tmp_path / "backup", empty.database, empty.blobs)
    with pytest.raises(Conflict, match="belongs to a newer Perfcast"):
        back_up(full.database, full.blobs, tmp_path / "another")
    assert empty.rows() == {}
    assert not (tmp_path / "another").exists()


def test_a_database_without_tables_is_not_worth_a_backup(new_place: Callable[[str], Place], tmp_path: Path) -> None:
    empty = new_place("sqlite")
    with pytest.raises(InvalidSetting, match="nothing to back up"):
        back_up(empty.database, empty.blobs, tmp_path / "backup")


def test_bytes_that_are_missing_are_named_and_can_be_done_without(
    full: Place, new_place: Callable[[str], Place], tmp_path: Path
) -> None:
    graph = full.registry.version(MODEL, 2).manifest.graph.sha256
    full.blobs.delete(graph)
    with pytest.raises(BrokenVersion, match=f"the bytes of {MODEL}:2 are missing.*--incomplete"):
        back_up(full.database, full.blobs, tmp_path / "backup")
    assert list(tmp_path.glob("*backup*")) == []
    assert back_up(full.database, full.blobs, tmp_path / "backup", incomplete=True).missing == (graph,)
    place = new_place("sqlite")
    restore(tmp_path / "backup", place.database, place.blobs)
    assert place.rows() == full.rows()


@pytest.mark.parametrize("what", ["artifacts", "rows"])
def test_versions_that_come_and_go_meanwhile_leave_a_backup_whole(
    full: Place, new_place: Callable[[str], Place], tmp_path: Path, what: str
) -> None:
    workload, changed = builtin_workloads()[MODEL], []

    def change(now: str, _done: int, _of: int) -> None:
        if now == what and not changed:
            changed.append(full.registry.add(MODEL, draft(workload, weighted(workload, active_users=0.5))).number)
            full.registry.delete(MODEL, 2)

    back_up(full.database, full.blobs, tmp_path / "backup", on_progress=change)
    place = new_place("sqlite")
    restore(tmp_path / "backup", place.database, place.blobs)
    expected = [1, 3] if what == "artifacts" else [1, 2]  # rows are of the moment before the first of them
    versions = place.registry.versions(MODEL)
    assert [version.number for version in versions] == expected
    assert all(place.registry.graph(version) for version in versions)


def test_bytes_that_go_between_the_moment_and_their_turn_make_the_moment_be_taken_anew(
    full: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload, tried = builtin_workloads()[MODEL], []
    graph = draft(workload, weighted(workload, active_users=0.5))

    class Hasty(Blobs):
        def get(self, digest: str) -> bytes:
            if digest == graph.manifest.graph.sha256:
                tried.append(digest)
                full.registry.delete(MODEL, 3)
            return super().get(digest)

    def add(now: str, done: int, _of: int) -> None:
        if now == "artifacts" and done == 3:
            full.registry.add(MODEL, graph)

    assert isinstance(full.database.file, str)
    hasty = Hasty(str(Path(full.database.file).parent / "artifacts"))
    inventory = back_up(full.database, hasty, tmp_path / "backup", on_progress=add)
    assert len(tried) == 1
    assert inventory.rows["version"] == 2
    assert verify(tmp_path / "backup").missing == ()


def test_a_backup_that_fails_leaves_the_one_before(full: Place, tmp_path: Path) -> None:
    back_up(full.database, full.blobs, tmp_path / "backup")
    before = (tmp_path / "backup").read_bytes()

    class Lost(Blobs):
        def get(self, digest: str) -> bytes:
            raise Unavailable("gone")

    for passphrase in (None, "a long passphrase"):
        with pytest.raises(Unavailable, match="gone"):
            back_up(full.database, Lost(str(tmp_path)), tmp_path / "backup", passphrase=passphrase)
    assert (tmp_path / "backup").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".", "backup"))] == ["backup"]


def test_a_place_that_fails_halfway_is_as_it_was(full: Place, tmp_path: Path) -> None:
    back_up(full.database, full.blobs, tmp_path / "backup", passphrase="a long passphrase")
    before = full.rows()

    class Full(Blobs):
        def put(self, data: bytes) -> str:
            raise Unavailable("no space")

    with pytest.raises(Unavailable, match="no space"):
        restore(tmp_path / "backup", full.database, Full(str(tmp_path)), passphrase="a long passphrase", replace=True)
    assert full.rows() == before


def test_a_folder_that_is_not_there_is_named(full: Place, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"no-such/backup can't be written: No such file or directory"):
        back_up(full.database, full.blobs, tmp_path / "no-such" / "backup")


def test_a_disk_that_is_full_is_said_and_nothing_is_left(
    full: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(Unavailable, match=r"can't be written: No space left on device; nothing is left"):
        back_up(full.database, full.blobs, tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".", "backup"))] == []
