"""How right headroom is: against simulated services whose truth is known, and beyond the load that was seen.

    .venv/bin/python benchmarks/headroom.py [--services 50] [--public FOLDER]

Each service has traffic, requests and a machine of its own, and a model of two weeks of its rows. At moments that the
model hasn't seen it is asked how far the load may rise below a limit. The answered load is then simulated, held steady,
at that hour, and so is the largest for which the actual cost stays within the limit as often as was asked. With the
public data a model also learns from the lower 60 % of a real service's loads and is asked about the rest. Prints
Markdown and writes benchmarks/results/headroom.md.
"""

import argparse
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from perfcast.capacity import CONFIDENCES, Bounds, find_headroom, follows
from perfcast.cli._starters import simulated_dataset
from perfcast.datasets import Dataset
from perfcast.export import run_with_spread
from perfcast.manifest import Draft
from perfcast.training import Budget, train
from perfcast.workloads import Rows
from perfcast.workloads.cpu_utilization.simulator import Scenario, simulate
from perfcast.workloads.cpu_utilization.simulator._scenario import RequestClass, Service, Traffic

LIMITS, MOMENTS, CONFIDENCE = (60.0, 80.0), 2, 0.95
STEP, STEADY_HOURS, STEADY_RUNS = 300.0, 1.0, 12
LEARNT = 0.6
"""Share of a real service's loads that its model has seen."""


@dataclass(frozen=True)
class Asked:
    """One question: the load that was answered, the true one, and how often the actual cost was beyond the limit."""

    answered: float
    true: float
    beyond: float
    extrapolated: bool


def main() -> None:
    """Ask and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--services", type=int, default=50)
    parser.add_argument("--trials", type=int, default=8, help="of each search")
    parser.add_argument("--public", type=Path, help="folder of the public data sets (see benchmarks/README.md)")
    options = parser.parse_args()
    asked, unreached, missing = list[Asked](), 0, 0
    for seed in range(options.services):
        for found in _service(seed, options.trials):
            if isinstance(found, Asked):
                asked.append(found)
            elif found == "not reached":
                unreached += 1
            else:
                missing += 1
        print(f"{seed + 1} services, {len(asked)} answers", flush=True)
    lines = [*_summary(asked, unreached, missing), *(_beyond(options.public) if options.public else ())]
    print("\n".join(lines))
    (Path(__file__).parent / "results" / "headroom.md").write_text("\n".join(lines) + "\n")


def _service(seed: int, trials: int) -> Iterator[Asked | str]:
    scenario = _scenario(seed)
    dataset = simulated_dataset(simulate(scenario))
    split = dataset.split()
    best = train(dataset, Budget(trials), seed=0).drafts[0]
    random = np.random.default_rng(seed)
    for limit in LIMITS:
        for at in random.integers(len(split.test), size=MOMENTS):
            moment = split.test.measured_at[at].astype("datetime64[s]").item().replace(tzinfo=UTC)
            row = split.test.features[at]
            path = best.manifest.path
            found = find_headroom(
                dataset.workload, partial(_bounds, best), row, follows(dataset.workload, "request_rate", path, None),
                limit=limit, observed=best.manifest.ranges["request_rate"][1],
            )  # fmt: skip
            if found.most is None:
                yield "none"
            elif not found.reached:
                yield "not reached"
            else:
                actual = _steady(scenario, found.most, moment)
                true = _true_most(scenario, limit, moment)
                yield Asked(found.most, true, float((actual > limit).mean()), found.most > (found.observed or 0.0))


def _scenario(seed: int) -> Scenario:
    """A service of its own: its size, its requests, what its machine and its users take."""
    random = np.random.default_rng(1000 + seed)
    scale = float(np.exp(random.uniform(-1, 1)))
    cores = int(random.choice([4, 8, 16, 32]))
    peak = 20 * cores * float(random.uniform(0.5, 1.0)) / scale
    usual = Service()
    classes = tuple(
        RequestClass(
            name=one.name, cpu_seconds=one.cpu_seconds * scale * float(np.exp(random.normal(0, 0.2))),
            share=one.share, business_share=one.business_share,
        )
        for one in usual.request_classes
    )  # fmt: skip
    return Scenario(
        days=14, step_seconds=STEP, seed=seed,
        traffic=Traffic(peak_rate=peak, noise=float(random.uniform(0.05, 0.12)), growth_per_week=0.02),
        service=replace(
            usual, cores=cores, request_classes=classes, deploys=(),
            contention=float(random.uniform(0.0, 0.05)), coherency=float(random.uniform(0.0, 0.004)) * 8 / cores,
            cores_per_user=float(random.uniform(0.0, 0.008)), cores_per_connection=float(random.uniform(0.0, 0.01)),
        ),
    )  # fmt: skip


def _bounds(best: Draft, rows: Rows) -> Bounds:
    found = run_with_spread(best.graph, rows)
    table = best.manifest.calibration
    assert table is not None
    lower, upper = table.intervals(found.cost.astype(float), CONFIDENCES[CONFIDENCE], found.spread)
    return Bounds(found.cost, lower.astype(np.float32), upper.astype(np.float32))


def _steady(scenario: Scenario, rate: float, moment: datetime) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Actual utilisation, percent, while the load is held at a rate for an hour around a moment."""
    flat = replace(
        scenario.traffic, peak_rate=max(rate, 1e-3), workday_shape=(1.0,) * 24, weekend_shape=(1.0,) * 24,
        weekday_factors=(1.0,) * 7, holidays=(), growth_per_week=0.0, noise=0.0, bursts_per_day=0.0,
        flash_crowds_per_week=0.0,
    )  # fmt: skip
    start = moment - timedelta(hours=STEADY_HOURS / 2)
    found = []
    for run in range(STEADY_RUNS):
        steady = replace(scenario, traffic=flat, start=start, days=STEADY_HOURS / 24, step_seconds=STEP, seed=77 + run)
        found.append(simulate(steady).truth["actual"])
    return np.concatenate(found)


def _true_most(scenario: Scenario, limit: float, moment: datetime) -> float:
    """The largest steady rate at which the actual cost stays within the limit as often as the confidence says."""
    low, high = 0.0, 4.0 * scenario.traffic.peak_rate * max(1.0, scenario.service.cores / 8)
    for _ in range(14):
        middle = (low + high) / 2
        within = float((_steady(scenario, middle, moment) <= limit).mean())
        low, high = (middle, high) if within >= CONFIDENCE else (low, middle)
    return low


def _summary(asked: list[Asked], unreached: int, missing: int) -> Iterator[str]:
    ratios = [one.answered / one.true for one in asked if one.true > 0]
    beyond = [one.beyond for one in asked]
    yield (
        "| questions | answered | limit not reached | no load at all | answered ÷ true load: median (10 %, 90 %) "
        "| within 10 % | mean share of time beyond the limit | promised | answers with more than twice that |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    total = len(asked) + unreached + missing
    spread = np.quantile(ratios, [0.1, 0.9])
    near = np.mean([abs(ratio - 1) <= 0.1 for ratio in ratios])
    often = np.mean([share > 2 * (1 - CONFIDENCE) for share in beyond])
    yield (
        f"| {total} | {len(asked)} | {unreached} | {missing} | {statistics.median(ratios):.3f} ({spread[0]:.3f}, "
        f"{spread[1]:.3f}) | {100 * near:.0f} % | {100 * np.mean(beyond):.1f} % "
        f"| at most {100 * (1 - CONFIDENCE):.0f} % | {100 * often:.0f} % |"
    )
    for name, group in (("within what was seen", False), ("beyond it", True)):
        some = [one for one in asked if one.extrapolated is group]
        if some:
            part = [one.answered / one.true for one in some if one.true > 0]
            yield (
                f"| of these {name} | {len(some)} | | | {statistics.median(part):.3f} ({np.quantile(part, 0.1):.3f}, "
                f"{np.quantile(part, 0.9):.3f}) | {100 * np.mean([abs(r - 1) <= 0.1 for r in part]):.0f} % "
                f"| {100 * np.mean([one.beyond for one in some]):.1f} % | | "
                f"{100 * np.mean([one.beyond > 2 * (1 - CONFIDENCE) for one in some]):.0f} % |"
            )


def _beyond(public: Path) -> Iterator[str]:
    """Mean error beyond the load that was seen, on a real service."""
    import measured

    dataset = next(one for one in measured.public(public) if one.name == "serveapp")
    load = dataset.features[:, dataset.workload.feature_names.index("request_rate")]
    edge = float(np.quantile(load, LEARNT))
    seen, rest = load <= edge, load > edge
    lower = Dataset("lower", dataset.workload, dataset.features[seen], dataset.cost[seen], None, {})
    yield "\n| serveapp, learnt from loads up to the 60th percentile | MAE above it | above the 80th |"
    yield "|---|---|---|"
    far = load > np.quantile(load, 0.8)
    for draft in train(lower, Budget(10_000, timeout=60), seed=0).drafts:
        error = np.abs(run_with_spread(draft.graph, dataset.features).cost - dataset.cost)
        yield f"| {draft.manifest.type} | {error[rest].mean():.2f} | {error[far].mean():.2f} |"


if __name__ == "__main__":
    main()
