"""`perfcast report` and `perfcast models card`: what a version is and how far to trust it, for people."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from perfcast.cli._options import VERSION
from perfcast.cli._output import say, working
from perfcast.cli._workbench import workbench
from perfcast.errors import Refused

if TYPE_CHECKING:
    from perfcast.manifest import Metrics
    from perfcast.registry import Version
    from perfcast.reports import Evidence, NoEvidence
    from perfcast.training import Base


def report(
    reference: str = VERSION,
    out: Path | None = typer.Option(None, help="The folder to write into; report-MODEL-VERSION here if not given."),
    learning_curve: bool = typer.Option(
        False,
        "--learning-curve",
        help="Also fit its family anew on growing shares of its rows: 2.4 times its final fit, of few rows 5 times.",
    ),
) -> None:
    """Write all about a version into one HTML file that opens from disk, and its pictures as PNG beside it.

    Accuracy, calibration, residuals, importance, live accuracy and where it was learnt, from the local state. What
    needs the rows it was judged on is left out, with the reason, where they aren't kept here.

    Examples:
        perfcast report cpu-utilization
        perfcast report cnn-execution-time-cpu-torch:5 --out torch-report
        perfcast report cpu-utilization@challenger --learning-curve
    """
    from importlib import import_module

    from perfcast.jobs import find_base
    from perfcast.monitoring import read_accuracy
    from perfcast.reports import find_evidence, write_report

    import_module("matplotlib")  # where the extra is missing, say so before a learning curve takes its minutes
    with workbench() as bench:
        version = bench.registry.resolve(reference)
        graph = bench.registry.graph(version)
        base = find_base(bench.registry, version.manifest.base) if learning_curve else None
        with bench.database.read() as connection:
            arms = read_accuracy(connection, version.model, version.number)
        with working("asking the graph"):
            evidence = find_evidence(version, graph, bench.datasets)
    curve = _curve(version, evidence, base) if learning_curve else ()
    folder = out or Path(f"report-{version.model}-{version.number}")
    live = {arm.arm: windows for arm, windows in arms.items()}
    with working("drawing"):
        page, *pictures = write_report(version, evidence, folder, live=live, curve=curve)
    print(page)
    say(f"{version.reference}: one page, and {len(pictures)} pictures beside it")


def card(reference: str = VERSION) -> None:
    """Print a version's model card in Markdown: what it is, how good, how sure, learnt where.

    Examples:
        perfcast models card cpu-utilization
        perfcast models card cnn-execution-time-cpu-torch:5 > MODEL_CARD.md
    """
    from perfcast.reports import card as made

    with workbench() as bench:
        print(made(bench.registry.resolve(reference)))


def _curve(
    version: "Version", evidence: "Evidence | NoEvidence", base: "Base | None"
) -> "Sequence[tuple[int, Metrics]]":
    """The learning curve, told as it is made."""
    from rich.console import Console
    from rich.progress import track

    from perfcast.reports import NoEvidence
    from perfcast.training import SHARES, learning_curve, shares_together

    if isinstance(evidence, NoEvidence) or evidence.split is None:
        why = evidence.why if isinstance(evidence, NoEvidence) else "it learnt from a part of its dataset"
        raise Refused(f"{version.reference} can't have a learning curve: {why}; leave --learning-curve out")
    seconds = shares_together(evidence.split) * (version.manifest.seconds or 0)
    say(f"learning curve: {len(SHARES)} shares, about {max(seconds, 1):.0f} s")
    console = Console(stderr=True)
    steps = learning_curve(version.manifest, evidence.split, base=base)
    if console.is_terminal:
        return list(track(steps, description="learning curve", total=len(SHARES), console=console))
    made = []
    for rows, metrics in steps:
        made.append((rows, metrics))
        say(f"learning curve: {rows:,} rows, mean error {metrics.mae:.4g}")
    return made
