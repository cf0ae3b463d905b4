"""How right runways are: the day on which simulated services outgrow a limit, and loads a day ahead.

    .venv/bin/python benchmarks/runway.py [--services 30] [--public FOLDER] [--peer]

Each service has traffic, growth and a machine of its own. A model learns from its first six weeks and is asked when the
upper bound first passes a limit, which the simulation then shows: the first hour whose true bound is above it, that is
what its load makes expect and what one row in twenty is above that. With the public data the load of each server is
forecast a day ahead, from the fifteenth day on, beside seasonal naives: the same hour of the day, or of the week,
before. `--peer` adds AutoETS and MSTL of statsforecast, which needs benchmarks/requirements.txt. Prints Markdown and
writes benchmarks/results/runway.md.
"""

import argparse
import json
import statistics
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
from headroom import CONFIDENCE, _bounds, _scenario
from peers import peer_python

from perfcast.capacity import find_runway, follows, forecast
from perfcast.cli._starters import simulated_dataset
from perfcast.training import Budget, train
from perfcast.workloads.cpu_utilization.simulator import Simulation, simulate

HERE = Path(__file__).parent
HISTORY, HORIZON, STEP = 42, 60, 300
"""Days learnt from, days asked about, seconds between two rows."""


def main() -> None:
    """Ask and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--services", type=int, default=30)
    parser.add_argument("--trials", type=int, default=8, help="of each search")
    parser.add_argument("--public", type=Path, help="folder of the public data sets (see benchmarks/README.md)")
    parser.add_argument("--peer", action="store_true", help="also forecast with statsforecast")
    options = parser.parse_args()
    lines = [*_services(options.services, options.trials)]
    if options.public:
        lines += ["", *_day_ahead(options.public, peer=options.peer)]
    print("\n".join(lines))
    (HERE / "results" / "runway.md").write_text("\n".join(lines) + "\n")


def _services(count: int, trials: int) -> Iterator[str]:
    errors, held, false, missed, quiet = list[float](), list[bool](), 0, 0, 0
    for seed in range(count):
        found = _service(seed, trials)
        print(f"service {seed}: {found}", flush=True)
        answered, early, late, true = found
        if true is None:
            quiet += answered is None
            false += answered is not None
            held.append(late is None)
            continue
        held.append((early is not None and early <= true) and (late is None or true <= late))
        if answered is None:
            missed += 1
        else:
            errors.append(answered - true)
    sizes = [abs(error) for error in errors]
    yield (
        "| services | true day within the horizon | of these answered | error in days: median, mean size, worst "
        "| too late by more than 3 days | never, and said so | never, yet said to be | true day in the band of 90 % |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    yield (
        f"| {count} | {len(errors) + missed} | {len(errors)} | {statistics.median(errors):+.1f}, "
        f"{statistics.fmean(sizes):.1f}, {max(sizes):.1f} | {sum(error > 3 for error in errors)} | {quiet} | {false} "
        f"| {sum(held)} of {len(held)} |"
    )


def _service(seed: int, trials: int) -> tuple[float | None, float | None, float | None, float | None]:
    """Days from the end of the history: answered, earliest, latest, true; None where beyond the horizon."""
    random = np.random.default_rng(500 + seed)
    usual = _scenario(seed)
    growth = float(random.uniform(0.0, 0.05))
    scenario = replace(
        usual, days=HISTORY + HORIZON, traffic=replace(usual.traffic, growth_per_week=growth, flash_crowds_per_week=0.0)
    )
    whole = simulate(scenario)
    begin = whole.measured_at[0]
    known = whole.measured_at < begin + np.timedelta64(HISTORY, "D")
    past = Simulation(
        scenario, whole.measured_at[known], whole.features[known], whole.cpu_utilization[known],
        {name: values[known] for name, values in whole.truth.items()},
    )  # fmt: skip
    hours, bounds = _hourly(whole)
    seen = hours < HISTORY * 24
    # Above all that was seen, so that it is passed some day, or not.
    limit = float(np.clip(bounds[seen].max() * random.uniform(1.02, 1.35), 10, 97))
    passed = hours[~seen][bounds[~seen] > limit]
    true = float(passed[0]) / 24 - HISTORY if len(passed) else None
    dataset = simulated_dataset(past)
    best = train(dataset, Budget(trials), seed=0).drafts[0]
    assert dataset.measured_at is not None
    following = follows(dataset.workload, "request_rate", best.manifest.path, None)
    runway = find_runway(
        dataset.workload, partial(_bounds, best), dataset.features, dataset.measured_at, following,
        limit=limit, days=HORIZON, zone=UTC,
    )  # fmt: skip
    start = int(begin.astype("datetime64[h]").astype(np.int64))
    early, middle, late = (None if one is None else (one - start) / 24 - HISTORY for one in runway.first)
    return middle, early, late, true


def _hourly(whole: Simulation) -> tuple[np.ndarray, np.ndarray]:
    """For each hour since the start the true bound: what its load makes expect, and what one row in 20 is above it."""
    hour = (whole.measured_at - whole.measured_at[0]).astype("timedelta64[h]").astype(np.int64)
    numbers, place, counts = np.unique(hour, return_inverse=True, return_counts=True)
    expected, actual = whole.truth["expected"], whole.truth["actual"]
    above = float(np.quantile(actual - expected, CONFIDENCE))
    return numbers, np.bincount(place, expected) / counts + above


def _day_ahead(public: Path, *, peer: bool) -> Iterator[str]:
    yield (
        "| server | days | error a day ahead ÷ that of the same hour a day before | ÷ a week before | 90 % held |"
        + (" AutoETS | MSTL |" if peer else "")
    )
    yield "|---|---|---|---|---|" + ("---|---|" if peer else "")
    for machine in ("1-6", "2-8"):
        moments, load = _server(public, machine)
        hours = moments.astype("datetime64[h]").astype(np.int64)
        numbers, place, counts = np.unique(hours, return_inverse=True, return_counts=True)
        means = np.bincount(place, load) / counts
        found = []
        cuts = range(14 * 24, len(numbers) - 24, 24)
        for cut in cuts:
            known, true = hours < numbers[cut], means[cut : cut + 24]
            ahead = forecast(moments[known], load[known], days=1, zone=UTC)
            low, high = np.quantile(ahead.courses[:, :24], [0.05, 0.95], axis=0)
            day, week = means[cut - 24 : cut], means[cut - 168 : cut - 144]
            errors = [np.abs(guess - true).mean() for guess in (ahead.middle[:24], day, week)]
            found.append([*errors, ((low <= true) & (true <= high)).mean()])
        own, day, week, held = np.mean(found, axis=0)
        line = f"| {machine} | {len(found)} | {own / day:.2f} | {own / week:.2f} | {100 * held:.0f} % |"
        if peer:
            line += "".join(f" {error / day:.2f} |" for error in _peer(means, list(cuts)))
        yield line


def _server(public: Path, machine: str) -> tuple[np.ndarray, np.ndarray]:
    """Both files of a server, one after the other: moments and requests/s."""
    begin, parts, after = np.datetime64("2026-03-02T00:00:00"), [], 0
    for part in ("train", "test"):
        frame = pl.read_csv(public / f"server_minutes_{machine}_{part}.csv.gz")
        minute = frame["minute"].to_numpy()
        shift = 0 if not parts or minute[0] >= after else after
        parts.append((minute + shift, 1000 * frame["passive_opens"].to_numpy()))
        after = int(minute[-1] + shift) + 1
    minutes, load = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return begin + minutes.astype("timedelta64[m]"), load


def _peer(means: np.ndarray, cuts: list[int]) -> tuple[float, float]:
    """Mean errors of AutoETS and MSTL on the same days."""
    with TemporaryDirectory() as name:
        path = Path(name) / "load.json"
        path.write_text(json.dumps({"load": means.tolist(), "cuts": cuts}))
        command = [peer_python(), HERE / "forecast_peer.py", path]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    first, second = json.loads(told.splitlines()[-1])
    return first, second


if __name__ == "__main__":
    main()
