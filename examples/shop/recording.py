"""A recording of the shop, opened again: its Prometheus, its clock, and what `perfcast collect` is to read of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from run import HERE, prometheus_on
from stretched import DAY_SECONDS, Stretch, stretched

MONDAY = 1_795_392_000
"""Midnight of 23 November 2026, UTC: where the shop's first day begins on the stretched clock, unless told otherwise."""
STEP_SECONDS, WINDOW_SECONDS = 5, 15
"""Of a recording's rows, by the real clock."""


@dataclass(frozen=True)
class Recording:
    """A recording that can be asked.

    Attributes:
        url: Of the Prometheus on the stretched clock.
        prometheus: Of the one on the real clock.
        stretch: The two clocks.
        run: What `run.json` holds.
        seconds: How long it is, by the real clock.
    """

    url: str
    prometheus: str
    stretch: Stretch
    run: dict[str, Any]
    seconds: float

    @property
    def ends(self) -> float:
        """When it ends, on the stretched clock."""
        return self.stretch.stretched(self.stretch.opened + self.seconds)

    @property
    def deploys(self) -> list[tuple[float, float]]:
        """When, on the stretched clock, what demand was brought in."""
        return [(self.stretch.stretched(at), demand) for at, demand in self.run["deploys"]]

    def collection(self, path: Path) -> Path:
        """Write what `perfcast collect` is to read."""
        document = yaml.safe_load((HERE / "shop.yaml").read_text())
        factor = round(self.stretch.factor)
        document["server"]["url"] = self.url
        document |= {"step": STEP_SECONDS * factor, "window": WINDOW_SECONDS * factor}
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        return path


@contextmanager
def open_recording(folder: Path, begins: float = MONDAY) -> Iterator[Recording]:
    """Open what `run.py` left in a folder."""
    run = json.loads((folder / "run.json").read_text())
    stretch = stretch_of(run, begins)
    seconds = run["load"][-1][0] - run["opened"]
    with prometheus_on(folder.resolve()) as prometheus, stretched(prometheus, stretch) as url:
        yield Recording(url, prometheus, stretch, run, seconds)


def stretch_of(run: dict[str, Any], begins: float) -> Stretch:
    """The clock by which a recording's day takes 24 hours."""
    return Stretch(run["opened"], begins, DAY_SECONDS / (60 * run["day_minutes"]))
