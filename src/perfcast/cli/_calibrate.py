"""`perfcast calibrate`: few measured layers of a device, chosen to tell most, adapt another device's model to it."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from perfcast.cli._output import say
from perfcast.cli._progress import profile_progress
from perfcast.cli._workbench import workbench
from perfcast.errors import InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfcast.cli._workbench import Workbench
    from perfcast.datasets import Dataset
    from perfcast.training import Adapted, Base
    from perfcast.workloads import Rows, Workload
    from perfcast.workloads.cnn_execution_time.profiler import ConvConfig


def calibrate(
    device: str = typer.Option(..., help="Its name: the new version's model is WORKLOAD-DEVICE."),
    base: str = typer.Option(..., "--from", help="The version to adapt: NAME (its champion), NAME:VERSION, NAME@ALIAS."),
    layers: int = typer.Option(30, min=5, max=500, help="How many layers to measure; 10 to 100 are usual."),
    file: Path | None = typer.Option(None, help="Layers that were measured already, instead of measuring."),
    choose: Path | None = typer.Option(None, help="Write the layers that are to be measured into this CSV, and stop."),
    runtime: str = typer.Option("torch", help="What runs the convolutions: torch or onnxruntime."),
    on: str = typer.Option("cpu", help="Where to measure: cpu, or cuda where PyTorch sees a GPU."),
    output: Path = typer.Option(Path("profiles"), help="Folder for the journal of the measurement."),
    seed: int = typer.Option(0, help="Of the layers among which is chosen."),
) -> None:
    """Measure a few layers on a device and adapt another version to it; where a data sheet is read, by its figures.

    The device's descriptor is needed where the version reads it (`perfcast devices`).

    Examples:
        perfcast calibrate --device my-laptop --from convolution-across-devices-gpus
        perfcast calibrate --device t4 --from convolution-across-devices-gpus --choose layers.csv
        perfcast calibrate --device t4 --from convolution-across-devices-gpus --file measured.csv
    """
    from perfcast.training import adapt

    if runtime not in ("torch", "onnxruntime") or on not in ("cpu", "cuda"):
        raise InvalidSetting(f"--runtime must be torch or onnxruntime, --on cpu or cuda, got '{runtime}' and '{on}'")
    with workbench() as bench:
        asked = _asked(bench, device, base)
        candidates = _Candidates.of(asked, seed)
        if choose is not None:
            _write(choose, candidates.best(layers))
            say(f"{layers} layers to measure in {choose}; then: --file with their times in execution_time_ms")
            return
        source = file or _measured(candidates, layers, runtime, on, output / f"calibrate-{device}")
        dataset = _rows(asked, source, device)
        adapted = adapt(asked.base, dataset, candidates.rows)
        bench.datasets.add(dataset)
        _register(bench, asked, adapted, dataset)


@dataclass(frozen=True)
class _Asked:
    """What is to be adapted to which device; `figures` are the device's features, by name."""

    device: str
    base: "Base"
    workload: "Workload"
    figures: "Mapping[str, float]"

    @property
    def model(self) -> str:
        return f"{self.workload.name}-{self.device}"


@dataclass(frozen=True)
class _Candidates:
    """Layers among which is chosen; to the profiler they are a guide.

    Attributes:
        name: For the data card.
        configurations: The layers.
        rows: The same as the workload's rows, float32 [layers, features].
        inputs: What the version reads of them, float32 [layers, inputs].
    """

    name: str
    configurations: "Sequence[ConvConfig]"
    rows: "Rows"
    inputs: "Rows"

    @staticmethod
    def of(asked: _Asked, seed: int) -> "_Candidates":
        import numpy as np

        from perfcast.training import CANDIDATES
        from perfcast.workloads import RowReader
        from perfcast.workloads.cnn_execution_time.profiler import ConvConfig, sample_configurations

        missing = set(ConvConfig.__slots__) - set(asked.workload.feature_names)
        if missing:
            raise InvalidSetting(f"layers are convolutions, but {asked.base.reference} reads no {sorted(missing)[0]}")
        found = sample_configurations(CANDIDATES, seed=seed)
        reader = RowReader(asked.workload)
        named = (dict(zip(ConvConfig.__slots__, astuple(one), strict=True)) for one in found)
        rows = np.array([reader.read({**one, **asked.figures}) for one in named], dtype=np.float32)
        return _Candidates(f"perfcast calibrate from {asked.base.reference}", found, rows, asked.workload.inputs(rows))

    def best(self, count: int) -> "list[ConvConfig]":
        """Those that tell most."""
        from perfcast.training import choose_rows

        return [self.configurations[at] for at in choose_rows(self.inputs, count)]

    def choose(self, count: int, *, seed: int, bound: object, known: "Iterable[ConvConfig]" = ()) -> "list[ConvConfig]":  # noqa: ARG002
        """The same, as the profiler asks: those that its journal doesn't have yet."""
        measured = set(known)
        return [one for one in self.best(count + len(measured)) if one not in measured][:count]


def _asked(bench: "Workbench", device: str, reference: str) -> _Asked:
    from perfcast.devices import Descriptor, devices_folder, find_device, load_devices
    from perfcast.training import Base
    from perfcast.workloads import workload_from_document

    version = bench.registry.resolve(reference)
    workload = workload_from_document(version.manifest.workload)
    figures: Mapping[str, float] = {}
    if set(workload.feature_names) & set(Descriptor.__struct_fields__):
        found = find_device(device, load_devices(devices_folder(bench.settings)))
        figures = found.features(workload.feature_names, device)
    return _Asked(device, Base(version.reference, version.manifest, bench.registry.graph(version)), workload, figures)


def _measured(candidates: _Candidates, layers: int, runtime: str, on: str, output: Path) -> Path:
    """Measure the chosen layers, and give the file of their times."""
    from perfcast.workloads.cnn_execution_time.profiler import ProfileOptions, profile

    options = ProfileOptions(
        output=output,
        runtime=runtime,  # type: ignore[arg-type]  # checked by the caller
        device=on,  # type: ignore[arg-type]
        configurations=layers,
        command=" ".join(["perfcast", *sys.argv[1:]]),
    )
    with profile_progress() as show:
        result = profile(options, candidates, on_progress=show)
    say(f"{result.rows} layers measured, {result.left_out} left out; what they are: {result.card}")
    return result.dataset


def _rows(asked: _Asked, file: Path, device: str) -> "Dataset":
    """The measured layers as the version's rows: with the device's figures, whether the file has them or not."""
    from dataclasses import replace

    from perfcast.datasets import import_file, with_figures
    from perfcast.workloads import Workload

    declaration = asked.workload.declaration
    import msgspec

    own = tuple(item for item in declaration.features if item.name not in asked.figures)
    without = Workload(msgspec.structs.replace(declaration, features=own, derived=(), cost=_without_basis(declaration)))
    dataset, report = import_file(file, without, name=device)
    for refusal in report.refusals:
        say(f"refused: {refusal.field} {refusal.message} ({len(refusal.rows)} rows)")
    return replace(dataset, workload=asked.workload, features=with_figures(asked.workload, dataset, asked.figures))


def _register(bench: "Workbench", asked: _Asked, adapted: "Adapted", dataset: "Dataset") -> None:
    """Keep the version, and let it answer where it is better than what it starts from."""
    from perfcast.registry import CHAMPION

    told = f"MAPE {adapted.after:.1f} % on layers it hasn't seen, {adapted.before:.1f} % before"
    version = bench.registry.add(asked.model, adapted.draft, dataset=dataset.name, note=told)
    if adapted.after < adapted.before:
        bench.registry.point(asked.model, CHAMPION, version.number, reason=told, actor="calibrate")
    else:
        say("it is no better than what it starts from, and stays a candidate")
    say(f"{version.reference}: {told}; {len(dataset.cost)} layers")
    say(f"all about it: perfcast models show {version.reference}")


def _write(path: Path, configurations: "Sequence[ConvConfig]") -> None:
    import csv

    from perfcast.workloads.cnn_execution_time.profiler import ConvConfig

    with path.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(ConvConfig.__slots__)
        writer.writerows(map(astuple, configurations))
