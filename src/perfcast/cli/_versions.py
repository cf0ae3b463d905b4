"""`perfcast models upload` and `perfcast models delete`: versions that come from elsewhere, and versions that go."""

from pathlib import Path

import typer

from perfcast.cli._output import say
from perfcast.cli._workbench import workbench
from perfcast.errors import InvalidSetting


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
