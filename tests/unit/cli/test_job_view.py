"""A job as it is watched."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from perfcast.cli import _job_view
from perfcast.cli._job_view import _view, headline, watch_job
from perfcast.errors import Unavailable

JOB: dict[str, Any] = {
    "job_id": "j",
    "model_name": "shop",
    "status": "running",
    "stage": "searching",
    "progress": 0.45,
    "trial": 1,
    "n_trials": 2,
    "best_score": 1.25,
    "best_family": "xgboost",
    "metric": "mae",
    "eta_seconds": 7.4,
    "attempt": 1,
    "error": None,
    "model_version": None,
    "outcome": None,
    "trials": [
        {"trial": 1, "family": "xgboost", "state": "complete", "score": 1.25, "seconds": 0.5},
        {"trial": 2, "family": "polynomial", "state": "running", "score": None, "seconds": None},
    ],
}


def test_the_live_view_has_each_trial_the_best_so_far_and_the_seconds_left() -> None:
    screen = io.StringIO()
    Console(file=screen, width=100).print(_view(JOB))
    shown = screen.getvalue()
    for words in ("shop: running, searching", "best mae 1.25 (xgboost)", "polynomial", "about 7 s left"):
        assert words in shown


def test_a_failed_job_says_why_in_its_line() -> None:
    line = headline(JOB | {"status": "failed", "error": "its worker died; given up after 3 attempts", "attempt": 3})
    assert "failed" in line
    assert "attempt 3" in line
    assert "given up" in line


def test_without_a_terminal_each_news_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    states = iter([JOB, JOB, JOB | {"status": "succeeded", "model_version": 3, "outcome": "promoted"}])
    final = watch_job(lambda identifier: next(states), "j")
    assert final["status"] == "succeeded"
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[-1].endswith("version 3 promoted")


def told(*answers: dict[str, Any] | Exception) -> Callable[[str], dict[str, Any]]:
    """What gives or raises one of these after the other, and the last of them again and again."""
    left = list(answers)

    def show(_: str) -> dict[str, Any]:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return show


def test_watching_goes_on_while_the_server_restarts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_job_view, "_SECONDS", 0.01)
    away = Unavailable("nobody answers")
    final = watch_job(told(JOB, away, away, JOB, JOB | {"status": "succeeded"}), "j")
    assert (final["status"], final["error"]) == ("succeeded", None)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[1].endswith("nobody answers")
    assert lines[2] == lines[0]


def test_watching_ends_where_nobody_answers_at_first_or_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_job_view, "_SECONDS", 0.01)
    monkeypatch.setattr(_job_view, "_PATIENCE_SECONDS", 0.05)
    for answers in ([Unavailable("away")], [JOB, Unavailable("away")]):
        with pytest.raises(Unavailable, match="away"):
            watch_job(told(*answers), "j")
