"""`perfcast models …`: list, show, activate and compare what was learnt."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from perfcast.cli._aliases import alias, traffic
from perfcast.cli._discover import discover
from perfcast.cli._export import export

if TYPE_CHECKING:
    from perfcast.registry import Version

_COLUMNS = (
    "version",
    "type",
    "MAE",
    "MAPE %",
    "median %",
    "in 10 %",
    "R²",
    "coverage %",
    "width",
    "graph kB",
    "row µs",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    models = typer.Typer(no_args_is_help=True, help="List, show, activate, compare, upload and thin out models.")
    models.command("list")(list_)
    models.command("show")(show)
    models.command("activate")(activate)
    models.command("deactivate")(deactivate)
    models.command("alias")(alias)
    models.command("traffic")(traffic)
    models.command("compare")(compare)
    models.command("default")(default)
    from perfcast.cli import _variants, _versions

    _versions.register(models)
    _variants.register(models)
    models.command("export")(export)
    models.command("discover")(discover)
    app.add_typer(models, name="models")


def list_() -> None:
    """List the models with their champions."""
    from perfcast.cli._output import say, show_table
    from perfcast.cli._workbench import workbench
    from perfcast.settings import load_settings

    with workbench(load_settings()) as bench:
        models = bench.registry.models()
        rows = []
        for model in models:
            number = model.aliases.get("champion")
            champion = bench.registry.version(model.name, number) if number else None
            metrics = champion.manifest.metrics if champion else None
            rows.append(
                (
                    model.name,
                    model.workload,
                    len(model.versions),
                    f"{number} ({champion.manifest.type})" if champion else None,
                    metrics.mae if metrics else None,
                    metrics.mape if metrics else None,
                )
            )
    if not rows:
        say("no models yet: perfcast up makes the starter models, perfcast train --dataset NAME one of your own")
        return
    show_table(("model", "workload", "versions", "champion", "MAE", "MAPE %"), rows)


def show(
    reference: str = typer.Argument(..., help="NAME, NAME:VERSION or NAME@ALIAS."),
    as_json: bool = typer.Option(False, "--json", help="One version's whole manifest as JSON."),
) -> None:
    """Show a model's versions and history, or all about one version.

    Examples:


        perfcast models show cpu-utilization

        perfcast models show cpu-utilization:3
    """
    from perfcast.cli._output import show_facts, show_table
    from perfcast.cli._workbench import workbench
    from perfcast.settings import load_settings

    with workbench(load_settings()) as bench:
        if ":" in reference or "@" in reference:
            _show_version(bench.registry.resolve(reference), as_json=as_json)
            return
        model = bench.registry.model(reference)
        versions = bench.registry.versions(reference)
        history = bench.registry.history(reference)
    aliases = ", ".join(f"{name} → {number}" for name, number in sorted(model.aliases.items()))
    facts = {"model": model.name, "workload": model.workload, "dataset": model.dataset, "aliases": aliases or None}
    show_facts(facts | ({"challenger's callers %": model.share} if model.share else {}))
    version_table(versions, title="\nversions, on held-out rows")
    rows = [
        (event.at[:19], event.alias, event.before, event.after, event.share_after, event.reason) for event in history
    ]
    show_table(("at", "alias", "from", "to", "challenger %", "reason"), rows, title="\nhistory")


def activate(
    reference: str = typer.Argument(..., help="NAME:VERSION."),
    reason: str = typer.Option("", help="Kept in the history."),
) -> None:
    """Make a version the champion; serving processes follow within two seconds.

    Example:

        perfcast models activate cpu-utilization:2 --reason "better at night"
    """
    from zoneinfo import ZoneInfo

    from perfcast.cli._output import say
    from perfcast.cli._workbench import workbench
    from perfcast.serving import Predictor
    from perfcast.settings import load_settings

    settings = load_settings()
    with workbench(settings) as bench:
        version = bench.registry.resolve(reference)
        Predictor(version, bench.registry.graph(version), zone=ZoneInfo(settings.service_timezone))  # it must answer
        change = bench.registry.point(version.model, "champion", version.number, reason=reason, actor="cli")
    say(f"{change.model}: champion {change.before or 'none'} → {change.after}")


def deactivate(
    model: str = typer.Argument(..., help="Name of the model."),
    reason: str = typer.Option("", help="Kept in the history."),
) -> None:
    """Return the champion to the version before it, or to none."""
    from perfcast.cli._output import say
    from perfcast.cli._workbench import workbench
    from perfcast.settings import load_settings

    with workbench(load_settings()) as bench:
        change = bench.registry.step_back(model, reason=reason, actor="cli")
    say(f"{change.model}: champion {change.before or 'none'} → {change.after or 'none'}")


def default(model: str = typer.Argument(..., help="Name of the model.")) -> None:
    """Let a model answer for its workload when a request names none.

    Example:

        perfcast models default cnn-execution-time-my-gpu
    """
    from perfcast.cli._output import say
    from perfcast.cli._workbench import workbench
    from perfcast.settings import load_settings

    with workbench(load_settings()) as bench:
        workload = bench.registry.model(model).workload
        bench.registry.set_default(workload, model)
    say(f"{model} now answers for {workload}")


def compare(
    references: list[str] = typer.Argument(..., help="Models or versions: NAME (all of them) or NAME:VERSION."),
) -> None:
    """Compare versions side by side on their held-out rows.

    Figures of different datasets or splits are not comparable; the last column says which rows each was judged on.

    Examples:


        perfcast models compare cpu-utilization

        perfcast models compare cnn-execution-time-cpu-torch:1 cnn-execution-time-cpu-torch:4
    """
    from perfcast.cli._output import show_table
    from perfcast.cli._workbench import workbench
    from perfcast.settings import load_settings

    with workbench(load_settings()) as bench:
        versions: list[Version] = []
        for reference in references:
            one = ":" in reference or "@" in reference
            versions += [bench.registry.resolve(reference)] if one else bench.registry.versions(reference)
    rows = [(*_figures(version, full_name=True), _judged_on(version)) for version in versions]
    show_table((*_COLUMNS, "judged on"), rows)


def version_table(versions: "Iterable[Version]", *, title: str = "") -> None:
    """Versions of one model side by side, on standard output."""
    from perfcast.cli._output import show_table

    show_table(_COLUMNS, (_figures(version) for version in versions), title=title)


def _figures(version: "Version", *, full_name: bool = False) -> tuple[object, ...]:
    manifest, metrics = version.manifest, version.manifest.metrics
    name = f"{version.model}:{version.number}" if full_name else version.number
    size = manifest.graph.bytes / 1000
    variant = manifest.settings.get("variant")
    kind = f"{manifest.type}, {variant}" if variant else manifest.type
    if metrics is None:
        return (name, kind, *[None] * 7, size, manifest.graph.row_us)
    widths = metrics.relative_width if manifest.calibration and manifest.calibration.relative else metrics.width
    return (
        name,
        kind,
        metrics.mae,
        metrics.mape,
        metrics.median_ape,
        metrics.within_10,
        metrics.r2,
        metrics.coverage.get("0.9"),
        widths.get("0.9"),
        size,
        manifest.graph.row_us,
    )


def _judged_on(version: "Version") -> str:
    data = version.manifest.data
    return f"{data.name}@{data.digest[:8]}, {data.parts.get('test', 0)} rows" if data else "–"


def _show_version(version: "Version", *, as_json: bool) -> None:
    from perfcast.cli._output import show_json
    from perfcast.cli._version_page import show_version, version_json

    if as_json:
        show_json(version_json(version))
    else:
        show_version(version)
