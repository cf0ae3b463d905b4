"""How far a job is, from what its training process tells."""

from dataclasses import replace
from typing import Any

import pytest
from tests.workers import Shop

from perfcast.jobs import Job
from perfcast.jobs.worker._tracker import KEPT_TRIALS, Tracker


@pytest.fixture
def job(shop: Shop) -> Job:
    return shop.submit(n_trials=4)


def told(trial: int, state: str, finished: int, **more: Any) -> dict[str, Any]:
    message = {"kind": "trial", "trial": trial, "of": 4, "family": "xgboost", "state": state, "finished": finished}
    message |= {"score": None, "seconds": None, "best_score": None, "best_family": None, "seconds_left": None}
    return message | more


def test_progress_rises_with_finished_trials_and_ends_only_with_success(job: Job) -> None:
    tracker = Tracker(job)
    shares = []
    for number in range(1, 5):
        tracker.hear(told(number, "running", number - 1))
        tracker.hear(told(number, "complete", number, score=1.0, seconds=0.1, best_score=1.0, best_family="xgboost"))
        shares.append(tracker.progress.share)
    tracker.hear({"kind": "stage", "stage": "registering"})
    shares.append(tracker.progress.share)
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1
    assert (tracker.progress.trial, tracker.progress.best_score) == (4, 1.0)


def test_trials_at_a_time_have_a_row_each(job: Job) -> None:
    tracker = Tracker(job)
    for message in (told(1, "running", 0), told(2, "running", 0), told(2, "complete", 1, score=3.0, seconds=0.2)):
        tracker.hear(message)
    assert [(row["trial"], row["state"]) for row in tracker.progress.trials] == [(1, "running"), (2, "complete")]
    assert tracker.progress.trial == 1


def test_seconds_left_never_exceed_those_of_the_time_limit(job: Job) -> None:
    tracker = Tracker(job)
    tracker.hear(told(1, "running", 0, seconds_left=9.0))
    assert tracker.progress.eta_seconds == 9.0
    tracker.hear(told(1, "complete", 1, seconds_left=0.0))
    assert tracker.progress.eta_seconds == 0.0


def test_a_continued_job_keeps_its_earlier_trials_and_seconds(job: Job) -> None:
    first = Tracker(job)
    first.hear(told(1, "complete", 1, score=1.0, seconds=0.1))
    again = Tracker(replace(job, progress=first.progress, spent_seconds=100.0))
    again.hear(told(2, "running", 1))
    assert [row["trial"] for row in again.progress.trials] == [1, 2]
    assert again.progress.eta_seconds is None
    assert again.spent_seconds >= 100


def test_only_the_last_trials_are_kept(job: Job) -> None:
    tracker = Tracker(job)
    for number in range(1, KEPT_TRIALS + 10):
        tracker.hear(told(number, "complete", number))
    assert [row["trial"] for row in tracker.progress.trials] == list(range(10, KEPT_TRIALS + 10))
