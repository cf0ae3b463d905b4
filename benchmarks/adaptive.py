"""How well intervals follow a model that goes wrong: ours beside other ways, and beside who knows the future.

    .venv/bin/python benchmarks/adaptive.py FOLDER [--machines 1-6 2-8]

FOLDER holds `server_minutes_1-6_train.csv.gz` and the like (see benchmarks/README.md). A model learns from the first
75 % of the minutes of `train`, the others calibrate it, and `test`, which follows in time, is lived through minute by
minute: each answer comes before its truth. Prints a Markdown table and writes benchmarks/results/adaptive.md.
"""

import argparse
import math
from bisect import insort
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl
from xgboost import XGBRegressor

from perfcast.manifest import Calibration
from perfcast.monitoring._correction import Tracker
from perfcast.training.judging import calibrate
from perfcast.workloads import builtin_workloads

Doubles = npt.NDArray[np.float64]
FEATURES = ["passive_opens", "curr_estab", "active_opens", "in_segs", "tcp_use"]
COVERAGE, MISSES = 0.9, 0.1
SIX_HOURS, DAY = 360, 1440
KEPT = 240
HEAD = "| machine | intervals | covered % | mean width | worst 6 hours % | Winkler score | width ÷ 6 h oracle's |"
COVERAGE_HEAD = "| machine | coverage | plain: covered % | width | Perfcast: covered % | width |"
MISTAKES = "Where once a day one actual is reported a hundred times too large (which isn't judged):"
COVERAGES = "All coverages, corrected together:"


@dataclass(frozen=True)
class Minutes:
    """What is lived through.

    Attributes:
        predicted, actual: Percent of CPU, float64 [minutes].
        calibration: The model's.
        judged: Which minutes count, bool [minutes].
    """

    machine: str
    predicted: Doubles
    actual: Doubles
    calibration: Calibration
    judged: npt.NDArray[np.bool_]

    @property
    def errors(self) -> Doubles:
        """How far the true costs lie above the predicted ones, float64 [minutes]."""
        return self.actual - self.predicted


Bounds = tuple[Doubles, Doubles]
Step = Callable[[float], tuple[float, float]]


def main() -> None:
    """Live through each machine's test minutes with each way."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0],
        epilog="example: .venv/bin/python benchmarks/adaptive.py ../shared/data --machines 1-6",
    )
    parser.add_argument("folder", type=Path, help="where server_minutes_*_train.csv.gz lie")
    parser.add_argument("--machines", nargs="+", default=["1-6", "2-8"], help="which of them")
    options = parser.parse_args()
    read = [lived_through(options.folder, machine) for machine in options.machines]
    tables = [
        ("", HEAD, (row for minutes in read for row in compared(minutes, WAYS))),
        (MISTAKES, HEAD, (row for minutes in read for row in compared(with_mistakes(minutes), FOLLOWING))),
        (COVERAGES, COVERAGE_HEAD, (row for minutes in read for row in by_coverage(minutes))),
    ]
    lines = list[str]()
    for title, head, rows in tables:
        for line in (*([title, ""] if title else []), head, "|" + "---|" * (head.count("|") - 1), *rows, ""):
            print(line, flush=True)
            lines.append(line)
    command = f"Made by `.venv/bin/python benchmarks/adaptive.py FOLDER --machines {' '.join(options.machines)}`."
    results = Path(__file__).parent / "results"
    (results / "adaptive.md").write_text("\n".join([*lines, command]) + "\n")


def lived_through(folder: Path, machine: str) -> Minutes:
    """A model of the machine's first minutes, and what it says of the later ones."""
    train, test = (columns(folder / f"server_minutes_{machine}_{part}.csv.gz") for part in ("train", "test"))
    learnt = round(0.75 * len(train[1]))
    model = XGBRegressor(n_estimators=300, max_depth=5, learning_rate=0.05, random_state=0)
    model.fit(train[0][:learnt], train[1][:learnt])
    held_out, predicted = (np.clip(model.predict(rows), 0, 100) for rows in (train[0][learnt:], test[0]))
    calibration = calibrate(builtin_workloads()["cpu-utilization"], train[1][learnt:], held_out)
    actual = test[1].astype(np.float64)
    return Minutes(machine, predicted.astype(np.float64), actual, calibration, np.full(len(actual), fill_value=True))


def with_mistakes(minutes: Minutes) -> Minutes:
    """The same, but that once a day a hundred times the truth is reported; such minutes teach, and aren't judged."""
    mistaken = np.arange(len(minutes.actual)) % DAY == DAY // 2
    actual = np.where(mistaken, 100 * minutes.actual, minutes.actual)
    return replace(minutes, actual=actual, judged=~mistaken)


def columns(path: Path) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Features, float32 [minutes, features], and percent of CPU, float32 [minutes]."""
    frame = pl.read_csv(path)
    cpu = (100 * frame["cpu_r"]).to_numpy().astype(np.float32)
    return frame.select(FEATURES).to_numpy().astype(np.float32), cpu


def compared(minutes: Minutes, ways: Mapping[str, Callable[[Minutes], Bounds]]) -> Iterator[str]:
    """A row for each way."""
    oracle = width_of(by_oracle(minutes, SIX_HOURS))
    for name, way in ways.items():
        yield line(minutes, name, way(minutes), oracle)


def line(minutes: Minutes, name: str, bounds: Bounds, oracle: float) -> str:
    """A row of the table."""
    lower, upper = (np.clip(side, 0, 100)[minutes.judged] for side in bounds)
    actual = minutes.actual[minutes.judged]
    beyond = np.maximum(lower - actual, 0) + np.maximum(actual - upper, 0)
    inside, width = beyond == 0, upper - lower
    worst = np.convolve(inside, np.full(SIX_HOURS, 1 / SIX_HOURS), "valid").min()
    winkler = (width + 2 / MISSES * beyond).mean()
    cells = [minutes.machine, name, f"{100 * inside.mean():.1f}", f"{width.mean():.1f}", f"{100 * worst:.0f}"]
    return "| " + " | ".join([*cells, f"{winkler:.1f}", f"{width.mean() / oracle:.2f}"]) + " |"


def width_of(bounds: Bounds) -> float:
    """Mean width, percent of CPU."""
    return float((np.clip(bounds[1], 0, 100) - np.clip(bounds[0], 0, 100)).mean())


def by_coverage(minutes: Minutes) -> Iterator[str]:
    """A row for each coverage, all of them corrected together as in the product."""
    corrected = by_product(minutes, minutes.calibration)
    for coverage, ours in corrected.items():
        plain = minutes.calibration.intervals(minutes.predicted, float(coverage))
        assert plain is not None
        cells = [minutes.machine, coverage]
        for lower, upper in (plain, ours):
            inside = (lower <= minutes.actual) & (minutes.actual <= upper)
            cells += [f"{100 * inside.mean():.1f}", f"{(upper - lower).mean():.1f}"]
        yield "| " + " | ".join(cells) + " |"


def by_product(minutes: Minutes, calibration: Calibration) -> dict[str, Bounds]:
    """Perfcast's own correction: the bounds of each coverage."""
    tracker, found = Tracker(calibration), {coverage: list[tuple[float, float]]() for coverage in calibration.widths}
    pairs = zip(minutes.predicted.tolist(), minutes.actual.tolist(), strict=True)
    for number, (predicted, actual) in enumerate(pairs):
        present = calibration.corrected(tracker.moves())
        for coverage, bounds in found.items():
            interval = present.interval(predicted, float(coverage))
            assert interval is not None
            bounds.append(interval)
        tracker.learn(f"{number:09}", predicted, actual)
    return {coverage: both(bounds) for coverage, bounds in found.items()}


def product(minutes: Minutes) -> Bounds:
    """What Perfcast answers with."""
    return by_product(minutes, minutes.calibration)[str(COVERAGE)]


def product_in_bands(minutes: Minutes) -> Bounds:
    """The same, but never leaving the widths of the bands: what a correction that only adds comes to."""
    tracker, bounds = Tracker(minutes.calibration), list[tuple[float, float]]()
    for interval in tracker._intervals.values():  # noqa: SLF001 - what the product never does
        interval._level = lambda: False  # type: ignore[method-assign]  # noqa: SLF001
    pairs = zip(minutes.predicted.tolist(), minutes.actual.tolist(), strict=True)
    alone = msgspec.structs.replace(
        minutes.calibration, widths={str(COVERAGE): minutes.calibration.widths[str(COVERAGE)]}
    )
    for number, (predicted, actual) in enumerate(pairs):
        interval = alone.corrected(tracker.moves()).interval(predicted, COVERAGE)
        assert interval is not None
        bounds.append(interval)
        tracker.learn(f"{number:09}", predicted, actual)
    return both(bounds)


def plain(minutes: Minutes) -> Bounds:
    """As it was calibrated."""
    bounds = minutes.calibration.intervals(minutes.predicted, COVERAGE)
    assert bounds is not None
    return bounds


def by_oracle(minutes: Minutes, length: int) -> Bounds:
    """Who knows the errors of each stretch of time beforehand: their 5 % and 95 % quantiles."""
    lower, upper = minutes.predicted.copy(), minutes.predicted.copy()
    for start in range(0, len(lower), length):
        part = slice(start, start + length)
        least, most = np.quantile(minutes.errors[part], [MISSES / 2, 1 - MISSES / 2])
        lower[part] += least
        upper[part] += most
    return lower, upper


def stepped(step: Step, minutes: Minutes) -> Bounds:
    """Live through with a step that gives the distances from the predicted cost and then learns from the error."""
    distances = both([step(error) for error in minutes.errors.tolist()])
    return minutes.predicted + distances[0], minutes.predicted + distances[1]


def symmetric(minutes: Minutes) -> Bounds:
    """Adaptive conformal inference as published: one distance to both sides (Gibbs and Candès 2021, equation 2)."""
    window, share = Window(KEPT), MISSES

    def step(error: float) -> tuple[float, float]:
        nonlocal share
        distance = window.quantile(1 - share)
        share += 0.02 * (MISSES - (abs(error) > distance))
        window.add(abs(error))
        return -distance, distance

    return stepped(step, minutes)


def quantile_tracking(rate: float, integral: float = 0.0) -> Callable[[Minutes], Bounds]:
    """Conformal PID (Angelopoulos, Candès and Tibshirani 2023), each side by itself: its P part, or with its I part.

    The distance grows by the rate where an error was beyond, and shrinks a little where it wasn't; the rate is a share
    of the largest of the newest scores, as the authors do.
    """

    def way(minutes: Minutes) -> Bounds:
        sides = [_Side(rate, integral), _Side(rate, integral)]

        def step(error: float) -> tuple[float, float]:
            below, above = sides[0].step(-error), sides[1].step(error)
            return -below, above

        return stepped(step, minutes)

    return way


class _Side:
    """One side of quantile tracking."""

    def __init__(self, rate: float, integral: float) -> None:
        self._rate, self._integral = rate, integral
        self._distance, self._misses, self._count = 0.0, 0.0, 0
        self._scores: deque[float] = deque([1.0], maxlen=KEPT)

    def step(self, score: float) -> float:
        """The distance before this score, which is learnt."""
        scale = max(self._scores) - min(self._scores)
        distance = self._distance + self._integrated() * self._integral * scale
        missed = score > distance
        self._distance += self._rate * scale * (missed - MISSES / 2)
        self._misses += missed - MISSES / 2
        self._count += 1
        self._scores.append(score)
        return distance

    def _integrated(self) -> float:
        """A saturating function of the misses so far (section 2.2)."""
        angle = self._misses * math.log(self._count + 2) / ((self._count + 1) * 0.5)
        return math.tan(min(max(angle, -1.4), 1.4))


def saocp(minutes: Minutes) -> Bounds:
    """Strongly adaptive online conformal prediction (Bhatnagar, Wang, Xiong and Bai 2023), each side by itself."""
    sides = [_Experts(), _Experts()]

    def step(error: float) -> tuple[float, float]:
        below, above = sides[0].step(-error), sides[1].step(error)
        return -below, above

    return stepped(step, minutes)


class _Experts:
    """One side of SAOCP: a new expert every minute, alive for a time that its minute decides (algorithm 1)."""

    def __init__(self) -> None:
        self._experts: list[_Expert] = []
        self._minute, self._largest = 0, 1.0

    def step(self, score: float) -> float:
        """The distance before this score, which is learnt."""
        self._minute += 1
        distance = self._distance()
        self._experts = [expert for expert in self._experts if expert.ends > self._minute]
        self._experts.append(_Expert(self._minute, distance))
        distance = self._distance()
        self._largest = max(self._largest, abs(score))
        for expert in self._experts:
            expert.learn(score, distance, self._largest)
        return distance

    def _distance(self) -> float:
        weights = [expert.prior * max(expert.weight, 0.0) for expert in self._experts]
        if sum(weights) <= 0:
            weights = [expert.prior for expert in self._experts]
        total = sum(weights)
        pairs = zip(weights, self._experts, strict=True)
        return sum(weight * expert.distance for weight, expert in pairs) / total if total else 0.0


class _Expert:
    """Scale-free online gradient descent from a start, weighed by how much better than all together it has been."""

    def __init__(self, minute: int, distance: float) -> None:
        self.ends = minute + 8 * (minute & -minute)
        self.prior = 1 / (minute**2 * (1 + minute.bit_length() - 1))
        self.distance, self.weight = distance, 0.0
        self._squares, self._gained, self._staked, self._count = 0.0, 0.0, 0.0, 0

    def learn(self, score: float, together: float, largest: float) -> None:
        """Say how much better than all together it was, and take a step."""
        gain = (pinball(score, together) - pinball(score, self.distance)) / largest
        gain = gain if self.weight > 0 else max(gain, 0.0)
        self._count += 1
        self._gained += gain
        self._staked += self.weight * gain
        self.weight = self._gained / self._count * (1 + self._staked)
        gradient = MISSES / 2 - (score > self.distance)
        self._squares += gradient**2
        self.distance -= largest / math.sqrt(3) * gradient / math.sqrt(self._squares)


def pinball(score: float, distance: float) -> float:
    """What a distance costs: whose least is the quantile."""
    return max((1 - MISSES / 2) * (score - distance), MISSES / 2 * (distance - score))


class Window:
    """The newest scores in order."""

    def __init__(self, length: int) -> None:
        self._length, self._scores, self._sorted = length, deque[float](), list[float]()

    def add(self, score: float) -> None:
        """Take a score, and forget the oldest."""
        if len(self._scores) == self._length:
            self._sorted.remove(self._scores.popleft())
        self._scores.append(score)
        insort(self._sorted, score)

    def quantile(self, share: float) -> float:
        """The score that this share of them doesn't exceed; the greatest where it is more than all."""
        if not self._sorted:
            return 0.0
        rank = math.ceil(share * (len(self._sorted) + 1))
        return self._sorted[min(max(rank, 1), len(self._sorted)) - 1]


def both(pairs: Sequence[tuple[float, float]]) -> Bounds:
    """Two columns of pairs."""
    lower, upper = np.array(pairs, dtype=np.float64).T
    return lower, upper


WAYS: dict[str, Callable[[Minutes], Bounds]] = {
    "plain, as calibrated": plain,
    "**Perfcast**: asymmetric ACI, bands while they hold": product,
    "the same, always in bands": product_in_bands,
    "symmetric ACI": symmetric,
    "quantile tracking, rate 0.1": quantile_tracking(0.1),
    "quantile tracking, rate 0.2": quantile_tracking(0.2),
    "conformal PI, rate 0.1": quantile_tracking(0.1, 0.5),
    "SAOCP, each side": saocp,
    "oracle by day": lambda minutes: by_oracle(minutes, DAY),
    "oracle by 6 hours": lambda minutes: by_oracle(minutes, SIX_HOURS),
}

FOLLOWING = {name: way for name, way in WAYS.items() if "plain" not in name and "oracle" not in name}

if __name__ == "__main__":
    main()
