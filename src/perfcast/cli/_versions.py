"""`perfcast models upload`, `discover`, `export`, `quantize`, `prune`, `distill`, `delete`: versions come and go."""

import logging
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from perfcast.cli._options import VERSION
from perfcast.cli._output import say, show_table, working
from perfcast.cli._workbench import workbench
from perfcast.errors import InvalidSetting, Refused

if TYPE_CHECKING:
    from perfcast.discovery import Result
    from perfcast.manifest import Manifest
    from perfcast.training.variants import Variation
    from perfcast.workloads import Rows

_FORCE = typer.Option(False, "--force", help="Register it even if it is better in nothing.")


class Form(str, Enum):  # noqa: UP042  # so that typer shows the values in every supported Python
    """What can be written."""

    onnx = "onnx"
    triton = "triton"
    kserve = "kserve"


def upload(
    model: str = typer.Argument(..., help="The model that gets the version; made where there is none."),
    graph: Path = typer.Argument(..., help="The ONNX file."),
    manifest: Path | None = typer.Option(None, help="JSON: what is known of it; see docs/models.md."),
    workload: str = typer.Option("", help="What it predicts; for a new model, where the manifest doesn't say."),
    kind: str = typer.Option("", "--type", help="What made it, such as xgboost."),
    label: str = typer.Option("", help="A name for the version, such as v1.3.0."),
    note: str = typer.Option("", help="Anything worth remembering."),
) -> None:
    """Register an ONNX graph that was made elsewhere, as a candidate; it is looked through and tried first.

    Examples:
        perfcast models upload cpu-utilization better.onnx --label v1.3.0
        perfcast models upload cnn-execution-time-lab conv.onnx --workload cnn-execution-time --manifest conv.json
    """
    import msgspec

    from perfcast.serving import read_statement
    from perfcast.serving import upload as register_graph

    statement = read_statement(manifest.read_bytes() if manifest is not None else b"")
    given = {"workload": workload, "type": kind, "label": label, "note": note}
    statement = msgspec.structs.replace(statement, **{name: value for name, value in given.items() if value})
    with workbench() as bench:
        version = register_graph(bench.registry, model, graph.read_bytes(), statement, bench.workloads)
    bounds = "" if version.manifest.calibration else ", uncalibrated: its answers have no bounds"
    say(f"{version.reference} ({version.type}) is registered{bounds}")
    say(f"to let it answer: perfcast models activate {version.reference}")


def delete(reference: str = typer.Argument(..., help="NAME:VERSION.")) -> None:
    """Forget a version and its graph, for good; not while an alias points to it.

    Examples:
        perfcast models delete cpu-utilization:2
    """
    from perfcast.registry import parse_reference

    asked = parse_reference(reference)
    if asked.model is None or (asked.number is None and asked.label is None):
        raise InvalidSetting(f"say which version is to go, as {asked.model or 'NAME'}:VERSION")
    with workbench() as bench:
        number = asked.number or bench.registry.resolve(reference).number
        bench.registry.delete(asked.model, number)
    say(f"{asked.model}:{number} is deleted")


def discover(
    folder: Path | None = typer.Argument(None, help="Folder of models; MODELS_DIR if not given."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Convert and compare, but register nothing."),
) -> None:
    """Convert and register the models of a folder, once; workers do so by themselves for MODELS_DIR.

    Joblib files run code when they are loaded: name only folders that you trust. Exit status 1 where a file failed.

    Examples:
        perfcast models discover CNN_Algorithms --dry-run
        MODELS_DIR=/srv/CNN_Algorithms perfcast models discover
    """
    from perfcast.discovery import Discovery, Records, make_converter
    from perfcast.settings import load_settings

    settings = load_settings(models_dir=folder)
    if settings.models_dir is None:
        raise InvalidSetting("no folder was given; name one, or set MODELS_DIR")
    with workbench(settings) as bench:
        converter = make_converter(settings, bench.workloads)
        records = Records(bench.database)
        discovery = Discovery(settings.models_dir, bench.registry, records, converter, bench.workloads)
        logging.getLogger("perfcast.discovery").setLevel(logging.CRITICAL)  # the table tells of each file
        with working(f"looking through {settings.models_dir} …"):
            results = list(discovery.look(dry_run=dry_run))
    if not results:
        say(
            f"no models in {settings.models_dir}: files must be called best_{{model_type}}_model, "
            "with the suffix .pth, .joblib, .ubj, .json or .onnx"
        )
        return
    show_table(("file", "model", "version", "type", "result"), (_discovered(result) for result in results))
    if any(result.news == "failed" for result in results):
        raise typer.Exit(1)


def _discovered(result: "Result") -> tuple[object, ...]:
    record = result.record
    outcome = f"failed: {record.reason}" if result.news == "failed" else result.news
    return (record.path, record.model, record.version, result.family, outcome)


def export(
    reference: str = VERSION,
    folder: Path = typer.Argument(..., file_okay=False, help="Where to write; made if it isn't there."),
    form: Form = typer.Option(Form.onnx, "--format", help="The bare graph, a Triton repository, or KServe manifests."),
    storage: str | None = typer.Option(None, help="For kserve: where the cluster finds the uploaded repository."),
    image: str | None = typer.Option(None, help="For kserve: the container image that serves Perfcast."),
) -> None:
    """Write a version as other servers want it.

    `onnx`: model.onnx and manifest.json. `triton`: a model repository (several versions and models may share one).
    `kserve`: such a repository with two InferenceService manifests, one for Triton and one for Perfcast itself.

    Examples:
        perfcast models export cpu-utilization graph
        perfcast models export cpu-utilization:2 --format triton repository
        perfcast models export cpu-utilization --format kserve cluster --storage s3://models/repository
    """
    from perfcast.handover import DEFAULT_IMAGE, DEFAULT_STORAGE, Handed, write_kserve, write_onnx, write_triton
    from perfcast.manifest import Draft

    with workbench() as bench:
        version = bench.registry.resolve(reference)
        handed = Handed(version.model, version.number, Draft(bench.registry.graph(version), version.manifest))
    if form is Form.kserve:
        written = write_kserve(folder, handed, storage=storage or DEFAULT_STORAGE, image=image or DEFAULT_IMAGE)
    else:
        written = write_onnx(folder, handed) if form is Form.onnx else write_triton(folder, handed)
    for path in written:
        print(path)
    say(f"{version.reference} ({version.type}) written as {form.value}")


def quantize(reference: str = VERSION, force: bool = _FORCE) -> None:
    """Register a version's int8 form: the weights of its networks rounded to eight bits.

    It is judged on the rows that the original was judged by, and gets intervals of its own. Trees have nothing to
    quantise: see `perfcast models prune`.

    Examples:
        perfcast models quantize cnn-execution-time-cpu-torch:4
    """
    from perfcast.training.variants import quantize

    _register(reference, "int8", lambda graph, *_: quantize(graph), force=force)


def prune(
    reference: str = VERSION,
    keep: float = typer.Option(0.5, help="Share of leaves and hidden neurons to keep, over 0 and below 1."),
    force: bool = _FORCE,
) -> None:
    """Register a version's pruned form: without its trees' weakest splits or its network's weakest neurons.

    It is judged on the rows that the original was judged by, and gets intervals of its own.

    Examples:
        perfcast models prune cnn-execution-time-cpu-torch
        perfcast models prune cpu-utilization:4 --keep 0.25
    """
    from perfcast.training.variants import prune

    _register(reference, f"pruned to {keep:.4g}", lambda graph, _, features: prune(graph, keep, features), force=force)


def distill(
    reference: str = VERSION,
    quantities: int = typer.Option(24, min=0, help="Most derived quantities to read; fewer are quicker."),
    force: bool = _FORCE,
) -> None:
    """Register a version's quick form: one network that learns from its answers and reads few derived quantities.

    It is judged on rows that neither has seen, and gets intervals of its own.

    Examples:
        perfcast models distill cnn-execution-time-cpu-torch
        perfcast models distill cnn-execution-time-cpu-torch:5 --quantities 12
    """
    from perfcast.processors import processors
    from perfcast.training.variants import distill
    from perfcast.workloads import workload_from_document

    def change(graph: bytes, manifest: "Manifest", features: "Rows") -> bytes:
        workload = workload_from_document(manifest.workload)
        with working("learning from its answers, about a minute"):
            return distill(graph, workload, features, quantities=quantities, threads=processors())

    _register(reference, f"distilled to {quantities} quantities", change, force=force)


def _register(reference: str, name: str, change: "Callable[[bytes, Manifest, Rows], bytes]", *, force: bool) -> None:
    from perfcast.training.variants import vary

    with workbench() as bench:
        version = bench.registry.resolve(reference)
        data = version.manifest.data
        if data is None:
            raise Refused(f"{version.reference} doesn't say which rows it was judged by, so a variant can't be either")
        dataset = bench.datasets.load(bench.datasets.find(data.name, data.digest))
        graph = bench.registry.graph(version)
        changed = change(graph, version.manifest, dataset.split().train.features)
        variation = vary((version.number, version.manifest, graph), changed, dataset, name=name)
        _compare(variation)
        if not force:
            variation.require_gain()
        added = bench.registry.add(
            version.model, variation.draft, note=f"{name} of version {version.number}: {variation.summary}"
        )
    gains = " and ".join(variation.gains) or "better in nothing"
    say(f"{added.reference} ({name} of version {version.number}) is registered: {gains}")
    say(f"to let it answer: perfcast models activate {added.reference}")


def _compare(variation: "Variation") -> None:
    names = {variation.error_name: "error", "graph kB": "bytes", "row µs": "row_us", "row in a batch µs": "batch_us"}
    rows: list[tuple[object, ...]] = []
    for shown, name in names.items():
        before, after = getattr(variation.before, name), getattr(variation.after, name)
        scale = 1000 if name == "bytes" else 1
        rows.append((shown, before / scale, after / scale, 100 * (after / before - 1)))
    show_table(("on held-out rows", "before", "after", "change %"), rows)
    apart = variation.difference
    print(
        f"the answers differ by {apart.median:.2g}{apart.unit} (median), {apart.p99:.2g}{apart.unit} (99 of 100 rows), "
        f"{apart.worst:.2g}{apart.unit} (worst)"
    )
