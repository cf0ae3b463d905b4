"""A job as it is watched."""

import io
from typing import Any

import pytest
from rich.console import Console

from perfcast.cli._job_view import _view, headline, watch_job

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
