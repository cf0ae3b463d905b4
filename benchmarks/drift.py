"""What watching for drift does on real servers and on a simulated service: false alarms, delays, and retraining.

    .venv/bin/python benchmarks/drift.py FOLDER_OF_PUBLIC_DATA [real] [quiet] [deploys] [usual] [--results FOLDER]

The real part lives through `server_minutes_*_test` minute by minute, after training on `server_minutes_*_train`, with
the product's own code: the watcher, the schedules and their limits, training, and the gate. Models are XGBoost after
one trial. Intervals are the versions' own, without the running correction. What the machine's clock says plays no
part: each row's time is the one it was measured at.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import structlog
import xgboost as xgb
from living import DAY, EFFORT, FEATURES, Life, Stream, live, server, simulated

from perfcast.jobs import Plan

PAGES = ("error", "coverage")


def oracle(stream: Stream) -> np.ndarray:
    """Errors of a model refitted for each day, on that day and the two before but for the hour it answers.

    The best that following could be: alternate hours of the same days, by two fits.
    """
    errors = np.zeros(len(stream.cost))
    half = (np.arange(len(stream.cost)) // 60) % 2
    for begin in range(stream.known, len(stream.cost), DAY):
        rows = np.arange(begin, min(begin + DAY, len(stream.cost)))
        past = np.arange(begin - 2 * DAY, rows[-1] + 1)
        for side in (0, 1):
            learnt, asked = past[half[past] != side], rows[half[rows] == side]
            model = xgb.XGBRegressor(n_estimators=200, max_depth=5, learning_rate=0.05, n_jobs=1)
            model.fit(stream.features[learnt], stream.cost[learnt])
            errors[asked] = np.abs(model.predict(stream.features[asked]) - stream.cost[asked])
    return errors


def smooth(values: np.ndarray, rows: int) -> np.ndarray:
    """Mean of the rows up to each."""
    total = np.cumsum(np.concatenate([[0.0], values]))
    at = np.arange(len(values))
    first = np.maximum(0, at - rows + 1)
    return (total[at + 1] - total[first]) / (at + 1 - first)


def changes(errors: np.ndarray, best: np.ndarray) -> list[int]:
    """Where a real change begins: three hours and a day from there have twice the oracle's error, the day before not.

    Args:
        errors: Of the model that was never trained again.
        best: Of the oracle.
    """

    def worse(first: int, last: int) -> bool:
        part = slice(max(0, first), last)
        return bool(errors[part].mean() >= 2 * best[part].mean())

    found: list[int] = []
    for at in range(0, len(errors) - DAY // 2, 60):
        before = at > 0 and worse(at - DAY, at)
        if worse(at, at + 180) and worse(at, at + DAY) and not before and (not found or at - found[-1] > DAY):
            found.append(at)
    return found


def real(folder: Path, report: Callable[[str], None], names: Sequence[str], *, every: bool) -> dict[str, Any]:
    """The servers, with and without training anew, side by side in processes."""
    with ProcessPoolExecutor(len(names)) as pool:
        found = list(pool.map(partial(_lives, folder, every=every), names))
    report("## Two real servers\n")
    report("| server | trained anew | MAE | but for labelled anomalies | coverage | runs | promoted | anomalies |")
    report("|---|---|---|---|---|---|---|---|")
    for table, _, _ in found:
        for line in table:
            report(line)
    report("\n## Delays and false alarms of the model that is never trained anew\n")
    report("| server | real change at day | error before → after (× oracle) | first page | after |")
    report("|---|---|---|---|---|")
    for _, delays, _ in found:
        for line in delays:
            report(line)
    return {way: life for _, _, drawn in found for way, life in drawn.items()}


def _lives(folder: Path, name: str, *, every: bool) -> tuple[list[str], list[str], dict[str, Any]]:
    """Lines of both tables, and what is drawn."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    stream = server(folder, name)
    best = oracle(stream)[stream.known :]
    limits: dict[str, Any] = {"drift": True, "least_new_rows": 360, "most_per_day": 4}
    newest = msgspec.structs.replace(EFFORT, newest_rows=3 * DAY)
    ways = {
        "never": (None, True),
        "on signals, from the newest 3 days": (Plan(request=newest, **limits), True),
        "the same, anomalies learnt too": (Plan(request=newest, **limits), False),
    }
    if every:  # four runs a day on all rows, for weeks
        ways["on signals, from all rows"] = (Plan(request=EFFORT, **limits), True)
    normal = ~stream.labelled[stream.known :] if stream.labelled is not None else np.ones(len(best), dtype=bool)
    table = [f"| {name} | *an oracle refitted each day* | {best.mean():.2f} | {best[normal].mean():.2f} | | | | |"]
    delays: list[str] = []
    drawn: dict[str, Any] = {}
    for way, (plan, without) in ways.items():
        life = live(stream, plan, without_anomalies=without)
        errors = np.abs(life.answers - stream.cost)[stream.known :]
        held, promoted = 100 * life.covered[stream.known :].mean(), sum("promoted" in why for _, why in life.runs)
        means = f"{errors.mean():.2f} | {errors[normal].mean():.2f}"
        figures = f"{means} | {held:.0f} % | {len(life.runs)} | {promoted} | {len(life.anomalies)}"
        table.append(f"| {name} | {way} | {figures} |")
        print(table[-1], file=sys.stderr, flush=True)
        begins = changes(errors, best)
        if way == "never":
            delays += _delays(name, stream, life, errors, best, begins)
        drawn[f"{name} {way}"] = (errors, best, life, begins, stream.known)
    return table, delays, drawn


def _delays(
    name: str, stream: Stream, life: Life, errors: np.ndarray, best: np.ndarray, begins: list[int]
) -> Iterator[str]:
    pages = [at - stream.known for at, kind, _ in life.alarms if kind in PAGES]
    for begin in begins:
        before, after = (slice(max(0, begin - DAY), max(1, begin)), slice(begin, begin + DAY))
        ratios = [errors[part].mean() / best[part].mean() for part in (before, after)]
        told = next((at for at in pages if at >= begin), None)
        delay = "already paging" if told is None else f"{(told - begin) / 60:.1f} h"
        when = "" if told is None else f"day {told / DAY:.2f}"
        yield f"| {name} | {begin / DAY:.2f} | {ratios[0]:.1f} → {ratios[1]:.1f} | {when} | {delay} |"
    false = [at for at in pages if errors[max(0, at - 720) : at].mean() < 1.5 * best[max(0, at - 720) : at].mean()]
    quiet = (smooth(errors, 720) < 1.5 * smooth(best, 720)).sum() / (7 * DAY)
    yield f"| {name} | *false pages* | | {len(false)} in {quiet:.2f} quiet weeks | |"


def quiet(report: Callable[[str], None], *, weeks: int, seeds: Sequence[int]) -> None:
    """A service that doesn't change: every page is false."""
    report("\n## A simulated service that doesn't change\n")
    report("| seed | quiet weeks | pages | findings about inputs | budget: pages a week |")
    report("|---|---|---|---|---|")
    for seed in seeds:
        life = live(simulated(17 + 7 * weeks, 17, seed=seed), None)
        pages = [kind for _, kind, _ in life.alarms if kind in PAGES]
        inputs = [kind for _, kind, _ in life.alarms if kind == "inputs"]
        report(f"| {seed} | {weeks} | {len(pages)} | {len(inputs)} | 1 |")


def deploys(report: Callable[[str], None], *, seeds: Sequence[int]) -> None:
    """A deploy that raises demand at a known time."""
    report("\n## A deploy that raises the demand of every request\n")
    report("| demand | seed | first page after | kind | not explained by load |")
    report("|---|---|---|---|---|")
    for demand in (1.1, 1.2, 1.3):
        for seed in seeds:
            stream = simulated(21, 17, seed=seed, demand=demand, at=18.5)
            begin = int((stream.moments < stream.moments[0] + np.timedelta64(int(18.5 * DAY), "m")).sum())
            life = live(stream, None)
            after = [(at, kind) for at, kind, _ in life.alarms if at >= begin]
            page = next(((at, kind) for at, kind in after if kind in PAGES), None)
            told = ("none within 2.5 days", "") if page is None else (f"{(page[0] - begin) / 60:.1f} h", page[1])
            unexplained = "yes" if any(kind == "unexplained" for _, kind in after) else "no"
            report(f"| +{100 * (demand - 1):.0f} % | {seed} | {told[0]} | {told[1]} | {unexplained} |")


def usual(folder: Path, report: Callable[[str], None], names: Sequence[str]) -> None:
    """What fixed thresholds say of hours in which nothing is labelled: the last 35 % of `train`."""
    report("\n## What usual detectors say of the same servers' `train`, where nothing is labelled\n")
    report(
        "| server | hours with PSI > 0.25 in some feature | hours with KS, Bonferroni, p < 0.05 | Page–Hinkley, a day |"
    )
    report("|---|---|---|---|")
    for name in names:
        stream = server(folder, name)
        learnt = int(0.64 * stream.known)
        known, later = stream.features[:learnt], stream.features[learnt : stream.known]
        model = xgb.XGBRegressor(n_estimators=200, max_depth=5, learning_rate=0.05, n_jobs=1)
        model.fit(known, stream.cost[:learnt])
        errors = np.abs(model.predict(later) - stream.cost[learnt : stream.known])
        hours = [later[at : at + 60] for at in range(0, len(later) - 59, 60)]
        psi = np.mean([max(_psi(known[:, at], hour[:, at]) for at in range(len(FEATURES))) > 0.25 for hour in hours])
        ks = np.mean(
            [
                min(_ks(known[:, at], hour[:, at]) for at in range(len(FEATURES))) < 0.05 / len(FEATURES)
                for hour in hours
            ]
        )
        report(f"| {name} | {100 * psi:.0f} % | {100 * ks:.0f} % | {_page_hinkley(errors) / (len(errors) / DAY):.1f} |")


def _psi(known: np.ndarray, seen: np.ndarray) -> float:
    edges = np.unique(np.quantile(known, np.arange(1, 10) / 10))
    shares = [
        np.maximum(
            np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1) / len(values), 1e-4
        )
        for values in (known, seen)
    ]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def _ks(known: np.ndarray, seen: np.ndarray) -> float:
    from scipy.stats import ks_2samp

    return float(ks_2samp(known[:: max(1, len(known) // 2000)], seen).pvalue)


def _page_hinkley(values: np.ndarray, *, delta: float = 0.005, threshold: float = 50.0, least: int = 30) -> int:
    """Alarms of the test with the parameters that libraries have by default, begun anew after each."""
    alarms, count, mean, total, lowest = 0, 0, 0.0, 0.0, 0.0
    for value in values:
        count += 1
        mean += (value - mean) / count
        total = 0.9999 * total + value - mean - delta
        lowest = min(lowest, total)
        if count >= least and total - lowest > threshold:
            alarms, count, mean, total, lowest = alarms + 1, 0, 0.0, 0.0, 0.0
    return alarms


def picture(drawn: dict[str, Any], names: Sequence[str], path: Path) -> None:
    """Errors over time with and without training anew, changes, pages and runs."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(len(names), 1, figsize=(11, 3.6 * len(names)), squeeze=False)
    for axis, name in zip(axes[:, 0], names, strict=True):
        for way, colour in (("never", "#c44e52"), ("on signals, from the newest 3 days", "#4c72b0")):
            errors, best, life, begins, known = drawn[f"{name} {way}"]
            days = np.arange(len(errors)) / DAY
            axis.plot(days[::15], smooth(errors, 180)[::15], color=colour, lw=1.2, label=f"trained anew {way}")
            if way == "never":
                marks = begins
        axis.plot(days[::15], smooth(best, 180)[::15], color="#999999", lw=1, label="oracle, refitted each day")
        for number, begin in enumerate(marks):
            axis.axvline(begin / DAY, color="black", ls=":", lw=1, label=None if number else "real change")
        runs = [(at - known) / DAY for at, why in life.runs if "promoted" in why]
        axis.plot(runs, [0.12] * len(runs), "^", color="#4c72b0", ms=7, label="new champion")
        axis.set(
            yscale="log", ylabel="error, percent points (3 h mean)", title=f"server {name}", xlabel="days lived through"
        )
        axis.legend(fontsize=8, loc="upper left")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)


def main() -> None:
    """Run what was asked for, and write the tables and the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the public data")
    parser.add_argument("parts", nargs="*", help="some of real, quiet, deploys, usual; all by default")
    parser.add_argument("--servers", nargs="*", default=["1-6", "2-8"])
    parser.add_argument("--weeks", type=int, default=6, help="of each quiet life")
    parser.add_argument("--seeds", type=int, default=2, help="simulations of each kind")
    parser.add_argument("--every", action="store_true", help="also training anew from all rows, which takes an hour")
    parser.add_argument("--results", type=Path, help="file for the tables")
    parser.add_argument("--picture", type=Path, help="file for the picture")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    lines: list[str] = []

    def report(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    parts = options.parts or ["real", "quiet", "deploys", "usual"]
    seeds = range(1, options.seeds + 1)
    if "real" in parts:
        drawn = real(options.folder, report, options.servers, every=options.every)
        if options.picture:
            picture(drawn, options.servers, options.picture)
    if "quiet" in parts:
        quiet(report, weeks=options.weeks, seeds=seeds)
    if "deploys" in parts:
        deploys(report, seeds=seeds)
    if "usual" in parts:
        usual(options.folder, report, options.servers)
    if options.results:
        options.results.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
