"""Descriptors: the shipped ones are plausible and complete, one's own go before them, what is wrong is told."""

from pathlib import Path

import pytest

from perfcast.devices import Descriptor, find_device, load_devices, read_descriptor, write_device
from perfcast.errors import Conflict, InvalidDeclaration, InvalidInput, UnknownDevice

SHIPPED = load_devices()
PLAIN = {"title": "Mine", "kind": "cpu", "processors": 4, "clock_ghz": 2, "peak_gflops": 256, "bandwidth": 40}


def test_twenty_devices_are_shipped_each_with_a_source() -> None:
    assert len(SHIPPED) == 20
    assert all(found.sources for found in SHIPPED.values())
    assert {found.kind for found in SHIPPED.values()} == {"cpu", "gpu"}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_peak_is_processors_times_clock_times_what_one_does_in_a_cycle(name: str) -> None:
    found = SHIPPED[name]
    a_cycle = found.peak_gflops / (found.processors * found.clock_ghz)
    usual = {"cpu": (32, 64), "gpu": (128, 256)}[found.kind]  # 2 × lanes: AVX2, AVX-512; 64 or 128 cores a processor
    assert min(abs(a_cycle / operations - 1) for operations in usual) < 0.02


@pytest.mark.parametrize("name", SHIPPED)
def test_what_a_model_reads_is_known_of_every_shipped_device(name: str) -> None:
    wanted = ("batch_size", "peak_gflops", "bandwidth", "processors", "clock_ghz", "cache_megabytes")
    assert list(SHIPPED[name].features(wanted, name)) == list(wanted[1:])
    assert 5 < SHIPPED[name].balance < 110


def test_a_figure_that_a_descriptor_leaves_out_is_asked_for_by_name() -> None:
    with pytest.raises(InvalidInput, match="cache_megabytes: the descriptor of 'mine' doesn't say it"):
        Descriptor(**PLAIN).features(("peak_gflops", "cache_megabytes"), "mine")
    assert Descriptor(**PLAIN).features(("peak_gflops",), "mine") == {"peak_gflops": 256.0}


def test_ones_own_descriptor_goes_before_a_shipped_one(tmp_path: Path) -> None:
    mine = Descriptor(**PLAIN, cache_megabytes=8, sources=("a measurement",))
    write_device(tmp_path / "new", "t4", mine)
    devices = load_devices(tmp_path / "new")
    assert devices["t4"] == mine
    assert len(devices) == len(SHIPPED)


def test_a_descriptor_is_overwritten_only_where_that_is_asked_for(tmp_path: Path) -> None:
    write_device(tmp_path, "mine", Descriptor(**PLAIN))
    with pytest.raises(Conflict, match="--replace"):
        write_device(tmp_path, "mine", Descriptor(**PLAIN))
    faster = Descriptor(**PLAIN | {"bandwidth": 80})
    assert read_descriptor(write_device(tmp_path, "mine", faster, replace=True)) == faster


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("title: x", "missing required field"),
        ("[", "not YAML"),
        ("{title: x, kind: tpu, processors: 1, clock_ghz: 1, peak_gflops: 1, bandwidth: 1}", "kind"),
        ("{title: x, kind: cpu, processors: 1, clock_ghz: 1, peak_gflops: 0, bandwidth: 1}", "peak_gflops"),
        ("{title: x, kind: cpu, processors: 1, clock_ghz: 1, peak_gflops: 1, bandwidth: 1, sms: 3}", "sms"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(InvalidDeclaration, match=told) as error:
        load_devices(tmp_path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("name", ["My Laptop", "-a", "", "a/b", "x" * 64])
def test_a_name_that_no_file_should_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidDeclaration, match="can't be called"):
        write_device(tmp_path, name, Descriptor(**PLAIN))


def test_an_unknown_device_is_told_with_those_that_look_alike() -> None:
    assert find_device("t4", SHIPPED).processors == 40
    with pytest.raises(UnknownDevice, match="'v100-pcie'"):
        find_device("v100", SHIPPED)
