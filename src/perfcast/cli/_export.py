"""`perfcast models export`: a version for other servers."""

from enum import Enum
from pathlib import Path

import typer

from perfcast.cli._options import VERSION
from perfcast.cli._output import say
from perfcast.cli._workbench import workbench


class Form(str, Enum):  # noqa: UP042  # so that typer shows the values in every supported Python
    """What can be written."""

    onnx = "onnx"
    triton = "triton"
    kserve = "kserve"


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
