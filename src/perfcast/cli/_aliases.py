"""`perfcast models alias` and `traffic`: who else answers, and whom."""

import typer


def alias(
    reference: str = typer.Argument(..., help="NAME:VERSION, or NAME with --clear."),
    name: str = typer.Argument(..., metavar="ALIAS", help="challenger or shadow."),
    clear: bool = typer.Option(False, "--clear", help="Let the alias point nowhere."),
    reason: str = typer.Option("", help="Kept in the history."),
) -> None:
    """Set or clear a model's challenger or shadow; serving processes follow within two seconds.

    A challenger answers the share of the callers that `perfcast models traffic` gives it. A shadow is asked for what
    others answer; its answers are recorded and never returned.

    Examples:


        perfcast models alias cpu-utilization:4 challenger

        perfcast models alias cpu-utilization shadow --clear
    """
    from zoneinfo import ZoneInfo

    from perfcast.cli._output import say
    from perfcast.cli._workbench import workbench
    from perfcast.registry import CHALLENGER, SHADOW
    from perfcast.serving import Predictor
    from perfcast.settings import load_settings

    if name not in (CHALLENGER, SHADOW):
        raise typer.BadParameter(f"expected {CHALLENGER} or {SHADOW}; `perfcast models activate` moves the champion")
    if not clear and ":" not in reference and "@" not in reference:
        raise typer.BadParameter(f"expected NAME:VERSION such as {reference}:4, or --clear")
    settings = load_settings()
    with workbench(settings) as bench:
        model, number = reference, None
        if not clear:
            version = bench.registry.resolve(reference)
            Predictor(
                version, bench.registry.graph(version), zone=ZoneInfo(settings.service_timezone)
            )  # it must answer
            model, number = version.model, version.number
        change = bench.registry.point(model, name, number, reason=reason, actor="cli")
    say(f"{change.model}: {name} {change.before or 'none'} → {change.after or 'none'}")


def traffic(
    model: str = typer.Argument(..., help="Name of the model."),
    challenger: float | None = typer.Option(None, help="Percent of the callers that the challenger shall answer."),
    reason: str = typer.Option("", help="Kept in the history."),
) -> None:
    """Show how callers are split between champion and challenger, or split them anew.

    Examples:


        perfcast models traffic cpu-utilization

        perfcast models traffic cpu-utilization --challenger 10
    """
    from perfcast.cli._output import say, show_table
    from perfcast.cli._workbench import workbench
    from perfcast.registry import CHALLENGER, CHAMPION
    from perfcast.settings import load_settings

    with workbench(load_settings()) as bench:
        if challenger is not None:
            weights = {CHAMPION: 100 - challenger, CHALLENGER: challenger}
            change = bench.registry.set_traffic(model, weights, reason=reason, actor="cli")
            say(f"{model}: challenger {change.before[CHALLENGER]:g} % → {change.after[CHALLENGER]:g} % of the callers")
        summary = bench.registry.model(model)
    rows = [(name, number, summary.traffic.get(name, 0.0)) for name, number in sorted(summary.aliases.items())]
    show_table(("alias", "version", "% of callers"), rows)
