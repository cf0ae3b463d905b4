"""How far a job is, from what its training process tells."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from perfcast.jobs.queue import Job, Progress

KEPT_TRIALS = 50
"""The last trials that the row keeps."""
_SEARCH_SHARE = 0.9
_REGISTERING_SHARE = 0.97
_FINAL_FITS = 2
"""What follows the search, in trials."""


class Tracker:
    """Collects messages into a `Progress`; that of a continued search goes on from its trials."""

    def __init__(self, job: Job) -> None:
        self._limit = job.request.timeout_seconds
        self._spent_before = job.spent_seconds
        self._begun = time.monotonic()
        self._search_begun: float | None = None
        self._known = job.progress.trial
        self._trials: dict[int, dict[str, Any]] = {trial["trial"]: trial for trial in job.trials()}
        self._of = job.request.n_trials
        self.progress = job.progress

    @property
    def spent_seconds(self) -> float:
        """How long the job has run, over all attempts."""
        return self._spent_before + time.monotonic() - self._begun

    def hear(self, message: Mapping[str, Any]) -> bool:
        """Take in a message; whether it told something new."""
        if message.get("kind") == "trial":
            self._trial(message)
        elif message.get("kind") == "stage":
            self._stage(str(message["stage"]))
        else:
            return False
        return True

    def _stage(self, stage: str) -> None:
        share = _REGISTERING_SHARE if stage == "registering" else self.progress.share
        self.progress = replace(self.progress, stage=stage, share=share, eta_seconds=None)

    def _trial(self, told: Mapping[str, Any]) -> None:
        if self._search_begun is None:
            self._search_begun, self._known = time.monotonic(), int(told["finished"])
        done = int(told["finished"])
        self._keep(told)
        self.progress = Progress(
            stage="fitting" if done >= self._of else "searching",
            share=self._share(done),
            trial=done,
            best_score=told["best_score"],
            best_family=told["best_family"],
            eta_seconds=self._eta(done, told["seconds_left"]),
            trials=tuple(self._trials.values()),
        )

    def _keep(self, told: Mapping[str, Any]) -> None:
        row = {name: told[name] for name in ("trial", "family", "state", "score", "seconds")}
        trials = sorted((self._trials | {int(told["trial"]): row}).items())
        self._trials = dict(trials[-KEPT_TRIALS:])

    def _share(self, done: int) -> float:
        by_time = self.spent_seconds / self._limit if self._limit else 0.0
        return min(1.0, max(done / self._of, by_time)) * _SEARCH_SHARE

    def _eta(self, done: int, left: float | None) -> float | None:
        """The time limit's seconds, or what the trials of this attempt took on average, whichever is less."""
        estimates = [] if left is None else [float(left)]
        if self._search_begun is not None and done > self._known:
            mean = (time.monotonic() - self._search_begun) / (done - self._known)
            estimates.append(mean * (self._of - done + _FINAL_FITS))
        return round(min(estimates), 1) if estimates else None
