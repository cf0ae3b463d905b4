"""`perfcast train`: learn from a dataset."""

from typing import TYPE_CHECKING, Any, Literal

import typer

from perfcast.cli._options import BASE, FAMILIES, NEWEST, PROMOTE, SEED, TIMEOUT, TRENDS, TRIALS, names
from perfcast.cli._output import say
from perfcast.cli._workbench import workbench
from perfcast.errors import InvalidSetting

if TYPE_CHECKING:
    from pathlib import Path

    from perfcast.cli._workbench import Workbench
    from perfcast.datasets import Dataset, DatasetRecord
    from perfcast.jobs import Effort, Outcome
    from perfcast.monitoring.drift import Anomaly


def train(
    dataset: str = typer.Option("", help="Name of the dataset, or NAME@DIGEST; the workload's newest if not given."),
    workload: str = typer.Option("", help="Take this workload's newest dataset."),
    model: str = typer.Option("", help="The model that gets the versions; WORKLOAD-DATASET if not given."),
    families: str = FAMILIES,
    trials: int = TRIALS,
    timeout: float | None = TIMEOUT,
    seed: int = SEED,
    newest_rows: int | None = NEWEST,
    base: str = BASE,
    trends: str = TRENDS,
    prune: bool = typer.Option(True, help="Give up trials that lag behind their family's; see docs/tuning.md."),
    promote: str = PROMOTE,
    resume: str = typer.Option("", help="A name for the search: the same command goes on where a killed one was."),
) -> None:
    """Search for the best model of a dataset, register the best of each family, and let the gate decide.

    Examples:
        perfcast train --dataset simulated
        perfcast train --dataset shop --trials 100 --timeout 300
        perfcast train --workload cnn-execution-time --families xgboost,neural_network --promote never
        perfcast train --dataset shop --trials 500 --resume overnight
        perfcast train --dataset laptop --from cnn-execution-time-cpu-torch
    """
    from perfcast.cli._progress import training_progress
    from perfcast.cluster import scheduler_of
    from perfcast.jobs import Effort, default_model, run_training

    if promote not in ("auto", "never"):
        raise InvalidSetting(f"--promote must be auto or never, got '{promote}'")
    wanted: Literal["auto", "never"] = "auto" if promote == "auto" else "never"
    chosen = tuple(names(families))
    if trends not in ("prefer", "require", "ignore"):
        raise InvalidSetting(f"--trends must be prefer, require or ignore, got '{trends}'")
    limits: dict[str, Any] = {
        "timeout_seconds": timeout, "newest_rows": newest_rows, "base": base or None, "trends": trends
    }  # fmt: skip
    effort = Effort(n_trials=trials, families=chosen, promote=wanted, seed=seed, **limits)
    with workbench() as bench:
        rows = bench.datasets.load(_record(bench, dataset, workload))
        name = model or default_model(rows.name, rows.workload.name)
        with training_progress() as progress, progress.run(name, trials) as on_trial:
            outcome = run_training(
                bench.registry,
                rows,
                name,
                effort,
                anomalies=_anomalies(bench, name),
                pruning=prune,
                cluster=scheduler_of(bench.settings),
                study_storage=_journal(bench.settings.data_dir, resume, rows, effort) if resume else None,
                study_name=f"{rows.name}-{resume}" if resume else None,
                on_trial=on_trial,
            )
    _show(outcome)


def _anomalies(bench: "Workbench", model: str) -> "list[Anomaly]":
    """Stretches of time that the model isn't taught."""
    from perfcast.monitoring.drift import read_anomalies

    with bench.database.read() as connection:
        return read_anomalies(connection, model)


def _record(bench: "Workbench", dataset: str, workload: str) -> "DatasetRecord":
    from perfcast.workloads import find_workload

    if dataset:
        name, _, digest = dataset.partition("@")
        return bench.datasets.find(name, digest or None)
    if workload:
        find_workload(workload, bench.workloads)
    fitting = [record for record in bench.datasets.list() if not workload or record.workload == workload]
    known = ", ".join(sorted({record.name for record in fitting}))
    if not fitting:
        what = f"no dataset of {workload}" if workload else "no datasets"
        raise InvalidSetting(f"{what} yet: perfcast data import FILE takes yours, perfcast data generate simulates one")
    if not workload and "," in known:
        raise InvalidSetting(f"say which dataset with --dataset NAME: {known}")
    return fitting[0]


def _journal(folder: "Path", name: str, rows: "Dataset", effort: "Effort") -> "Path":
    """One journal for each name, content and choice of how to train: else scores could not be compared."""
    from hashlib import sha256

    journals = folder / "studies"
    journals.mkdir(parents=True, exist_ok=True)
    chosen = f"{sorted(effort.families)} {effort.seed} {effort.newest_rows or ''} {effort.base or ''} {effort.trends}"
    key = sha256(f"{rows.digest} {chosen}".encode()).hexdigest()[:12]
    return journals / f"{name}-{key}.journal"


def _show(outcome: "Outcome") -> None:
    from perfcast.cli._models import version_table

    version_table(outcome.versions)
    best = outcome.versions[0]
    refused = [f"{family}: {reason}" for family, reason in outcome.refused.items()]
    for line in [*refused, *(f"remark: {note}" for note in best.manifest.notes if note not in refused)]:
        say(line)
    say(f"{best.model}: version {best.number} ({best.type}) {outcome.reason}; {outcome.seconds:.0f} s in all")
    say(f"all about it: perfcast models show {best.reference}")
