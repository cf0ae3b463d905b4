"""`perfcast models …`: list, show, activate and compare what was learnt."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from perfcast.cli._options import one_version
from perfcast.cli._output import say, show_facts, show_json, show_list, show_table, with_unit
from perfcast.cli._workbench import workbench

if TYPE_CHECKING:
    from perfcast.registry import ModelSummary, Registry, Version

_COLUMNS = "version", "type", "MAE", "MAPE %", "median %", "in 10 %", "R²", "coverage %", "width", "graph kB", "row µs"
_LEGEND = (
    "median: of the errors; in 10 %: rows answered within 10 % of the truth; coverage and width: of 90 % intervals"
)


def list_() -> None:
    """List the models with their champions.

    Examples:
        perfcast models list
    """
    with workbench() as bench:
        rows = [_model(bench.registry, model) for model in bench.registry.models()]
    empty = "no models yet: perfcast up makes the starter models, perfcast train --dataset NAME one of your own"
    show_list(("model", "workload", "versions", "champion", "mean error (MAE)", "MAPE %"), rows, tuple, empty=empty)


def show(
    reference: str = typer.Argument(..., help="NAME, NAME:VERSION or NAME@ALIAS."),
    as_json: bool = typer.Option(False, "--json", help="One version's whole manifest as JSON."),
) -> None:
    """Show a model's versions and history, or all about one version.

    Examples:
        perfcast models show cpu-utilization
        perfcast models show cpu-utilization:3
    """
    from perfcast.cli._version_page import show_version, version_json

    with workbench() as bench:
        if one_version(reference):
            version = bench.registry.resolve(reference)
            if as_json:
                show_json(version_json(version))
            else:
                show_version(version, bench.correction(version))
            return
        model = bench.registry.model(reference)
        versions = bench.registry.versions(reference)
        history = bench.registry.history(reference)
    aliases = ", ".join(f"{name} → {number}" for name, number in sorted(model.aliases.items()))
    facts = {"model": model.name, "workload": model.workload, "dataset": model.dataset, "aliases": aliases or None}
    show_facts(facts | ({"challenger's callers %": model.share} if model.share else {}))
    version_table(versions, title="\nversions, on held-out rows")
    rows = [(item.at[:19], item.alias, item.before, item.after, item.share_after, item.reason) for item in history]
    show_table(("at (UTC)", "alias", "from", "to", "challenger %", "reason"), rows, title="\nhistory")


def compare(
    references: list[str] = typer.Argument(..., help="Models or versions: NAME (all of them) or NAME:VERSION."),
) -> None:
    """Compare versions side by side on their held-out rows.

    Figures of different datasets or splits are not comparable: it says which rows each was judged on.

    Examples:
        perfcast models compare cpu-utilization
        perfcast models compare cnn-execution-time-cpu-torch:1 cnn-execution-time-cpu-torch:4
    """
    with workbench() as bench:
        versions: list[Version] = []
        for reference in references:
            one = one_version(reference)
            versions += [bench.registry.resolve(reference)] if one else bench.registry.versions(reference)
    judged_on = [_judged_on(version) for version in versions]
    rows = [(version.reference, *_figures(version)[1:]) for version in versions]
    if len(set(judged_on)) == 1:
        show_table(_COLUMNS, rows, title=f"all on the held-out rows of {judged_on[0]}\n")
    else:
        show_table((*_COLUMNS, "judged on"), [(*row, of) for row, of in zip(rows, judged_on, strict=True)])
    say(_LEGEND)


def _model(registry: "Registry", model: "ModelSummary") -> tuple[object, ...]:
    number = model.aliases.get("champion")
    champion = registry.version(model.name, number) if number else None
    figures = _figures(champion)[2:4] if champion else (None, None)
    name = f"{number} ({champion.manifest.type})" if champion else None
    return (model.name, model.workload, len(model.versions), name, *figures)


def version_table(versions: "Iterable[Version]", *, title: str = "") -> None:
    """Versions of one model side by side, on standard output."""
    show_table(_COLUMNS, (_figures(version) for version in versions), title=title)
    say(_LEGEND)


def _figures(version: "Version") -> tuple[object, ...]:
    manifest, metrics = version.manifest, version.manifest.metrics
    made = (manifest.graph.bytes / 1000, manifest.graph.row_us)
    variant = manifest.settings.get("variant")
    kind = f"{manifest.type}, {variant}" if variant else manifest.type
    if metrics is None:
        return (version.number, kind, *[None] * 7, *made)
    unit = manifest.workload.get("cost", {}).get("unit", "")
    relative = bool(manifest.calibration and manifest.calibration.relative)
    width = with_unit((metrics.relative_width if relative else metrics.width).get("0.9"), "%" if relative else unit)
    shares = (metrics.mape, metrics.median_ape, metrics.within_10, metrics.r2, metrics.coverage.get("0.9"))
    return (version.number, kind, with_unit(metrics.mae, unit), *shares, width, *made)


def _judged_on(version: "Version") -> str:
    data = version.manifest.data
    return f"{data.name}@{data.digest[:8]}, {data.parts.get('test', 0):,} rows" if data else "–"
