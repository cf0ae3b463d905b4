"""The starter models: what a new installation can answer with after its first minute."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from perfcast.datasets import Dataset
    from perfcast.workloads.cpu_utilization.simulator import Simulation

_FAMILIES = 4


def register(app: typer.Typer) -> None:
    """Add the command; it is for `perfcast up` and so not listed."""
    app.command("starters", hidden=True)(starters)


def starters() -> None:
    """Make the starter models: one for each shipped dataset and one for the simulated service."""
    from perfcast.cli._progress import TrainingProgress
    from perfcast.cli._workbench import workbench
    from perfcast.jobs import TrainingRequest, default_model, run_training
    from perfcast.settings import load_settings

    with workbench(load_settings()) as bench, TrainingProgress() as progress:
        for dataset in _datasets():
            bench.datasets.add(dataset)
            model = default_model(dataset.name, dataset.workload.name)
            with progress.run(model, _FAMILIES) as on_trial:
                request = TrainingRequest(model, trials=_FAMILIES)
                outcome = run_training(bench.registry, dataset, request, on_trial=on_trial)
            progress.say(f"{model}: version {outcome.best.number} ({outcome.best.type}) {outcome.reason}")


def simulated_dataset(simulation: "Simulation", *, name: str = "simulated") -> "Dataset":
    """A simulation as a dataset of `cpu-utilization`."""
    from perfcast.datasets import Dataset
    from perfcast.workloads import builtin_workloads

    about = {"source": "perfcast data generate", "days": simulation.scenario.days, "seed": simulation.scenario.seed}
    moments = simulation.measured_at.astype("datetime64[us]")
    workload = builtin_workloads()["cpu-utilization"]
    return Dataset(name, workload, simulation.features, simulation.cpu_utilization, moments, about)


def _datasets() -> "list[Dataset]":
    from perfcast.datasets import shipped_dataset, shipped_files
    from perfcast.workloads.cpu_utilization.simulator import Scenario, simulate

    return [simulated_dataset(simulate(Scenario())), *(shipped_dataset(name) for name in shipped_files())]
