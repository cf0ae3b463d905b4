"""`perfcast calibrate`: few measured layers of a device, chosen to tell most, adapt another device's model to it."""

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from perfcast.cli._output import say
from perfcast.cli._progress import profile_progress
from perfcast.cli._workbench import workbench
from perfcast.errors import InvalidSetting

if TYPE_CHECKING:
    from perfcast.cli._workbench import Workbench
    from perfcast.datasets import Dataset
    from perfcast.training import Adapted, Base
    from perfcast.workloads import Rows, Workload
    from perfcast.workloads.cnn_execution_time.profiler import Chooser, Kind, ProfileOptions


def calibrate(
    device: str = typer.Option(..., help="Its name; the model that gets the version is WORKLOAD-DEVICE."),
    base: str = typer.Option(
        ..., "--from", help="The version to adapt: NAME (its champion), NAME:VERSION, NAME@ALIAS."
    ),
    layers: int = typer.Option(30, min=5, max=500, help="How many layers to measure; 10 to 100 are usual."),
    choose: Path | None = typer.Option(None, help="Write the layers that are to be measured into this CSV, and stop."),
    file: Path | None = typer.Option(None, help="Layers that were measured elsewhere, instead of measuring."),
    runtime: str = typer.Option("torch", help="What runs them: torch or onnxruntime."),
    on: str = typer.Option("cpu", help="Where to measure: cpu, or cuda where PyTorch sees a GPU."),
    budget_ms: float = typer.Option(15.0, min=1, help="Time for one layer in one round, milliseconds."),
    output: Path = typer.Option(Path("profiles"), help="Folder for the journal of the measurement."),
    seed: int = typer.Option(4096, help="Of the layers among which is chosen; not one that a profile was made with."),
) -> None:
    """Measure a few layers of a device, and adapt a version to it that has learnt from others.

    Where the version reads figures of data sheets, they are those of the device's descriptor (`perfcast devices`).

    Examples:
        perfcast calibrate --device my-laptop --from cnn-execution-time-cpu-torch
        perfcast calibrate --device t4 --from convolution-across-devices-gpus --choose layers.csv
        perfcast calibrate --device t4 --from convolution-across-devices-gpus --file measured.csv
    """
    from perfcast.training import adapt
    from perfcast.workloads.cnn_execution_time.profiler import ProfileOptions

    with workbench() as bench:
        task = _task(bench, device, base)
        if file is None and choose is None:
            task.check_kind(on)
        options = ProfileOptions(
            output=output / f"calibrate-{device}",
            what="operators" if task.kind.name == "operators" else "convolutions",
            runtime=runtime,  # type: ignore[arg-type]  # checked by ProfileOptions, which names what is allowed
            device=on,  # type: ignore[arg-type]
            configurations=layers,
            budget_ms=budget_ms,
            seed=seed,
            command=" ".join(["perfcast", *sys.argv[1:]]),
        )
        if choose is not None:
            chosen = task.guide().choose(task.kind.sampler(options), layers, seed=seed, bound=task.kind.bound)
            _write(choose, task.kind, chosen)
            say(f"{layers} layers to measure in {choose}; add their times as {task.workload.cost.name}, then --file")
            return
        dataset = task.dataset(file or _measured(task, options))
        adapted = adapt(task.base, dataset, task.usual(options))
        bench.datasets.add(dataset)
        _register(bench, task, adapted, dataset)


@dataclass(frozen=True)
class _Task:
    """What is to be adapted to which device.

    Attributes:
        device: Its name.
        base: The version that is adapted.
        workload: What that reads.
        figures: The device's features, by name; none where the version reads none.
        kind: What is measured.
        kind_of_device: `cpu` or `gpu` as its descriptor says; empty where none is read.
    """

    device: str
    base: "Base"
    workload: "Workload"
    figures: Mapping[str, float]
    kind: "Kind"
    kind_of_device: str = ""

    def check_kind(self, on: str) -> None:
        """Refuse to measure here what is to stand for a device of another kind.

        Raises:
            InvalidSetting: It is of another kind, as its descriptor says.
        """
        if self.kind_of_device not in ("", {"cpu": "cpu", "cuda": "gpu"}.get(on, on)):
            raise InvalidSetting(
                f"'{self.device}' is a {self.kind_of_device}, --on is {on}: measure there, and give --file the times"
            )

    def rows(self, configurations: Iterable[Any]) -> "Rows":
        """Configurations as the version reads them, float32 [configurations, features]."""
        import numpy as np

        from perfcast.workloads import RowReader

        reader = RowReader(self.workload)
        return np.array([reader.read({**asdict(one), **self.figures}) for one in configurations], dtype=np.float32)

    def guide(self) -> "Chooser":
        """Who chooses what is measured."""
        from perfcast.training import CANDIDATES, choose_rows
        from perfcast.workloads.cnn_execution_time.profiler import Chooser

        def choose(configurations: Sequence[Any], count: int) -> list[int]:
            return [int(at) for at in choose_rows(self.workload.inputs(self.rows(configurations)), count)]

        return Chooser(f"perfcast calibrate --from {self.base.reference}", CANDIDATES, choose)

    def usual(self, options: "ProfileOptions") -> "Rows":
        """Rows such as will be asked."""
        from perfcast.training import CANDIDATES

        return self.rows(self.kind.sampler(options)(CANDIDATES, seed=options.seed + 1, bound=self.kind.bound))

    def dataset(self, file: Path) -> "Dataset":
        """The measured rows with the device's figures, which the file needn't have."""
        from perfcast.datasets import import_file, with_figures
        from perfcast.workloads import without_features

        dataset, report = import_file(file, without_features(self.workload, self.figures), name=self.device)
        for refusal in report.refusals:
            say(f"refused: {refusal.field} {refusal.message} ({len(refusal.rows)} rows)")
        return replace(dataset, workload=self.workload, features=with_figures(self.workload, dataset, self.figures))


def _task(bench: "Workbench", device: str, reference: str) -> _Task:
    from perfcast.datasets import check_name
    from perfcast.devices import devices_folder, figures_among, find_device, load_devices
    from perfcast.training import Base
    from perfcast.workloads import workload_from_document
    from perfcast.workloads.cnn_execution_time.profiler import CONVOLUTIONS
    from perfcast.workloads.operator_execution_time.profiler import OPERATORS

    version = bench.registry.resolve(reference)
    workload = workload_from_document(version.manifest.workload)
    kinds = [kind for kind in (CONVOLUTIONS, OPERATORS) if set(kind.features) <= set(workload.feature_names)]
    if not kinds:
        raise InvalidSetting(
            f"{version.reference} answers for '{workload.name}'; only convolutions and operators can be measured"
        )
    check_name(device)
    figures: Mapping[str, float] = {}
    kind_of_device = ""
    if figures_among(workload.feature_names):
        found = find_device(device, load_devices(devices_folder(bench.settings)))
        figures, kind_of_device = found.features(workload.feature_names, device), found.kind
    base = Base(version.reference, version.manifest, bench.registry.graph(version))
    return _Task(device, base, workload, figures, kinds[0], kind_of_device)


def _measured(task: _Task, options: "ProfileOptions") -> Path:
    """Measure the layers that the guide chooses, and give the file of their times."""
    from perfcast.workloads.cnn_execution_time.profiler import profile

    with profile_progress() as show:
        result = profile(options, task.guide(), kind=task.kind, on_progress=show)
    say(f"{result.rows} layers measured, {result.left_out} left out; what they are: {result.card}")
    return result.dataset


def _register(bench: "Workbench", task: _Task, adapted: "Adapted", dataset: "Dataset") -> None:
    """Keep the version, and let it answer where it is better than what it starts from, and nobody answers yet."""
    from perfcast.registry import CHAMPION

    model = f"{task.workload.name}-{task.device}"
    known = {one.name: one.aliases for one in bench.registry.models()}
    champion = known.get(model, {}).get(CHAMPION)
    told = f"MAPE {adapted.after:.1f} % on layers that a fit hadn't seen, {adapted.before:.1f} % before"
    version = bench.registry.add(model, adapted.draft, dataset=dataset.name, note=told)
    if adapted.after >= adapted.before:
        say(f"it is no better than {task.base.reference}, and stays a candidate")
    elif champion is not None:
        say(f"{model}:{champion} goes on answering, since no rows are left to compare by")
        say(f"to let this one answer: perfcast models activate {version.reference}")
    else:
        bench.registry.point(model, CHAMPION, version.number, expect=None, reason=told, actor="calibrate")
    say(f"{version.reference}: {told}; {len(dataset.cost)} layers")
    say(f"all about it: perfcast models show {version.reference}")


def _write(path: Path, kind: "Kind", configurations: Sequence[Any]) -> None:
    with path.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, kind.features)
        writer.writeheader()
        writer.writerows(map(asdict, configurations))
