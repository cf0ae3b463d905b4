"""`perfcast profile`: measure convolutions on this machine."""

import sys
from pathlib import Path

import typer

from perfcast.cli._output import say
from perfcast.cli._progress import profile_progress
from perfcast.cli._workbench import workbench


def profile(
    runtime: str = typer.Option("torch", help="What runs the convolutions: torch or onnxruntime."),
    device: str = typer.Option("cpu", help="cpu, or cuda where PyTorch sees a GPU."),
    measured_pass: str = typer.Option("forward", "--pass", help="forward, or training (forward and backward)."),
    configurations: int = typer.Option(2000, min=50, help="How many distinct convolutions."),
    rounds: int = typer.Option(4, min=2, help="How often each is measured, spread over the whole run."),
    budget_ms: float = typer.Option(15.0, min=1, help="Time for one convolution in one round, milliseconds."),
    core: int | None = typer.Option(None, min=0, help="CPU core to stay on; the last one if not given."),
    seed: int = typer.Option(0, help="Of the configurations and their order."),
    output: Path = typer.Option(Path("profiles"), help="Folder for the journal, the Parquet file and its data card."),
    keep: bool = typer.Option(True, help="Also keep the result as a dataset, ready for `perfcast train`."),
) -> None:
    """Measure how long convolutions take on this machine, honestly.

    Every convolution is measured in several rounds spread in time, and taken only when the best of the odd rounds and
    the best of the even rounds agree. Ctrl-C loses nothing: the same command goes on where it was.

    Examples:
        perfcast profile --configurations 500
        perfcast profile --runtime onnxruntime --rounds 6 --core 1
        perfcast profile --device cuda --pass training
    """
    from perfcast.workloads.cnn_execution_time.profiler import ProfileOptions
    from perfcast.workloads.cnn_execution_time.profiler import profile as measure

    options = ProfileOptions(
        output=output,
        runtime=runtime,  # type: ignore[arg-type]  # checked by ProfileOptions, which names what is allowed
        device=device,  # type: ignore[arg-type]
        measured_pass=measured_pass,  # type: ignore[arg-type]
        configurations=configurations,
        rounds=rounds,
        max_rounds=max(10, rounds),
        budget_ms=budget_ms,
        core=core,
        seed=seed,
        command=" ".join(["perfcast", *sys.argv[1:]]),
    )
    with profile_progress() as show:
        result = measure(options, on_progress=show)
    say(f"{result.rows} convolutions in {result.dataset}, {result.left_out} left out; what they are: {result.card}")
    if keep:
        from perfcast.datasets import import_file

        with workbench() as bench:
            workload = bench.workloads["cnn-execution-time"]
            dataset, _ = import_file(result.dataset, workload, name=options.name)
            bench.datasets.add(dataset)
        say(f"kept as dataset '{options.name}'; learn from it with: perfcast train --dataset {options.name}")
