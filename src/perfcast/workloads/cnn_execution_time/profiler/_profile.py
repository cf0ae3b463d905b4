"""The profiling run: rounds of blocks, each after a sentinel, journalled as they are measured."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from ._convolutions import CONVOLUTIONS
from ._dataset import ProfileResult, write_dataset
from ._fingerprint import Fingerprint, read_fingerprint
from ._improve import Chooser, Guide
from ._journal import SUFFIX, Block, Journal, read_header
from ._kind import Configuration, Kind, Runner, Timer
from ._options import ProfileOptions
from ._rounds import measurements_of, round_plan
from ._runners import pinned, time_call

_BLOCK_CONFIGURATIONS = 25
_BLOCK_SECONDS = 2.0
_SENTINEL_LIMIT = 1.08
_SENTINEL_WAITS = (0.1, 0.25, 0.5, 0.0)


@dataclass(frozen=True, slots=True)
class ProfileProgress:
    """Where a run stands; after `rounds` base rounds come further ones, to `max_rounds` at most."""

    name: str
    round: int  # from 1
    rounds: int
    max_rounds: int
    done: int = 0  # of the round's configurations
    total: int = 0
    accepted: int = 0  # so far, of all
    left_out: int = 0  # can't be measured
    sentinel_ratio: float = 1.0  # its latest time relative to its best
    seconds_left: float = 0.0  # for the rest of the base rounds, or of the present further round
    note: str = ""  # something to tell the user once


OnProgress = Callable[[ProfileProgress], None]


def profile(
    options: ProfileOptions,
    guide: Guide | Chooser | None = None,
    *,
    kind: Kind = CONVOLUTIONS,
    on_progress: OnProgress = lambda progress: None,
) -> ProfileResult:
    """Measure one kind of work on this machine and write it as a data set.

    The run may be killed at any time: the same call goes on where the journal ends. On another device, or
    with another version of the runtime, it begins a new data set beside the old one.

    Args:
        options: What to measure and where to write.
        guide: Chooses those configurations that the journal doesn't have yet; they are drawn where there is none.
        kind: What is measured; `options.what` is its name.
        on_progress: Called after every block, about once a second.

    Raises:
        MissingDependency: The runtime is not installed or has no such device.
        InvalidSetting: The runtime is not measured on that device or pass.
        Conflict: Another process is measuring the same data set.
    """
    with pinned(options.core), contextlib.closing(kind.make_runner(options)) as runner:
        fingerprint = read_fingerprint(cores=1, gpu=runner.gpu)
        path, note = journal_path(options, fingerprint)
        on_progress(ProfileProgress(options.name, 1, options.rounds, options.max_rounds, note=note))
        header = {"name": options.name, "fingerprint": asdict(fingerprint), "options": options.to_json()}
        with contextlib.closing(Journal.open(path, header, kind.configuration)) as journal:
            _Run(kind, options, runner, journal, guide, on_progress).complete()
    return write_dataset(path, options, kind)


def journal_path(options: ProfileOptions, fingerprint: Fingerprint) -> tuple[Path, str]:
    """The journal of this device, or a new one's, and a sentence for the user on what is resumed or begun."""
    identity = fingerprint.identity(options.runtime)
    others = 0
    for path in sorted(options.output.glob(f"{options.name}*{SUFFIX}")):
        header = read_header(path)
        if header.get("name") != options.name:
            continue
        if Fingerprint(**header["fingerprint"]).identity(options.runtime) == identity:
            return path, f"going on with {path.name}"
        others += 1
    if not others:
        return options.output / f"{options.name}{SUFFIX}", f"a new data set on {fingerprint.describe()}"
    path = options.output / f"{options.name}-{identity}{SUFFIX}"
    return path, (
        f"the {others} data set(s) in {options.output} were measured on another device or {options.runtime} "
        f"version; beginning {path.name} on {fingerprint.describe()} rather than mixing"
    )


class _Run:
    def __init__(
        self,
        kind: Kind,
        options: ProfileOptions,
        runner: Runner,
        journal: Journal,
        guide: Guide | Chooser | None,
        on_progress: OnProgress,
    ) -> None:
        self._kind = kind
        self._options = options
        self._runner = runner
        self._journal = journal
        self._on_progress = on_progress
        self._configurations = self._chosen_configurations(guide)
        self._measurements = measurements_of(journal.contents)
        self._measurements.count = len(self._configurations)
        self._sentinel: Timer = runner.prepare(kind.sentinel)
        self._seconds, self._measured = 0.0, 0

    def complete(self) -> None:
        for number in range(1, self._options.max_rounds + 1):
            plan = round_plan(number, self._measurements, self._options)
            done = 0
            for block, ratio in self._blocks(number, plan):
                self._journal.add_block(block)
                self._measurements.add(block)
                done += len(block.rows) + len(block.failed)
                self._seconds += block.seconds
                self._measured += len(block.rows) + len(block.failed)
                self._on_progress(self._progress(number, done, len(plan), ratio))

    def _chosen_configurations(self, guide: Guide | Chooser | None) -> list[Any]:
        """The journal's configurations, after adding as many as the options ask beyond them."""
        known, options = self._journal.contents.configurations, self._options
        missing = options.configurations - len(known)
        if missing > 0:
            sample = self._kind.sampler(options)
            choose = sample if guide is None else partial(guide.choose, sample)
            more = choose(missing, seed=options.seed, bound=options.bound, known=known)
            self._journal.add_configurations(more, options.command, guide=guide.name if guide else "")
        return self._journal.contents.configurations

    def _blocks(self, number: int, plan: Sequence[int]) -> Iterator[tuple[Block, float]]:
        position = 0
        while position < len(plan):
            sentinel_ms, ratio = self._settled_sentinel()
            begin, rows, failed, paths = time.perf_counter(), [], [], []
            stop = position + _BLOCK_CONFIGURATIONS
            while position < min(stop, len(plan)) and time.perf_counter() - begin < _BLOCK_SECONDS:
                index = plan[position]
                outcome = self._measure(self._configurations[index])
                if isinstance(outcome, float):
                    rows.append((index, outcome))
                    paths += self._path(index)
                else:
                    failed.append((index, outcome))
                position += 1
            seconds = round(time.perf_counter() - begin, 3)
            yield Block(number, _now(), sentinel_ms, tuple(rows), tuple(failed), seconds, tuple(paths)), ratio

    def _settled_sentinel(self) -> tuple[float, float]:
        """The sentinel's ms and their ratio to the best, after waits while the machine is slower than at its best."""
        for wait in _SENTINEL_WAITS:
            ms = _rounded(1e3 * time_call(self._sentinel, 0.008))
            ratio = self._measurements.note_sentinel(ms)
            if ratio <= _SENTINEL_LIMIT:
                break
            time.sleep(wait)
        return ms, ratio

    def _measure(self, config: Configuration) -> float | str:
        """A configuration's time in ms, or why it can't be measured."""
        try:
            timer, options = self._runner.prepare(config), self._options
            return _rounded(1e3 * time_call(timer, options.budget_ms / 1e3, longest=options.max_call_ms / 1e3))
        except Exception as error:  # noqa: BLE001  runtimes raise their own types, down to plain Exception
            return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200] if str(error) else ''}"

    def _path(self, index: int) -> list[tuple[int, str]]:
        """Which way the runtime takes, where it isn't known and the runtime tells."""
        if index in self._measurements.paths:
            return []
        path = self._runner.path(self._configurations[index])
        return [] if path is None else [(index, path)]

    def _progress(self, number: int, done: int, total: int, ratio: float) -> ProfileProgress:
        options, measurements = self._options, self._measurements
        later = max(0, options.rounds - number) * (measurements.count - len(measurements.failed))
        per_configuration = self._seconds / max(1, self._measured)
        return ProfileProgress(
            name=options.name,
            round=number,
            rounds=options.rounds,
            max_rounds=options.max_rounds,
            done=done,
            total=total,
            accepted=measurements.accepted_count(options),
            left_out=len(measurements.failed),
            sentinel_ratio=ratio,
            seconds_left=per_configuration * (total - done + later),
        )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _rounded(ms: float) -> float:
    """Round to six significant digits, which is finer than the noise and keeps the journal small."""
    return float(f"{ms:.6g}")
