"""Families of the simplest kind, importable by other processes, that behave as their settings say."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from perfcast.training.families import Family, Lesson, Report, Settings, Space, Stop, Trial, never
from perfcast.workloads import Rows


@dataclass(frozen=True)
class Constant:
    """A fitted constant."""

    settings: Settings

    def predict(self, inputs: Rows) -> Rows:
        return np.full(len(inputs), self.settings["value"], np.float32)

    def graph(self) -> onnx.ModelProto:
        raise NotImplementedError

    def details(self) -> dict[str, Any]:
        return {}

    def thresholds(self) -> dict[int, Rows]:
        return {}


@dataclass(frozen=True)
class Behaving(Family):
    """Answers `value` after `seconds`; `act` says what else it does: fail, die, die_once, deaf.

    Attributes:
        folder: Where each fit leaves a file that tells of it.
    """

    folder: Path
    name: str = "behaving"

    def keeps_trends(self, settings: Settings) -> bool:
        return True

    def start(self, lesson: Lesson) -> Settings:
        return {"value": 1.0}

    def space(self, trial: Trial, lesson: Lesson) -> Settings:
        space = Space(trial, self.name)
        space.number("value", -5, 10)
        return space.settings

    def fit(self, lesson: Lesson, settings: Settings, *, stop: Stop = never, report: Report | None = None) -> Constant:
        act, end = settings.get("act"), time.monotonic() + float(settings.get("seconds", 0))
        mark = self.folder / f"{round(1e6 * settings['value'])}_{time.monotonic_ns()}_{os.getpid()}"
        died = self.folder / "died"
        mark.touch()
        if act == "fail":
            raise ValueError("singular")
        if act == "break":
            raise TypeError("unforeseen")
        if act == "die" or (act == "die_once" and not died.exists()):
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        for step, error in enumerate(settings.get("curve", ())):
            if report is not None:
                report(step, error)
        while time.monotonic() < end and (act == "deaf" or not stop()):
            time.sleep(0.01)
        mark.with_suffix(".stopped" if time.monotonic() < end else ".ended").touch()
        return Constant({**settings, "rows": len(lesson.target), "threads": lesson.threads})
