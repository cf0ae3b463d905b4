"""Content-addressed bytes, in a folder and in a store that only fsspec knows."""

import multiprocessing
import os
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from perfcast.errors import BrokenVersion, InvalidSetting, Unavailable
from perfcast.storage import Blobs, sha256


@pytest.fixture(params=["folder", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path / "blobs") if request.param == "folder" else f"memory://{tmp_path.name}")


def test_what_was_put_is_got_back_under_its_sha256(blobs: Blobs) -> None:
    digest = blobs.put(b"graph")
    assert digest == sha256(b"graph")
    assert blobs.exists(digest)
    assert blobs.get(digest) == b"graph"


def test_the_same_bytes_twice_are_kept_once(tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    digest = blobs.put(b"same")
    before = (tmp_path / digest[:2] / digest).stat().st_ino
    assert blobs.put(b"same") == digest
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [digest]
    assert (tmp_path / digest[:2] / digest).stat().st_ino == before


def test_missing_bytes_are_called_missing(blobs: Blobs) -> None:
    with pytest.raises(BrokenVersion, match=r"missing from .*restore"):
        blobs.get(sha256(b"never put"))
    assert not blobs.exists(sha256(b"never put"))


def test_altered_bytes_are_called_altered_and_mended_by_putting_them_again(tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    digest = blobs.put(b"whole graph")
    (tmp_path / digest[:2] / digest).write_bytes(b"whole g")
    with pytest.raises(BrokenVersion, match="were altered: they are 7 bytes"):
        blobs.get(digest)
    blobs.put(b"whole graph")
    assert blobs.get(digest) == b"whole graph"


def test_deleting_forgets_and_deleting_again_does_nothing(blobs: Blobs) -> None:
    digest = blobs.put(b"short-lived")
    blobs.delete(digest)
    blobs.delete(digest)
    assert not blobs.exists(digest)


@pytest.mark.parametrize("wrong", ["", "../../etc/passwd", "A" * 64, "0" * 63])
def test_only_a_digest_leads_to_a_file(blobs: Blobs, wrong: str) -> None:
    with pytest.raises(BrokenVersion, match="no sha256"):
        blobs.get(wrong)


@given(data=st.binary(max_size=200))
def test_any_bytes_come_back_as_they_were(data: bytes) -> None:
    blobs = Blobs("memory://any")
    assert blobs.get(blobs.put(data)) == data


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="can't be written: No space left on device"):
        Blobs(str(tmp_path)).put(b"too much")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_processes_that_put_the_same_bytes_at_once_all_succeed(tmp_path: Path) -> None:
    data = b"x" * 300_000
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        digests = pool.map(Blobs(str(tmp_path)).put, [data] * 12)
    assert set(digests) == {sha256(data)}
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [sha256(data)]


def test_a_store_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="ARTIFACTS_URL"):
        Blobs(str(tmp_path / "file")).put(b"anything")


def test_an_unknown_kind_of_store_is_refused_without_its_password() -> None:
    with pytest.raises(InvalidSetting, match=r"ARTIFACTS_URL nowhere://\*\*\*@host") as caught:
        Blobs("nowhere://me:hush@host/folder")
    assert "hush" not in str(caught.value)


class EndpointConnectionError(Exception):
    """What libraries of object stores raise has its own ancestors: botocore's is no OSError."""


def test_errors_of_a_stores_own_library_say_that_it_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = Blobs(f"memory://{tmp_path.name}")
    digest = blobs.put(b"graph")

    def gone(*_: object, **__: object) -> None:
        raise EndpointConnectionError("Could not connect to the endpoint URL")

    for name in ("cat_file", "exists", "rm_file"):
        monkeypatch.setattr(MemoryFileSystem, name, gone)
    for use in (blobs.get, blobs.exists, blobs.delete):
        with pytest.raises(Unavailable, match="Could not connect to the endpoint URL; check ARTIFACTS_URL"):
            use(digest)
    with pytest.raises(Unavailable, match="can't be"):
        blobs.put(b"another")


def test_parts_of_bytes_are_read_and_missing_ones_are_called_missing(blobs: Blobs) -> None:
    with blobs.opened(blobs.put(b"graph of a model")) as file:
        file.seek(9)
        assert file.read(1) == b"a"
    with pytest.raises(BrokenVersion, match=r"missing from .*restore"), blobs.opened(sha256(b"never put")):
        pass
