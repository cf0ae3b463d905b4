"""How well a search uses its seconds: pruning, threads against processes, and whether the budget is kept.

    .venv/bin/python benchmarks/tuning.py [pruning] [replay] [parallel] [budget] --public FOLDER [--seconds 30]

Prints Markdown tables. Runs to be compared take turns, so that a machine whose speed drifts treats them alike.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import measured
import optuna

from perfcast.datasets import Dataset
from perfcast.errors import Stopped
from perfcast.training import Budget, TrialReport, train
from perfcast.training.families import families
from perfcast.training.fits import Executor, Here, Inner, inner_validation, make_executor
from perfcast.training.search import Search, search
from perfcast.training.search._proposal import FAMILY, completed, limits
from perfcast.training.search._study import finished_trials, open_study, quiet_optuna

MANY = 10_000
ACROSS = ("pruning", "replay", "parallel", "budget")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", default=list(ACROSS), help=f"some of: {', '.join(ACROSS)}")
    parser.add_argument("--public", type=Path, required=True, help="folder of the public data sets")
    parser.add_argument("--seconds", type=float, default=30, help="budget of each search")
    parser.add_argument("--seeds", type=int, default=3, help="searches of each kind")
    parser.add_argument("--first-seed", type=int, default=0, help="of these searches")
    parser.add_argument("--only", default="", help="name of the one data set to use")
    parser.add_argument("--threads", type=int, default=2, help="threads, or processes, that are compared")
    options = parser.parse_args()
    datasets = [
        measured.convolutions(options.public / "conv_v100_forward.csv.gz"),
        measured.service(options.public / "service_load_to_cpu_serveapp.csv.gz"),
    ]
    datasets = [dataset for dataset in datasets if options.only in ("", dataset.name)]
    lines = {"pruning": pruning, "replay": replay, "parallel": parallel, "budget": budget}
    for table in options.tables:
        for line in lines[table](datasets, options):
            print(line, flush=True)
        print()


def pruning(datasets: list[Dataset], options: argparse.Namespace) -> Iterator[str]:
    """What searches find in as many seconds of processor time (one thread), with and without giving trials up.

    Until the first trial is given up both make the same trials, and other work on the machine changes nothing.
    """
    yield f"| data ({options.seconds:.0f} CPU s) | seed | trials | given up | best score | without: trials | best |"
    yield "|---|---|---|---|---|---|---|"
    for dataset in datasets:
        gains, more = [], []
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            (trials, pruned, best), (others, _, without) = (
                _pruned(dataset, seed, options.seconds, prune=prune) for prune in (True, False)
            )
            gains.append(best / without)
            more.append(trials / others)
            yield f"| {dataset.name} | {seed} | {trials} | {pruned} | {best:.4f} | {others} | {without:.4f} |"
        yield f"| {dataset.name} | *median ratio* | {median(more):.2f} | | {median(gains):.4f} | 1 | 1 |"


def replay(datasets: list[Dataset], options: argparse.Namespace) -> Iterator[str]:
    """Of a search in which no trial was given up: which would have been, the time that saves, and what it loses."""
    yield f"| data ({options.seconds:.0f} s) | seed | trials | given up | of the time | best score | without those |"
    yield "|---|---|---|---|---|---|---|"
    for dataset in datasets:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            yield f"| {dataset.name} | {seed} | {replayed(_recorded(dataset, seed, options))} |"


def replayed(trials: list[optuna.trial.FrozenTrial]) -> str:
    """The cells of one recorded search, its trials in the order in which they ended."""
    left: list[optuna.trial.FrozenTrial] = []
    whole = spent = 0.0
    for trial in trials:
        share = _share_until_given_up(trial, limits(left, str(trial.params[FAMILY])))
        whole += trial.user_attrs["seconds"]
        spent += trial.user_attrs["seconds"] * (share or 1.0)
        left += [] if share else [trial]
    best, kept = (min(trial.values[0] for trial in some) for some in (trials, left))
    return f"{len(trials)} | {len(trials) - len(left)} | {spent / whole:.2f} | {best:.4f} | {kept:.4f}"


def _share_until_given_up(trial: optuna.trial.FrozenTrial, known: Mapping[int, float]) -> float | None:
    curve = trial.intermediate_values
    for step, error in curve.items():  # each the best until then
        limit = known.get(max((at for at in known if at <= step), default=-1), float("inf"))
        if error > limit:
            return step / max(curve)
    return None


def _recorded(dataset: Dataset, seed: int, options: argparse.Namespace) -> list[optuna.trial.FrozenTrial]:
    with TemporaryDirectory() as folder, quiet_optuna():
        path = Path(folder) / "study.journal"
        _search(
            dataset,
            seed,
            options.seconds,
            options.threads,
            make_executor,
            pruning=False,
            study_storage=path,
            study_name="one",
        )
        found = finished_trials(open_study(path, "one")).values()
    ended = [trial for trial in found if completed(trial)]
    return sorted(ended, key=lambda trial: trial.datetime_complete or trial.datetime_start)


def parallel(datasets: list[Dataset], options: argparse.Namespace) -> Iterator[str]:
    """One trial on all threads against one trial a thread, each in a process of its own."""
    count = options.threads
    yield (
        f"| data ({options.seconds:.0f} s) | seed | trials, one after another on {count} threads | best score | "
        f"trials, {count} processes of one thread | best score |"
    )
    yield "|---|---|---|---|---|---|"
    for dataset in datasets:
        gains, more = [], []
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            one = _search(dataset, seed, options.seconds, count, Here)
            many = _search(dataset, seed, options.seconds, count, make_executor)
            gains.append(many.best.score / one.best.score)
            more.append(many.summary["trials"] / one.summary["trials"])
            yield (
                f"| {dataset.name} | {seed} | {one.summary['trials']} | {one.best.score:.4f} | "
                f"{many.summary['trials']} | {many.best.score:.4f} |"
            )
        yield f"| {dataset.name} | *median ratio* | 1 | 1 | {median(more):.2f} | {median(gains):.4f} |"


def budget(datasets: list[Dataset], options: argparse.Namespace) -> Iterator[str]:
    """Seconds of whole training runs, drafts included, against what they were given."""
    yield "| data | budget s | took s | over or under |"
    yield "|---|---|---|---|"
    for dataset in datasets:
        for seconds in (30, 60):
            for seed in range(options.first_seed, options.first_seed + options.seeds):
                begun = time.monotonic()
                train(dataset, Budget(MANY, seconds), seed=seed, threads=options.threads)
                took = time.monotonic() - begun
                yield f"| {dataset.name} | {seconds} | {took:.1f} | {100 * (took / seconds - 1):+.0f} % |"


def _pruned(dataset: Dataset, seed: int, seconds: float, *, prune: bool) -> tuple[int, int, float]:
    """Trials that ended, how many of them were given up, and the best score."""
    begun, reports = time.process_time(), list[TrialReport]()

    def stop() -> bool:
        return time.process_time() - begun > seconds

    inner = inner_validation(dataset.split(), dataset.workload, seed=seed, threads=1)
    with suppress(Stopped):
        here = Here(inner, stop=stop)
        search(inner, families(), Budget(MANY), here, pruning=prune, on_trial=reports.append, stop=stop)
    best = reports[-1].best_score
    assert best is not None
    return reports[-1].finished, sum(report.state == "pruned" for report in reports), best


def _search(
    dataset: Dataset, seed: int, seconds: float, threads: int, make: Callable[[Inner], Executor], **options: Any
) -> Search:
    inner = inner_validation(dataset.split(), dataset.workload, seed=seed, threads=threads)
    with closing(make(inner)) as executor:
        return search(inner, families(), Budget(MANY, seconds), executor, **options)


if __name__ == "__main__":
    main()
