"""The profiler's journal and fingerprint: what survives a kill, and what counts as the same device."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from perfcast.errors import Conflict, InvalidData
from perfcast.workloads.cnn_execution_time.profiler import ProfileOptions
from perfcast.workloads.cnn_execution_time.profiler._configurations import ConvConfig
from perfcast.workloads.cnn_execution_time.profiler._fingerprint import Fingerprint, read_fingerprint
from perfcast.workloads.cnn_execution_time.profiler._journal import Block, Journal, read_journal
from perfcast.workloads.cnn_execution_time.profiler._profile import journal_path

DEVICE = Fingerprint("A CPU", "family 1, flags abc", "1 MB", 1, 8, "Linux 6", "", {"torch": "2.0"})
CONFIGS = [ConvConfig(1, 3, 8, 8, 4, 3, 1, 1), ConvConfig(2, 3, 8, 8, 4, 1)]
BLOCK = Block(1, "2026-01-01T00:00:00Z", 2.5, ((0, 0.25), (1, 0.5)), (), 1.0)


def header(name: str = "cpu-torch", device: Fingerprint = DEVICE) -> dict[str, object]:
    """Return the header of a journal."""
    return {"name": name, "fingerprint": asdict(device), "options": {}}


def written(path: Path, device: Fingerprint = DEVICE, name: str = "cpu-torch") -> Path:
    """Write a journal of two configurations and one block."""
    journal = Journal.open(path, header(name, device))
    journal.add_configurations(CONFIGS, "perfcast profile")
    journal.add_block(BLOCK)
    journal.close()
    return path


def test_a_journal_gives_back_what_was_written(tmp_path: Path) -> None:
    contents = read_journal(written(tmp_path / "a.journal.jsonl"))
    assert contents.configurations == CONFIGS
    assert contents.blocks == [BLOCK]
    assert contents.fingerprint == DEVICE


def test_a_journal_of_configurations_without_widths_goes_on_as_square_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.journal.jsonl"
    journal = Journal.open(path, header())
    journal._append({"configurations": [[1, 3, 8, 8, 4, 3, 1, 1, 1, 1], [2, 3, 8, 9, 4, 5, 2, 0, 1, 1]]})
    journal.add_configurations([ConvConfig(1, 3, 8, 8, 4, 1, kernel_width=7)], "perfcast profile --uneven 1")
    journal.close()
    assert read_journal(path).configurations == [
        ConvConfig(1, 3, 8, 8, 4, 3, 1, 1, 1, 1, 3, 1, 1, 1, 1),
        ConvConfig(2, 3, 8, 9, 4, 5, 2, 0, 1, 1, 5, 2, 0, 0, 0),
        ConvConfig(1, 3, 8, 8, 4, 1, 1, 0, 1, 1, 7, 1, 3, 0, 3),
    ]


def test_every_torn_last_line_loses_no_more_than_itself(tmp_path: Path) -> None:
    whole = written(tmp_path / "a.journal.jsonl").read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in range(last, len(whole)):
        torn = tmp_path / "torn.journal.jsonl"
        torn.write_bytes(whole[:cut])
        assert read_journal(torn).blocks == []
        journal = Journal.open(torn, header())
        journal.add_block(BLOCK)
        journal.close()
        assert torn.read_bytes() == whole


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.journal.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"rows"', b'"rosw"') + b"{}\n")
    with pytest.raises(InvalidData, match="line 3"):
        read_journal(path)


def test_two_profilers_can_not_write_one_journal(tmp_path: Path) -> None:
    path = tmp_path / "a.journal.jsonl"
    first = Journal.open(path, header())
    with pytest.raises(Conflict, match="being written by another profiler"):
        Journal.open(path, header())
    first.close()
    Journal.open(path, header()).close()


def test_the_same_device_goes_on_with_its_journal(tmp_path: Path) -> None:
    path = written(tmp_path / "cpu-torch.journal.jsonl")
    patched = replace(DEVICE, system="Linux 6.1", memory_gb=16)
    assert journal_path(ProfileOptions(output=tmp_path), patched) == (path, f"going on with {path.name}")


@pytest.mark.parametrize(
    "other",
    [replace(DEVICE, processor="family 2, flags abc"), replace(DEVICE, versions={"torch": "3.0"})],
    ids=["another processor", "another torch"],
)
def test_another_device_begins_a_new_journal_and_says_so(tmp_path: Path, other: Fingerprint) -> None:
    first = written(tmp_path / "cpu-torch.journal.jsonl")
    path, note = journal_path(ProfileOptions(output=tmp_path), other)
    assert path != first
    assert not path.exists()
    assert "rather than mixing" in note
    written(path, other)
    assert journal_path(ProfileOptions(output=tmp_path), other)[0] == path
    assert journal_path(ProfileOptions(output=tmp_path), DEVICE)[0] == first


def test_the_journal_of_another_pass_is_not_taken_for_this_one(tmp_path: Path) -> None:
    written(tmp_path / "cpu-torch-training.journal.jsonl", name="cpu-torch-training")
    assert journal_path(ProfileOptions(output=tmp_path), DEVICE)[0].name == "cpu-torch.journal.jsonl"


def test_the_fingerprint_reads_cpuinfo_and_ignores_the_order_of_flags(tmp_path: Path) -> None:
    marks = []
    for flags in ("avx2 fma", "fma avx2", "fma"):
        cpuinfo = tmp_path / "cpuinfo"
        cpuinfo.write_text(f"vendor_id\t: V\ncpu family\t: 25\nmodel name\t: A CPU\nflags\t: {flags}\n\nrest")
        marks.append(read_fingerprint(cores=1, cpuinfo=cpuinfo))
    assert marks[0].device == "A CPU"
    assert "cpu family 25" in marks[0].processor
    assert marks[0].identity("torch") == marks[1].identity("torch") != marks[2].identity("torch")


def test_a_machine_without_cpuinfo_still_has_a_fingerprint(tmp_path: Path) -> None:
    mark = read_fingerprint(cores=1, cpuinfo=tmp_path / "missing")
    assert mark.memory_gb >= 1
    assert mark.versions["python"]
    assert Fingerprint(**asdict(mark)) == mark
