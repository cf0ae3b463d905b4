"""Workloads from files: what is wrong with one keeps no other from being used."""

from pathlib import Path

import pytest

from perfcast.errors import InvalidDeclaration
from perfcast.workloads import load_workloads, survey_workloads

GOOD = "{name: queries, cost: {name: query_ms}, features: [{name: rows}]}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name: [", "flow node"),
        ("name: x", "declares no cost"),
        (f"rows: {'9' * 5000}", "4300 digits"),
        ("- " * 5000, "maximum nesting depth"),
        ("{name: x, extends: nothing}", "unknown workload 'nothing'"),
        (GOOD, "'queries' is declared twice"),
        (GOOD.replace("queries", "cpu-utilization"), "'cpu-utilization' is declared twice"),
        ("{name: x, extends: x}", "in a circle"),
        (b"\xff\xfe\x00", "wrong.yaml"),
    ],
)
def test_a_bad_file_is_told_and_the_others_are_used(tmp_path: Path, text: str | bytes, reason: str) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_bytes(text if isinstance(text, bytes) else text.encode())
    catalogue = survey_workloads(tmp_path)
    assert set(catalogue.workloads) == {
        "cpu-utilization",
        "cnn-execution-time",
        "convolution-across-devices",
        "operator-execution-time",
        "queries",
    }
    assert list(catalogue.problems) == [str(wrong)]
    assert reason in catalogue.problems[str(wrong)]
    with pytest.raises(InvalidDeclaration, match=r"wrong\.yaml"):
        load_workloads(tmp_path)


def test_a_missing_folder_is_told_and_the_built_in_workloads_are_used(tmp_path: Path) -> None:
    catalogue = survey_workloads(tmp_path / "none")
    assert set(catalogue.workloads) == {
        "cpu-utilization",
        "cnn-execution-time",
        "convolution-across-devices",
        "operator-execution-time",
    }
    assert "is not a folder" in catalogue.problems[str(tmp_path / "none")]


def test_good_files_leave_no_problem(tmp_path: Path) -> None:
    (tmp_path / "good.yml").write_text(GOOD)
    assert not survey_workloads(tmp_path).problems
    assert "queries" in load_workloads(tmp_path)
