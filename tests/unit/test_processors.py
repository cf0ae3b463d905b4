"""How many processors there are for this process: those it may run on, and no more than its container grants."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from perfcast.processors import processors

ALLOWED = len(os.sched_getaffinity(0))


def limited(folder: Path, group: str, quota: str) -> None:
    place = folder / "cgroups" / group
    place.mkdir(parents=True, exist_ok=True)
    (place / "cpu.max").write_text(f"{quota}\n")


def counted(folder: Path, group: str) -> int:
    """What is counted by a process of this group, where control groups lie in the folder."""
    own = folder / "own"
    own.write_text(f"4:memory:/elsewhere\n0::/{group}\n")
    return processors(cgroups=folder / "cgroups", own=own)


@pytest.mark.parametrize(("quota", "granted"), [("50000 100000", 1), ("100000 100000", 1), ("100001 100000", 2)])
def test_a_containers_limit_counts_and_is_rounded_up(tmp_path: Path, quota: str, granted: int) -> None:
    limited(tmp_path, "", quota)
    assert counted(tmp_path, "") == min(granted, ALLOWED)


def test_a_limit_of_any_group_above_counts(tmp_path: Path) -> None:
    limited(tmp_path, "system.slice", "20000 100000")
    limited(tmp_path, "system.slice/perfcast.service", "max 100000")
    assert counted(tmp_path, "system.slice/perfcast.service") == 1


def test_a_group_that_can_not_be_seen_from_inside_a_container_leaves_the_containers_own(tmp_path: Path) -> None:
    limited(tmp_path, "", "20000 100000")
    assert counted(tmp_path, "docker/0123abcd") == 1
    assert counted(tmp_path, "../../outside") == 1


@pytest.mark.parametrize("quota", ["max 100000", "900000000 100000", "", "much"])
def test_without_a_lower_limit_all_count_that_it_may_run_on(tmp_path: Path, quota: str) -> None:
    limited(tmp_path, "", quota)
    assert counted(tmp_path, "") == ALLOWED


def test_without_control_groups_all_count_that_it_may_run_on(tmp_path: Path) -> None:
    assert processors(cgroups=tmp_path / "none", own=tmp_path / "none") == ALLOWED


def test_a_process_that_is_kept_to_one_processor_has_one() -> None:
    program = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
        "from perfcast.processors import processors; print(processors())"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert int(subprocess.check_output([sys.executable, "-c", program], env=environment)) == 1


def test_nobody_else_counts_processors() -> None:
    sources = Path(processors.__code__.co_filename).parent
    counting = {path.name for path in sources.rglob("*.py") if "cpu_count" in path.read_text()}
    assert counting == {"processors.py"}
