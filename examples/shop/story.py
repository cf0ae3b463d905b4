"""The shop's story: its load is collected, learnt and predicted; a deploy changes what it costs; Perfcast notices.

    python examples/shop/story.py recording --out story    # lives through what run.py recorded, in some minutes
    python examples/shop/story.py --live --out story       # the same while the shop runs, 64 minutes

The shop's day of four minutes is a day to Perfcast: Prometheus is asked through `stretched.py`, and the clock of
Perfcast's processes is set row by row. What happens: the first week is collected and learnt (`perfcast collect
backfill`, `perfcast train`); from then on each row is collected, posted to `POST /feedback` and so predicted
and judged, as `perfcast collect follow` does; a schedule that listens to monitoring trains anew; the gate decides.
Written to the folder: `rows.parquet` (each row's actual, prediction and interval), `story.json` (what happened when).
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa
from installation import Installation, eventually, installation, started
from recording import Recording, open_recording
from run import process

from perfcast.collect import Collector, Feedback, Journal, Line, Prometheus, read_collection
from perfcast.datasets import Datasets
from perfcast.registry import Registry
from perfcast.storage import Blobs, Database, schema
from perfcast.workloads import builtin_workloads

MODEL = "cpu-utilization-shop"
HOUR, DAY = 3600, 86_400
LEARN_DAYS = 7
"""Of them 15 % size the intervals: a whole day, so that they hold by day and by night."""
DAYS = ["--day-minutes", "4", "--scrape-seconds", "2", "--deploy-at", "0.5"]
LEARNT_AGAIN, NEW_ROWS = 420, 540
"""A signal trains on the newest three and a half days, once there are four and a half that nothing was learnt from: a
deploy in the first of these days is then older than all that is learnt."""
FOLLOWED_SECONDS = 1.0
"""Until then the server answers with a new champion: it looks five times a second here."""
SEARCH = ["--trials", "6", "--families", "xgboost,polynomial"]


def main() -> None:
    """Live through it, and write down what happened."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("recording", type=Path, nargs="?", help="folder that run.py wrote")
    told.add_argument("--live", action="store_true", help="run the shop meanwhile")
    told.add_argument("--minutes", type=float, default=64, help="how long it runs live")
    told.add_argument("--out", type=Path, required=True, help="a new folder")
    told.add_argument("--learn-days", type=float, default=LEARN_DAYS, help="learnt first, by the shop's clock")
    chosen = told.parse_args()
    if chosen.live == bool(chosen.recording):
        told.error("give a recording, or --live")
    chosen.out.mkdir(parents=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with ExitStack() as open_:
        folder = chosen.recording or chosen.out / "recording"
        if chosen.live:
            options = [*DAYS, "--minutes", str(chosen.minutes), "--out", str(folder.resolve())]
            open_.enter_context(process([sys.executable, "run.py", *options], chosen.out / "run.log"))
            eventually((folder / "run.json").exists)
        recording = open_.enter_context(open_recording(folder))
        Story(recording, chosen.out, chosen.learn_days).live_through()


class Story:
    """Perfcast beside a shop.

    Args:
        recording: The shop.
        out: For what is written.
        learn_days: How much is learnt first.
    """

    def __init__(self, recording: Recording, out: Path, learn_days: float) -> None:
        self._recording, self._out, self._learn_days = recording, out, learn_days
        self._events: list[dict[str, Any]] = []
        self._champion = 0
        self._alarms: set[tuple[str, str, int]] = set()

    def live_through(self) -> None:
        """All of it."""
        begins = self._recording.stretch.begins
        learnt = begins + self._learn_days * DAY
        with ExitStack() as open_:
            self._recording.reach(learnt)
            here = installation(self._out / "perfcast", learnt + self._recording.lag)
            file = self._recording.collection(self._out / "shop.yaml")
            self._begin(here, file, begins, learnt)
            open_.enter_context(started(here))
            database = open_.enter_context(closing(Database(f"sqlite:///{here.folder / 'perfcast.db'}")))
            self._note(learnt, "serving", f"version {self._watch_champion(here, learnt)}")
            for at in self._follow(here, file, database, learnt):
                if at // HOUR > (at - self._recording.step) // HOUR:
                    here.settle(database)
                    self._look(here, at)
            self._write(database, here)

    def _begin(self, here: Installation, file: Path, begins: float, learnt: float) -> None:
        """Collect the past, learn from it, and listen to monitoring from now on."""
        print(here.command("collect", "check", str(file), "--hours", str(24 * self._learn_days)))
        since, until = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) for at in (begins + HOUR, learnt))
        print(here.command("collect", "backfill", str(file), "--since", since, "--until", until))
        print(here.command("train", "--dataset", "shop", *SEARCH))
        heed = ["--drift", "--newest-rows", str(LEARNT_AGAIN), "--least-new-rows", str(NEW_ROWS)]
        print(here.command("schedules", "set", MODEL, *heed, *SEARCH))

    def _follow(self, here: Installation, file: Path, database: Database, learnt: float) -> Iterator[float]:
        """Collect and tell of each row when it is there; gives the time each."""
        collection = read_collection(file, builtin_workloads())
        blobs = Blobs(str(here.folder / "artifacts"))
        path = here.folder / "collect" / f"{collection.name}.db"
        with closing(Journal(path, len(collection.workload.features))) as journal:
            line = Line(Datasets(database, blobs), collection, journal)
            server = Prometheus(collection.document.server)
            feedback = Feedback(collection, journal, partial(here.call, "POST", "/feedback"))
            collector = Collector(collection, server, journal, line, feedback=feedback)
            collector.prepare()
            at = learnt + collection.step
            while at <= self._recording.ends - self._recording.lag:
                self._recording.reach(at)
                eventually(lambda: not is_training(here), seconds=600)
                here.set_clock(at + self._recording.lag)
                collector.catch_up(at + self._recording.lag)
                yield at
                at += collection.step

    def _look(self, here: Installation, at: float) -> None:
        """Note what has been found, and wait for a training run that follows from it: meanwhile the clock stands."""
        drift = here.call("GET", f"/models/{MODEL}/drift")
        for finding in drift["findings"]:
            told = (finding["kind"], finding["feature"] or "", drift["version"])
            if finding["alarm"] and told not in self._alarms:
                self._alarms.add(told)
                self._note(at, "alarm", f"{finding['kind']}: {finding['words']}")
        self._train(here, at)
        self._watch_champion(here, at)

    def _train(self, here: Installation, at: float) -> None:
        """Let the schedule act, and wait for what it begins."""

        def is_quiet() -> bool:
            schedule = here.call("GET", f"/schedules/{MODEL}")
            return not is_training(here) and (schedule["signal"] is None or schedule["held_back"] is not None)

        eventually(is_quiet, seconds=600)
        jobs = here.call("GET", "/train/jobs")["jobs"]
        for job in reversed(jobs[: len(jobs) - sum(event["what"] == "trained" for event in self._events)]):
            self._note(at, "trained", f"{job['status']}: {job['outcome'] or job['error']}")

    def _watch_champion(self, here: Installation, at: float) -> int:
        number = int(here.call("GET", f"/models/{MODEL}")["aliases"]["champion"])
        if number != self._champion:
            if self._champion:
                self._note(at, "promoted", f"version {number}")
                time.sleep(FOLLOWED_SECONDS)
            self._champion = number
        return number

    def _note(self, at: float, what: str, words: str) -> None:
        stretch = self._recording.stretch
        after = [at - deploy for deploy, _ in self._recording.deploys if deploy <= at]
        since = {"hours_after_deploy": round(after[-1] / HOUR, 2)} if after else {}
        minutes = {"minutes_after_deploy": round(after[-1] / stretch.factor / 60, 2)} if after else {}
        event = {"at": at, "what": what, "words": words} | since | minutes
        self._events.append(event)
        print(time.strftime("%a %H:%M", time.gmtime(at)), what, words, since, flush=True)

    def _write(self, database: Database, here: Installation) -> None:
        rows = judged_rows(database, here)
        rows.write_parquet(self._out / "rows.parquet")
        document = {
            "deploys": self._recording.deploys,
            "factor": self._recording.stretch.factor,
            "events": self._events,
            "periods": periods(rows, self._recording.deploys, self._events),
        }
        (self._out / "story.json").write_text(json.dumps(document, indent=1))
        print(json.dumps(document["periods"], indent=1))


def is_training(here: Installation) -> bool:
    """Whether a training run waits or runs; meanwhile the clock stands."""
    return any(job["status"] in ("queued", "running") for job in here.call("GET", "/train/jobs")["jobs"])


def judged_rows(database: Database, here: Installation) -> pl.DataFrame:
    """Each actual with its prediction, its interval as answered and as it would have been without correction."""
    registry = Registry(database, Blobs(str(here.folder / "artifacts")))
    table = schema.actual.c
    wanted = (table.measured_at, table.version, table.value, table.predicted, table.lower, table.upper)
    query = sa.select(*wanted).where(table.state == "joined").order_by(table.measured_at)
    with database.read() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    calibrations = {n: registry.version(MODEL, n).manifest.calibration for n in {row["version"] for row in rows}}
    for row in rows:
        calibration = calibrations[row["version"]]
        plain = calibration.interval(row["predicted"], 0.9) if calibration is not None else None
        row["plain_lower"], row["plain_upper"] = plain or (None, None)
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col("measured_at").str.to_datetime(time_zone="UTC")
    )


def periods(
    rows: pl.DataFrame, deploys: Sequence[tuple[float, float]], events: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Error, coverage and width of each version before and after the deploy."""
    deploy = deploys[0][0] if deploys else float("inf")
    promoted = [event["at"] for event in events if event["what"] == "promoted" and event["at"] > deploy]
    ends = [("before the deploy", 0.0, deploy)]
    bounds = [deploy, *promoted, float("inf")]
    names = ["after it", *(f"after retraining {number}" for number in range(1, len(promoted) + 1))]
    ends += [(name, *pair) for name, pair in zip(names, pairwise(bounds), strict=True)]
    seconds = pl.col("measured_at").dt.epoch("s")
    found = []
    for name, since, until in ends:
        some = rows.filter((seconds > since) & (seconds <= until))
        if not len(some):
            continue
        found.append({"period": name, "rows": len(some)} | _figures(some))
    return found


def _figures(rows: pl.DataFrame) -> dict[str, float]:
    """Mean error, and how much of the truth intervals of what width held: as answered, and as calibrated."""
    off = pl.col("predicted") - pl.col("value")
    wanted: dict[str, pl.Expr] = {"mean error": off.abs().mean(), "bias": off.mean()}
    for name, lower, upper in (("", "lower", "upper"), (", uncorrected", "plain_lower", "plain_upper")):
        held = pl.col("value").is_between(lower, upper)
        wanted["held %" + name] = 100 * held.mean()
        wanted["width" + name] = (pl.col(upper) - pl.col(lower)).mean()
    found = rows.select(**wanted).row(0, named=True)
    return {name: round(value, 2) for name, value in found.items()}


if __name__ == "__main__":
    main()
