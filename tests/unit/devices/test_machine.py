"""What the operating system says of a machine, and what measuring finds."""

from pathlib import Path

import pytest

from perfcast.devices import describe_machine, measure_bandwidth, measure_peak
from perfcast.processors import processors


def machine(root: Path, *, name: str = "Some Processor", extra: str = "cpu MHz : 2300.500\n") -> None:
    (root / "proc").mkdir()
    (root / "proc/cpuinfo").write_text(
        f"processor : 0\nmodel name : {name}\n{extra}\nprocessor : 1\nmodel name : other\n"
    )
    for index, size in enumerate(("48K", "2048K", "32M")):
        cache = root / f"sys/devices/system/cpu/cpu0/cache/index{index}"
        cache.mkdir(parents=True)
        (cache / "size").write_text(size + "\n")


def test_the_first_processor_and_its_last_cache_are_described(tmp_path: Path) -> None:
    machine(tmp_path)
    found = describe_machine(root=tmp_path)
    assert (found.title, found.processors) == ("Some Processor", processors())
    assert found.clock_ghz == pytest.approx(2.3005, abs=1e-3)
    assert found.cache_megabytes == pytest.approx(32 * 1024**2 / 1e6, abs=1e-3)


def test_a_stated_base_clock_goes_before_what_it_runs_at(tmp_path: Path) -> None:
    machine(tmp_path, name="Maker X1 CPU @ 2.90GHz")
    assert describe_machine(root=tmp_path).clock_ghz == 2.9
    frequency = tmp_path / "sys/devices/system/cpu/cpu0/cpufreq"
    frequency.mkdir()
    (frequency / "base_frequency").write_text("2800000\n")
    assert describe_machine(root=tmp_path).clock_ghz == 2.8


def test_what_a_system_doesnt_say_is_left_out(tmp_path: Path) -> None:
    found = describe_machine(root=tmp_path)
    assert found.clock_ghz is None
    assert found.cache_megabytes is None
    assert found.processors >= 1


def test_peak_and_bandwidth_are_measured_in_their_units() -> None:
    """Any processor of this century lies between; a wrong factor of a thousand does not."""
    assert 0.3 < measure_peak(side=256, seconds=0.1) < 100_000
    assert 0.3 < measure_bandwidth(size=64_000_000, seconds=0.1) < 10_000
