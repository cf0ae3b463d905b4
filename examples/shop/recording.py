"""A recording of the shop, opened again: its Prometheus, its clock, and what `perfcast collect` is to read of it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from run import HERE, is_there, prometheus_on
from stretched import DAY_SECONDS, Stretch, stretched

MONDAY = 1_795_392_000
"""Midnight of 23 November 2026, UTC: when the shop's first day begins on the stretched clock."""
SCRAPES_A_WINDOW = 4
LAG_STEPS = 2
"""So many steps old a row must be before it is asked for."""
_LAST_SECONDS = 20
"""So long before a running shop closes nothing is asked any more."""


@dataclass(frozen=True)
class Recording:
    """A recording that can be asked.

    Attributes:
        url: Of the Prometheus on the stretched clock.
        stretch: The two clocks.
        run: What `run.json` holds.
        seconds: How long it is, by the real clock.
    """

    url: str
    stretch: Stretch
    run: dict[str, Any]
    seconds: float

    @property
    def step(self) -> int:
        """From one scrape to the next, and from row to row: seconds of the stretched clock."""
        return round(self.run.get("scrape_seconds", 5) * self.stretch.factor)

    @property
    def lag(self) -> int:
        """How old a row must be before it is asked for: seconds of the stretched clock."""
        return LAG_STEPS * self.step

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
        document["server"]["url"] = self.url
        document |= {"step": self.step, "window": SCRAPES_A_WINDOW * self.step, "lag": self.lag, "publish_rows": 10}
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        return path

    def reach(self, at: float) -> None:
        """Return once the shop has come to a moment of the stretched clock: at once, since it has been."""


@dataclass(frozen=True)
class Running(Recording):
    """A shop that runs meanwhile.

    Attributes:
        folder: Where it writes.
    """

    folder: Path

    @property
    def deploys(self) -> list[tuple[float, float]]:
        """As of any recording, so far."""
        return [(self.stretch.stretched(at), demand) for at, demand in read_run(self.folder)["deploys"]]

    def reach(self, at: float) -> None:
        """Wait for the shop."""
        ready = self.stretch.real(at + self.lag)
        time.sleep(max(0.0, ready - time.time()))


@contextmanager
def open_recording(folder: Path) -> Iterator[Recording]:
    """Open what `run.py` left in a folder, or what it is about to."""
    run = read_run(folder)
    stretch = Stretch(run["opened"], MONDAY, DAY_SECONDS / (60 * run["day_minutes"]))
    if is_there(run["prometheus"]):
        with stretched(run["prometheus"], stretch) as url:
            yield Running(url, stretch, run, 60 * run["minutes"] - _LAST_SECONDS, folder)
        return
    seconds = run["load"][-1][0] - run["opened"]
    with prometheus_on(folder.resolve()) as prometheus, stretched(prometheus, stretch) as url:
        yield Recording(url, stretch, run, seconds)


def read_run(folder: Path) -> dict[str, Any]:
    """What `run.py` tells of a run."""
    return json.loads((folder / "run.json").read_text())
