"""Where the result goes: it appears whole or not at all, and nothing else is ever removed for it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from tests.patience import PATIENCE_SECONDS, until
from tests.unit.scoring.test_score import PLAN, frame, written

from perfcast.errors import InvalidSetting
from perfcast.scoring import score

OUTPUTS = pytest.mark.parametrize("name", ["out.parquet", "out"])


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def beside(script: str, tmp_path: Path) -> subprocess.Popen[str]:
    """A process that scores `rows.parquet` of a folder as a script says."""
    head = f"""
from pathlib import Path
from tests.unit.scoring.test_score import PLAN
from perfcast.scoring import score
folder = Path({str(tmp_path)!r})
"""
    environment = os.environ | {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    command = [sys.executable, "-c", head + script]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.parametrize("where", ["itself", "its folder", "a folder above", "its folder by a link", "a linked input"])
def test_an_output_that_holds_the_input_is_refused(tmp_path: Path, where: str) -> None:
    folder = tmp_path / "data" / "rows"
    folder.mkdir(parents=True)
    source = written(folder / "part-00000.parquet", frame(50))
    link, linked = tmp_path / "link", tmp_path / "linked" / "rows.parquet"
    linked.parent.mkdir()
    link.symlink_to(folder)
    linked.symlink_to(source)
    source, target = {
        "itself": (folder, folder),
        "its folder": (source, folder),
        "a folder above": (source, tmp_path / "data"),
        "its folder by a link": (source, link),
        "a linked input": (linked.parent, folder),
    }[where]
    before = contents(tmp_path)
    with pytest.raises(InvalidSetting, match="input"):
        score(PLAN, source, target, overwrite=True)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["1.parquet", "scored.parquet", "scored"])
def test_an_output_inside_the_input_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    for number in range(2):
        written(folder / f"{number}.parquet", frame(50))
    before = contents(tmp_path)
    with pytest.raises(InvalidSetting, match="input"):
        score(PLAN, folder, folder / name, overwrite=True)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["notes.txt", "below/part-00001.parquet", "part-00001-c000.snappy.parquet", ".hidden"])
def test_a_folder_that_holds_anything_else_is_not_replaced(tmp_path: Path, name: str) -> None:
    source, target = written(tmp_path / "rows.parquet", frame(50)), tmp_path / "out"
    score(PLAN, source, target)
    (target / name).parent.mkdir(exist_ok=True)
    (target / name).write_text("precious")
    before = contents(tmp_path)
    with pytest.raises(InvalidSetting, match=rf"out holds '{name.split('/', maxsplit=1)[0]}'"):
        score(PLAN, source, target, overwrite=True)
    assert contents(tmp_path) == before


def test_parts_that_are_no_scored_rows_are_not_replaced(tmp_path: Path) -> None:
    source, target = written(tmp_path / "rows.parquet", frame(50)), tmp_path / "measured"
    target.mkdir()
    written(target / "part-00000.parquet", frame(10))
    with pytest.raises(InvalidSetting, match=r"measured holds 'part-00000\.parquet'"):
        score(PLAN, source, target, overwrite=True)
    assert pl.read_parquet(target / "part-00000.parquet").height == 10


def test_a_folder_does_not_replace_a_file_nor_a_file_a_folder(tmp_path: Path) -> None:
    source = written(tmp_path / "rows.parquet", frame(50))
    (tmp_path / "out").write_text("precious")
    (tmp_path / "out.parquet").mkdir()
    (tmp_path / "out.parquet" / "precious").write_text("")
    before = contents(tmp_path)
    with pytest.raises(InvalidSetting, match="is a file"):
        score(PLAN, source, tmp_path / "out", overwrite=True)
    with pytest.raises(InvalidSetting, match="is a folder"):
        score(PLAN, source, tmp_path / "out.parquet", overwrite=True)
    assert contents(tmp_path) == before


def test_parts_of_an_earlier_run_do_not_stay_among_those_of_a_later_one(tmp_path: Path) -> None:
    target = tmp_path / "out"
    score(PLAN, written(tmp_path / "many.parquet", frame(500)), target)
    score(PLAN, written(tmp_path / "few.parquet", frame(200)), target, overwrite=True)
    assert sorted(path.name for path in target.iterdir()) == ["part-00000.parquet", "part-00001.parquet"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["few.parquet", "many.parquet", "out"]


@OUTPUTS
def test_a_link_at_the_output_stays_and_what_it_leads_to_is_replaced(tmp_path: Path, name: str) -> None:
    source, real = written(tmp_path / "rows.parquet", frame(50)), tmp_path / "real" / name
    score(PLAN, source, real)
    link = tmp_path / name
    link.symlink_to(real)
    score(PLAN, written(source, frame(60)), link, overwrite=True)
    assert link.is_symlink()
    assert pl.read_parquet(real if real.is_file() else real / "*.parquet").height == 60


@OUTPUTS
def test_what_appears_at_the_output_meanwhile_is_kept(tmp_path: Path, name: str) -> None:
    source, target = written(tmp_path / "rows.parquet", frame(50)), tmp_path / name

    def somebody_writes(*_: int) -> None:
        target.write_text("precious")

    with pytest.raises(InvalidSetting, match="exists"):
        score(PLAN, source, target, on_rows=somebody_writes)
    assert target.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "rows.parquet"]


@OUTPUTS
def test_ctrl_c_leaves_the_output_as_it_was_and_nothing_beside_it(tmp_path: Path, name: str) -> None:
    source, target = written(tmp_path / "rows.parquet", frame(300)), tmp_path / name
    score(PLAN, source, target)
    before = contents(tmp_path)

    def interrupted(done: int, _: int) -> None:
        if done > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(PLAN, source, target, overwrite=True, on_rows=interrupted)
    assert contents(tmp_path) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "rows.parquet"]


def test_ctrl_c_in_the_moment_when_neither_output_is_there_brings_the_earlier_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = written(tmp_path / "rows.parquet", frame(300)), tmp_path / "out"
    score(PLAN, source, target)
    before, rename = contents(tmp_path), Path.rename

    def interrupted(path: Path, to: Path) -> Path:
        moved = rename(path, to)
        if path == target:
            raise KeyboardInterrupt
        return moved

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        score(PLAN, source, target, overwrite=True)
    assert contents(tmp_path) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "rows.parquet"]


@OUTPUTS
def test_what_appears_at_the_output_while_the_disk_settles_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    source, target, settle = written(tmp_path / "rows.parquet", frame(50)), tmp_path / name, os.fsync

    def slow(file: int) -> None:
        settle(file)
        target.write_text("precious")

    monkeypatch.setattr(os, "fsync", slow)
    with pytest.raises(InvalidSetting, match="exists"):
        score(PLAN, source, target)
    assert target.read_text() == "precious"


def test_the_input_under_another_name_of_the_same_file_is_refused(tmp_path: Path) -> None:
    source = written(tmp_path / "rows.parquet", frame(50))
    (tmp_path / "Rows.parquet").hardlink_to(source)  # as on a disk for which upper and lower case are the same
    with pytest.raises(InvalidSetting, match="input and output are the same"):
        score(PLAN, source, tmp_path / "Rows.parquet", overwrite=True)
    assert source.samefile(tmp_path / "Rows.parquet")


@pytest.mark.parametrize("name", ["loop.parquet", "a" * 300])
def test_a_name_that_leads_nowhere_is_said(tmp_path: Path, name: str) -> None:
    source = written(tmp_path / "rows.parquet", frame(50))
    (tmp_path / "loop.parquet").symlink_to(tmp_path / "loop.parquet")
    with pytest.raises(InvalidSetting, match=name):
        score(PLAN, source, tmp_path / name)


@OUTPUTS
def test_a_killed_run_leaves_no_output_and_the_next_one_tidies_up(tmp_path: Path, name: str) -> None:
    source = written(tmp_path / "rows.parquet", frame(300))
    waits = "import time\nscore(PLAN, folder / 'rows.parquet', folder / NAME, on_rows=lambda *_: time.sleep(60))"
    process = beside(waits.replace("NAME", repr(name)), tmp_path)

    def writes() -> bool:
        assert process.poll() is None, process.communicate()[0]
        return any(path.suffix == ".parquet" for path in tmp_path.glob(".*/**/*"))

    until(writes)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / name).exists()
    assert len(list(tmp_path.iterdir())) == 2
    score(PLAN, source, tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "rows.parquet"]


def test_an_output_moved_away_by_a_run_that_was_killed_comes_back(tmp_path: Path) -> None:
    source, target = written(tmp_path / "rows.parquet", frame(50)), tmp_path / "out"
    score(PLAN, source, target)
    draft = tmp_path / ".out.0123456789ab.partial"
    draft.mkdir()
    (draft / "lock").touch()
    target.rename(draft / "earlier")
    (tmp_path / ".out.ba9876543210.partial.gone").mkdir()
    with pytest.raises(InvalidSetting, match="exists"):
        score(PLAN, source, target)
    assert pl.read_parquet(target / "*.parquet").height == 50
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "rows.parquet"]


def test_a_folder_that_may_be_written_but_not_listed_takes_an_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, folder, listed = written(tmp_path / "rows.parquet", frame(50)), tmp_path / "drop", Path.iterdir
    folder.mkdir()

    def refused(path: Path) -> Iterator[Path]:
        if path == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", refused)
    assert score(PLAN, source, folder / "out.parquet").rows == 50
    assert [path.name for path in listed(folder)] == ["out.parquet"]


@OUTPUTS
def test_a_run_that_lives_is_not_tidied_up(tmp_path: Path, name: str) -> None:
    source, others = written(tmp_path / "rows.parquet", frame(300)), []

    def another(*_: int) -> None:
        if not others:
            others.append(beside(f"print(score(PLAN, folder / 'rows.parquet', folder / {name!r}).rows)", tmp_path))
            assert others[0].communicate(timeout=PATIENCE_SECONDS)[0] == "300\n"

    assert score(PLAN, source, tmp_path / name, overwrite=True, on_rows=another).rows == 300
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "rows.parquet"]
    scored = pl.read_parquet(tmp_path / name if name.endswith(".parquet") else tmp_path / name / "*.parquet")
    assert scored["id"].to_list() == list(range(300))


@OUTPUTS
def test_a_full_disk_is_not_blamed_on_the_input(tmp_path: Path, name: str) -> None:
    written(tmp_path / "rows.parquet", frame(300_000), group=200_000)
    limited = f"""
import resource
from perfcast.errors import Unavailable
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    score(PLAN, folder / "rows.parquet", folder / {name!r})
except Unavailable as error:
    print(error)
"""
    told = beside(limited, tmp_path).communicate(timeout=PATIENCE_SECONDS)[0]
    assert told.startswith(f"{tmp_path / name}: can't be written: "), told
    assert "File too large" in told
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


def test_an_output_that_no_folder_can_take_is_said(tmp_path: Path) -> None:
    source = written(tmp_path / "rows.parquet", frame(50))
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidSetting, match=r"out\.parquet: can't be written"):
        score(PLAN, source, tmp_path / "file" / "out.parquet")
