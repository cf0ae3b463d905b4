"""The starter models: what a new installation can answer with after its first minute."""

import os
import queue
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import typer

from perfcast.cli._workbench import workbench

if TYPE_CHECKING:
    from perfcast.datasets import Dataset
    from perfcast.registry import Registry
    from perfcast.training import TrialReport
    from perfcast.workloads.cpu_utilization.simulator import Simulation

SIMULATED = "simulated"
_TRIALS = 4
"""One for each family: its start."""
_DEFAULTS = {
    "cpu-utilization": "cpu-utilization",
    "cnn-execution-time": "cnn-execution-time-cpu-torch",
    "operator-execution-time": "operator-execution-time-cpu-torch",
}
"""Which starter answers for a workload when no model is named."""
_LATER = frozenset({"operator-execution-time"})
"""Workloads whose starters are made while the others answer already: only whole networks need them."""
_NICE = 10
_STEP_SECONDS = 300
"""The simulated service is looked at every five minutes: enough to learn from, and quick."""


def starters(first: bool = typer.Option(False, "--first", help="Only those that answer for single rows.")) -> None:
    """Make the starter models side by side: one for each shipped dataset and one for the simulated service."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    from perfcast.cli._progress import training_progress
    from perfcast.processors import processors
    from perfcast.settings import load_settings

    settings = load_settings()
    with workbench(settings) as bench:
        names = missing_starters(bench.registry, first=first)
    if not names:
        return
    if not first:
        os.nice(_NICE)
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, training_progress() as progress, ExitStack() as rows:
        show = {name: rows.enter_context(progress.run(name, _TRIALS)) for name in names}
        told = manager.Queue()
        with ProcessPoolExecutor(processors(), mp_context=context) as pool:
            running = [pool.submit(_train, name, told) for name in names]
            while not all(run.done() for run in running):
                with suppress(queue.Empty):
                    name, report = told.get(timeout=0.2)
                    show[name](report)
        for run in running:
            progress.say(run.result())
    with workbench(settings) as bench:
        made = {model.name for model in bench.registry.models()}
        for workload, model in _DEFAULTS.items():
            if model in made:
                bench.registry.set_default(workload, model)


def missing_starters(registry: "Registry", *, first: bool = False) -> list[str]:
    """The datasets whose starter model is yet to be made.

    None where the registry has models of the user's own, but for those that follow others which are there.

    Args:
        registry: Has those that are made.
        first: Whether those are left out that only whole networks need.
    """
    from perfcast.datasets import shipped_files, shipped_workload
    from perfcast.jobs import default_model

    workloads = {**{name: shipped_workload(name) for name in shipped_files()}, SIMULATED: "cpu-utilization"}
    models = {name: default_model(name, workload) for name, workload in workloads.items()}
    present = {model.name for model in registry.models() if model.aliases}
    own, begun = present - set(models.values()), present & set(models.values())

    def wanted(name: str) -> bool:
        later = workloads[name] in _LATER
        return models[name] not in present and (not own or (later and bool(begun))) and not (first and later)

    return list(filter(wanted, models))


def _train(name: str, told: "queue.Queue[tuple[str, TrialReport]]") -> str:
    """One model, in a process of its own, on one processor; gives the line to show."""
    from perfcast.datasets import shipped_dataset
    from perfcast.jobs import Effort, default_model, run_training
    from perfcast.workloads.cpu_utilization.simulator import Scenario, simulate

    with workbench() as bench:
        simulated = name == SIMULATED
        rows = simulated_dataset(simulate(Scenario(step_seconds=_STEP_SECONDS))) if simulated else shipped_dataset(name)
        bench.datasets.add(rows)
        model = default_model(rows.name, rows.workload.name)
        outcome = run_training(
            bench.registry,
            rows,
            model,
            Effort(n_trials=_TRIALS),
            on_trial=lambda report: told.put((name, report)),
            threads=1,
        )
    best = outcome.versions[0]
    return f"{model}: version {best.number} ({best.type}) {outcome.reason}"


def simulated_dataset(simulation: "Simulation", *, name: str = SIMULATED) -> "Dataset":
    """A simulation as a dataset of `cpu-utilization`."""
    from perfcast.datasets import Dataset
    from perfcast.workloads import builtin_workloads

    about = {"source": "perfcast data generate", "days": simulation.scenario.days, "seed": simulation.scenario.seed}
    moments = simulation.measured_at.astype("datetime64[us]")
    workload = builtin_workloads()["cpu-utilization"]
    return Dataset(name, workload, simulation.features, simulation.cpu_utilization, moments, about)
