"""`perfcast report` and `perfcast models card` on the local state."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.drafts import draft, weighted
from tests.workers import Shop, small_dataset

from perfcast.cli import main
from perfcast.settings import load_settings
from perfcast.training import Budget, train
from perfcast.workloads import builtin_workloads

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command line in this process; gives exit status, standard output and standard error."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["perfcast", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        code = stopped.value.code
        return (code if isinstance(code, int) else 0), shown.out, shown.err

    return call


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A trained model, `simulated`, and one that was uploaded without a word about its rows."""
    (tmp_path / "var").mkdir()
    shop, rows = Shop(load_settings(data_dir=tmp_path / "var")), small_dataset()
    shop.datasets.add(rows)
    (made,) = train(rows, Budget(1), family_names=["polynomial"]).drafts
    shop.registry.add("simulated", made, dataset=rows.name)
    shop.registry.point("simulated", "champion", 1)
    cpu = builtin_workloads()["cpu-utilization"]
    shop.registry.add("uploaded", draft(cpu, weighted(cpu, request_rate=0.2), calibrated=False))
    shop.close()
    return shop


def test_a_report_with_a_learning_curve_is_written_and_told_of(run: Run, shop: Shop, tmp_path: Path) -> None:
    status, out, err = run("report", "simulated", "--learning-curve")
    assert status == 0, err
    assert out == "report-simulated-1/report.html\n"
    page = (tmp_path / "report-simulated-1" / "report.html").read_text(encoding="utf-8")
    assert "Learning curve" in page
    assert err.count("rows, mean error") == 5
    assert "5 shares, about" in err


def test_a_version_without_rows_has_a_report_but_no_learning_curve(run: Run, shop: Shop, tmp_path: Path) -> None:
    status, out, err = run("report", "uploaded:1", "--out", "here/there")
    assert status == 0, err
    assert out == "here/there/report.html\n"
    assert "0 pictures" in err
    status, _, err = run("report", "uploaded:1", "--learning-curve")
    assert status == 1
    assert "uploaded:1 can't have a learning curve: it doesn't say which rows it was made from" in err


def test_a_card_is_printed(run: Run, shop: Shop) -> None:
    status, out, err = run("models", "card", "simulated")
    assert status == 0, err
    assert out.startswith("# simulated:1\n")


def test_a_model_that_is_not_there_is_refused_with_the_closest(run: Run, shop: Shop) -> None:
    for words in (("report", "simulate"), ("models", "card", "simulate")):
        status, _, err = run(*words)
        assert status == 1
        assert "did you mean 'simulated'" in err


def test_a_folder_that_can_not_be_made_is_named(run: Run, shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    status, _, err = run("report", "uploaded:1", "--out", "file")
    assert status == 1
    assert "file: File exists" in err


@pytest.mark.parametrize("words", [("report",), ("models", "card")])
def test_help_shows_examples(run: Run, words: tuple[str, ...]) -> None:
    status, out, _ = run(*words, "--help")
    assert status == 0
    assert f"perfcast {' '.join(words)} cpu-utilization" in out
