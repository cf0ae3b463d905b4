import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.backups.conftest import MODEL, Place, fill

from perfcast.cli import main
from perfcast.storage import Blobs, Database

Call = Callable[..., tuple[str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs a command beside a `DATA_DIR` that holds something; gives what it says, on both ways."""
    folder = tmp_path / "var"
    place = Place(Database(f"sqlite:///{folder}/perfcast.db"), Blobs(str(folder / "artifacts")))
    fill(place, folder)
    place.database.close()
    monkeypatch.setenv("DATA_DIR", str(folder))
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["perfcast", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit):
            main()
        shown = capsys.readouterr()
        return shown.out, shown.err

    return run


def test_a_backup_is_written_verified_and_restored_elsewhere_under_a_passphrase_from_a_file(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "passphrase").write_text("correct horse\n")
    under = ("--passphrase-file", "passphrase")
    out, err = call("backup", "nightly.backup", "--encrypt", *under)
    assert "nightly.backup written" in out
    assert "700 actual" in out
    assert "rows" in err or err == ""
    assert "is whole" in call("backup", "nightly.backup", "--verify", *under)[0]
    assert "is encrypted; set BACKUP_PASSPHRASE" in call("restore", "nightly.backup", "--into", "there")[1]
    monkeypatch.setenv("BACKUP_PASSPHRASE", "correct horse")
    out, err = call("restore", "nightly.backup", "--into", "there")
    assert f"restored into sqlite:///{tmp_path}/there/perfcast.db and {tmp_path}/there/artifacts" in out
    assert "look with perfcast doctor" in err
    assert "isn't empty" in call("restore", "nightly.backup", "--into", "there")[1]
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "there"))
    assert MODEL in call("models", "list")[0]


def test_what_can_not_be_done_is_one_line(call: Call, tmp_path: Path) -> None:
    (tmp_path / "short").write_text("hush")
    for words, text in (
        (("backup", "b", "--encrypt"), "BACKUP_PASSPHRASE is empty; set BACKUP_PASSPHRASE or name a file"),
        (("backup", "b", "--encrypt", "--passphrase-file", "short"), "the first line of short is shorter than 8"),
        (("backup", "b", "--encrypt", "--passphrase-file", "none"), "none: No such file or directory"),
        (("backup", "no/such/b"), "no/such/b can't be written: No such file or directory"),
        (("backup", "b", "--verify"), "b: No such file or directory"),
        (("restore", "short", "--into", "there"), "short can't be used as a backup"),
    ):
        said = call(*words)[1]
        assert text in said
        assert said.count("\n") == 1
        assert "hush" not in said
    assert not (tmp_path / "b").exists()
