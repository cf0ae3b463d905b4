"""`perfcast models activate`, `deactivate`, `alias`, `traffic` and `default`: who answers, and whom."""

from typing import TYPE_CHECKING

import typer

from perfcast.cli._options import MODEL, REASON, one_version
from perfcast.cli._output import say, show_table
from perfcast.cli._workbench import workbench

if TYPE_CHECKING:
    from perfcast.registry import AliasChange


def activate(reference: str = typer.Argument(..., help="NAME:VERSION."), reason: str = REASON) -> None:
    """Make a version the champion; serving processes follow within two seconds.

    Examples:
        perfcast models activate cpu-utilization:2 --reason "better at night"
    """
    _point(reference, "champion", reason)


def deactivate(model: str = MODEL, reason: str = REASON) -> None:
    """Return the champion to the version before it, or to none.

    Examples:
        perfcast models deactivate cpu-utilization --reason "worse at night"
    """
    with workbench() as bench:
        change = bench.registry.step_back(model, reason=reason, actor="cli")
    _tell(change)
    if change.after is None:
        say(f"no version answers now; perfcast models activate {model}:VERSION lets one")


def alias(
    reference: str = typer.Argument(..., help="NAME:VERSION, or NAME with --clear."),
    name: str = typer.Argument(..., metavar="ALIAS", help="challenger or shadow."),
    clear: bool = typer.Option(False, "--clear", help="Let the alias point nowhere."),
    reason: str = REASON,
) -> None:
    """Set or clear a model's challenger or shadow; serving processes follow within two seconds.

    A challenger answers the share of the callers that `perfcast models traffic` gives it. A shadow is asked for what
    others answer; its answers are recorded and never returned.

    Examples:
        perfcast models alias cpu-utilization:4 challenger
        perfcast models alias cpu-utilization shadow --clear
    """
    from perfcast.registry import CHALLENGER, SHADOW

    if name not in (CHALLENGER, SHADOW):
        raise typer.BadParameter(
            f"must be {CHALLENGER} or {SHADOW}, got '{name}'; perfcast models activate moves the champion"
        )
    if not clear and not one_version(reference):
        raise typer.BadParameter(f"expected NAME:VERSION such as {reference}:4, or --clear")
    if not clear:
        _point(reference, name, reason)
        return
    with workbench() as bench:
        _tell(bench.registry.point(reference, name, None, reason=reason, actor="cli"))


def traffic(
    model: str = MODEL,
    challenger: float | None = typer.Option(None, help="Percent of the callers that the challenger shall answer."),
    reason: str = REASON,
) -> None:
    """Show how callers are split between champion and challenger, or split them anew.

    Examples:
        perfcast models traffic cpu-utilization
        perfcast models traffic cpu-utilization --challenger 10
    """
    from perfcast.registry import CHALLENGER, CHAMPION

    with workbench() as bench:
        if challenger is not None:
            weights = {CHAMPION: 100 - challenger, CHALLENGER: challenger}
            before, after = bench.registry.set_traffic(model, weights, reason=reason, actor="cli")
            say(f"{model}: challenger {before[CHALLENGER]:g} % → {after[CHALLENGER]:g} % of the callers")
        summary = bench.registry.model(model)
    rows = [(name, number, summary.traffic.get(name, 0.0)) for name, number in sorted(summary.aliases.items())]
    show_table(("alias", "version", "% of callers"), rows)
    if CHALLENGER not in summary.aliases:
        say(f"no challenger: perfcast models alias {model}:VERSION challenger makes one")


def default(model: str = MODEL) -> None:
    """Let a model answer for its workload when a request names none.

    Examples:
        perfcast models default cnn-execution-time-my-gpu
    """
    with workbench() as bench:
        workload = bench.registry.model(model).workload
        bench.registry.set_default(workload, model)
    say(f"{model} now answers for {workload} where a request names no model")


def _point(reference: str, alias: str, reason: str) -> None:
    with workbench() as bench:
        version = bench.registry.resolve(reference)
        bench.predictor(version)  # it must answer
        _tell(bench.registry.point(version.model, alias, version.number, reason=reason, actor="cli"))


def _tell(change: "AliasChange") -> None:
    say(f"{change.model}: {change.alias} {change.before or 'none'} → {change.after or 'none'}")
