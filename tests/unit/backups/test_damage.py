"""Files that are damaged, or that somebody made to do harm: refused with a reason, and nothing is changed."""

import gzip
import io
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.backups.conftest import MODEL, Place, fill

from perfcast.backups import Inventory, back_up, read_passphrase, restore, verify
from perfcast.backups._encryption import MARK
from perfcast.backups._inventory import FOLDER, NAME, Entry
from perfcast.errors import InvalidData, InvalidSetting
from perfcast.storage import Blobs, Database, sha256

PASSPHRASE = "correct horse"


@pytest.fixture(scope="module")
def backups(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One as it is, and one encrypted."""
    folder = tmp_path_factory.mktemp("backups")
    place = Place(Database(f"sqlite:///{folder}/perfcast.db"), Blobs(str(folder / "artifacts")))
    fill(place, folder)
    made = {}
    for name, passphrase in (("plain", None), ("encrypted", PASSPHRASE)):
        back_up(place.database, place.blobs, folder / name, passphrase=passphrase)
        made[name] = (folder / name).read_bytes()
    place.database.close()
    return made


def written(folder: Path, data: bytes) -> Path:
    path = folder / "nightly.backup"
    path.write_bytes(data)
    return path


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed_or_changes_nothing(
    backups: dict[str, bytes], tmp_path: Path, at: float, bit: int
) -> None:
    whole = verify(written(tmp_path, backups["plain"]))
    data = bytearray(backups["plain"])
    data[int(at * len(data))] ^= 1 << bit
    try:
        found = verify(written(tmp_path, bytes(data)))
    except InvalidData:
        return
    assert found == whole  # gzip's header has bytes that mean nothing


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1, exclude_max=True))
def test_a_backup_that_was_cut_anywhere_is_refused(backups: dict[str, bytes], tmp_path: Path, at: float) -> None:
    data = backups["plain"]
    with pytest.raises(InvalidData, match="can't be used as a backup"):
        verify(written(tmp_path, data[: int(at * len(data))]))


@pytest.mark.parametrize("at", [0.1, 0.5, 0.999])
def test_an_encrypted_backup_that_was_cut_or_altered_is_refused(
    backups: dict[str, bytes], tmp_path: Path, at: float
) -> None:
    data = backups["encrypted"]
    place, altered = int(at * len(data)), bytearray(data)
    altered[place] ^= 1
    for damaged in (data[:place], bytes(altered)):
        with pytest.raises(InvalidData, match=r"nightly.backup .* it was cut or altered after it was encrypted"):
            verify(written(tmp_path, damaged), passphrase=PASSPHRASE)


def test_nothing_of_what_is_encrypted_can_be_read(backups: dict[str, bytes], tmp_path: Path) -> None:
    path = written(tmp_path, backups["encrypted"])
    assert backups["encrypted"].startswith(MARK)
    with pytest.raises(InvalidSetting, match="is encrypted; set BACKUP_PASSPHRASE"):
        verify(path)
    for wrong in ("wrong horse", PASSPHRASE + " "):
        with pytest.raises(InvalidSetting, match="not the one that the backup was encrypted under") as caught:
            verify(path, passphrase=wrong)
        assert wrong.strip() not in str(caught.value)
    assert verify(path, passphrase=PASSPHRASE).rows["version"] == 2


def test_what_is_no_backup_is_called_so(tmp_path: Path) -> None:
    for data in (b"", b"hello", gzip.compress(b"hello" * 1000), MARK, gzip.compress(b"")):
        with pytest.raises((InvalidData, InvalidSetting), match="backup"):
            verify(written(tmp_path, data), passphrase=PASSPHRASE)


Members = Sequence[tuple[str, bytes]]
GRAPH = b"a graph"


def packed(given: Members, kind: bytes = tarfile.REGTYPE, **altered: object) -> bytes:
    """A backup of these members whose inventory fits, unless it is altered."""
    held = {name: Entry(len(data), sha256(data)) for name, data in given if name != NAME}
    inventory = Inventory(1, "0.1.0", "0013", "2026-03-01T00:00:00Z", {}, held)
    out = io.BytesIO()
    with gzip.open(out, "wb") as file, tarfile.open(fileobj=file, mode="w|") as tar:
        for name, data in (*given, (NAME, msgspec.json.encode(msgspec.structs.replace(inventory, **altered)))):
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = len(data), kind if name != NAME else tarfile.REGTYPE, "/etc/passwd"
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def part(table: str, columns: list[str], *rows: list[object]) -> tuple[str, bytes]:
    return f"{FOLDER}/database/{table}/000001", msgspec.msgpack.encode({"columns": columns, "rows": rows})


def artifact(data: bytes, digest: str = "") -> tuple[str, bytes]:
    return f"{FOLDER}/artifacts/{digest or sha256(data)}", data


MODEL_ROW = part("model", ["name", "workload", "dataset", "newest", "created_at"], [MODEL, MODEL, "", 0, "now"])
HARMFUL: dict[str, tuple[bytes, str]] = {
    "a way out": (packed([("../../etc/cron.d/x", b"")]), "no backup of format 1 has"),
    "a way from the root": (packed([("/etc/cron.d/x", b"")]), "no backup of format 1 has"),
    "a way out inside": (packed([(f"{FOLDER}/artifacts/../{'0' * 64}", b"")]), "no backup of format 1 has"),
    "a link": (packed([(f"{FOLDER}/artifacts/{'0' * 64}", b"")], tarfile.SYMTYPE), "is no file"),
    "a device": (packed([(f"{FOLDER}/artifacts/{'0' * 64}", b"")], tarfile.CHRTYPE), "is no file"),
    "other bytes under a digest": (packed([artifact(GRAPH, "0" * 64)]), "has the sha256"),
    "a table of others": (packed([part("somebody_elses", ["id"], [1])]), "a table 'somebody_elses'"),
    "Alembic's table": (packed([part("alembic_version", ["version_num"], ["9999"])]), "a table 'alembic_version'"),
    "a column that is none": (packed([part("model", ["name; DROP TABLE job"], ["m"])]), "columns ['name; DROP TABLE"),
    "rows of another length": (packed([part("model", ["name"], ["m", "n"])]), "rows of another length"),
    "rows that are none": (packed([(f"{FOLDER}/database/version/000001", b"\xc1")]), "can't be read"),
    "rows without their digest": (packed([part("version", ["model"], ["m"])]), "lacks a column 'graph'"),
    "the same row twice": (packed([MODEL_ROW, part("model", ["name"], ["m"])]), "model/000001 twice"),
    "a row that leads nowhere": (packed([part("default_model", ["workload", "model"], ["w", "m"])]), "doesn't take"),
    "a row that lacks its bytes": (
        packed([part("version", ["model", "number", "graph"], ["m", 1, "0" * 64])]),
        "1 of the graphs and datasets that its rows name aren't in it",
    ),
    "a member that isn't listed": (packed([MODEL_ROW], members={}), "members are missing or altered, the first is"),
    "a member that is missing": (
        packed([], members={MODEL_ROW[0]: Entry(1, "0" * 64)}),
        "members are missing or altered, the first is",
    ),
    "a format to come": (packed([], format=2), "its format is 2, this Perfcast reads 1"),
    "two inventories": (packed([(NAME, packed([]))]), "can't be read"),
    "an inventory that is none": (packed([], rows=7), "can't be read"),
}


@pytest.mark.parametrize("what", HARMFUL)
def test_a_backup_that_somebody_made_up_changes_nothing(
    new_place: Callable[[str], Place], tmp_path: Path, what: str
) -> None:
    data, reason = HARMFUL[what]
    place = new_place("sqlite")
    with pytest.raises(InvalidData, match="can't be used as a backup") as caught:
        restore(written(tmp_path, data), place.database, place.blobs)
    assert reason in str(caught.value)
    assert place.rows() == {}


def test_a_member_is_not_read_further_than_its_bound(
    tmp_path: Path, backups: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perfcast.backups._inventory._MOST", {"artifacts": 100, "database": 100, "inventory.json": 10})
    with pytest.raises(InvalidData, match=r"artifacts/[0-9a-f]+ has [0-9,]+ bytes, more than 100"):
        verify(written(tmp_path, backups["plain"]))


def test_a_passphrase_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("from the file\nand no more")
    assert read_passphrase("from the environment", file) == "from the file"
    assert read_passphrase("from the environment", None) == "from the environment"
    for short, text in (("", "BACKUP_PASSPHRASE is empty"), ("hush", "BACKUP_PASSPHRASE is shorter than 8")):
        with pytest.raises(InvalidSetting, match=text) as caught:
            read_passphrase(short, None)
        assert "hush" not in str(caught.value)
