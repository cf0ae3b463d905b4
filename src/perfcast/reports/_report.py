"""The report: what the manifest says, and what its held-out rows show, as one HTML file with its pictures beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from perfcast.manifest import Metrics
from perfcast.monitoring import Accuracy
from perfcast.registry import Version
from perfcast.reports import _described as described
from perfcast.reports import _pictures as pictures
from perfcast.reports._canvas import png
from perfcast.reports._document import Picture, Section, Table, number
from perfcast.reports._evidence import Evidence, NoEvidence
from perfcast.reports._measures import Group, groups, importance, outlook
from perfcast.reports._page import page

LearningCurve: TypeAlias = Sequence[tuple[int, Metrics]]
"""Rows learnt from, and the held-out metrics of what was learnt."""
_SIZES, _TIMES, _VALUES = 5, 40, 8
"""Groups that held-out rows are put into, by their cost, over time and along a feature."""
_AGREE = 0.01
"""Share by which the error may differ from the registered one before the report says so."""


def write_report(
    version: Version,
    evidence: Evidence | NoEvidence,
    folder: Path,
    *,
    live: Mapping[str, Mapping[str, Accuracy]] | None = None,
    curve: LearningCurve = (),
) -> list[Path]:
    """Write `report.html`, which needs nothing beside it, and each of its pictures as PNG.

    Args:
        version: Which.
        evidence: What `find_evidence` found.
        folder: Made if it isn't there; older files of these names are replaced.
        live: Live accuracy by arm and window.
        curve: The learning curve, if one was made.

    Returns:
        What was written, the page first.
    """
    sections = _sections(version, evidence, live or {}, curve)
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / "report.html"]
    written[0].write_text(page(version, described.describe(version), sections), encoding="utf-8")
    for picture in (block for section in sections for block in section.blocks if isinstance(block, Picture)):
        written.append(folder / f"{picture.name}.png")
        written[-1].write_bytes(png(picture))
    return written


def _sections(
    version: Version, evidence: Evidence | NoEvidence, live: Mapping[str, Mapping[str, Accuracy]], curve: LearningCurve
) -> list[Section]:
    manifest = version.manifest
    own = (
        [_accuracy(version, evidence), _calibration(version), _residuals(evidence), _importance(evidence)]
        if isinstance(evidence, Evidence)
        else [_unseen(version, evidence), _calibration(version)]
    )
    learnt = [_learning(version, curve)] if curve else []
    lived = [_live(version, live)] if live else []
    card = [described.limits(manifest), described.data(manifest, evidence.provenance), described.about(version)]
    return [*own, *learnt, *lived, *card]


def _unseen(version: Version, evidence: NoEvidence) -> Section:
    section = described.accuracy(version.manifest)
    section.text.append(
        f"Its held-out rows can't be shown: {evidence.why}. So there are no pictures of predictions, residuals and "
        "importance here."
    )
    return section


def _accuracy(version: Version, evidence: Evidence) -> Section:
    section, metrics = described.accuracy(version.manifest), version.manifest.metrics
    again = float(np.abs(evidence.predicted - evidence.measured).mean())
    if metrics is not None and abs(again - metrics.mae) > _AGREE * max(metrics.mae, 1e-12):
        unit = evidence.workload.cost.unit
        section.text.append(
            f"The {number(len(evidence.part))} rows shown here are not exactly those of the registered figures: asked "
            f"again, the graph is {number(again, unit)} off on average. See the remarks under Limits."
        )
    section.blocks.insert(0, pictures.predicted_against_measured(evidence))
    found = groups(evidence, evidence.measured, _SIZES)
    if len(found) > 1:
        section.blocks += [pictures.by_size(evidence, found), _size_table(evidence, found)]
    return section


def _size_table(evidence: Evidence, found: Sequence[Group]) -> Table:
    cost = evidence.workload.cost
    columns = (
        pictures.with_unit("measured", cost.unit),
        "rows",
        pictures.with_unit("mean error", evidence.unit),
        pictures.with_unit("median residual", evidence.unit),
        "in the 90 % interval (%)",
    )
    rows = [
        (f"{number(g.low)} – {number(g.high)}", number(g.rows), number(g.error), number(g.median), number(g.held))
        for g in found
    ]
    return Table("By size of the cost", columns, rows)


def _calibration(version: Version) -> Section:
    manifest = version.manifest
    section, metrics, table = described.calibration(manifest), manifest.metrics, manifest.calibration
    if table is not None and metrics is not None and metrics.coverage:
        unit = described.workload_of(manifest).cost.unit
        drawn = [pictures.coverage(metrics, table.rows), pictures.widths(metrics, relative=table.relative, unit=unit)]
        section.blocks[:0] = drawn
    return section


def _residuals(evidence: Evidence) -> Section:
    of = "in percent of the measured cost" if evidence.workload.cost.relative else "in the cost's unit"
    section = Section("Residuals")
    section.text.append(
        f"Predicted − measured, {of}: above 0 it predicted too much. Where nothing is left to learn, the median stays "
        "near 0 and the band is as wide everywhere."
    )
    section.blocks.append(pictures.residuals_over_prediction(evidence))
    if evidence.part.measured_at is not None:
        seconds = evidence.part.measured_at.astype("datetime64[s]").astype(np.float64)
        found = groups(evidence, seconds, _TIMES)
        if len(found) > 1:
            section.blocks.append(pictures.residuals_over_time(evidence, found))
    along = {
        at: groups(evidence, evidence.part.features[:, at], _VALUES) for at in range(len(evidence.workload.features))
    }
    along = {at: found for at, found in along.items() if len(found) > 1}
    bounds = [bound for found in along.values() for group in found for bound in (group.lower, group.upper)]
    reach = (min(bounds, default=0.0), max(bounds, default=0.0))
    section.blocks += [pictures.residuals_over_feature(evidence, at, found, reach) for at, found in along.items()]
    section.blocks.append(_residual_table(evidence, along))
    return section


def _residual_table(evidence: Evidence, along: Mapping[int, Sequence[Group]]) -> Table:
    features = evidence.workload.features
    rows = [
        (
            features[at].name,
            *(described.value_of(features[at], value) for value in (group.low, group.high)),
            number(group.rows),
            *(number(value) for value in (group.median, group.lower, group.upper)),
        )
        for at, found in along.items()
        for group in found
    ]
    unit = evidence.unit
    spread = [pictures.with_unit(name, unit) for name in ("median", "10 % quantile", "90 % quantile")]
    return Table("Residuals by feature", ("feature", "from", "to", "rows", *spread), rows, folded=True)


def _importance(evidence: Evidence) -> Section:
    section = Section("Importance")
    section.text.append(
        "Permutation importance: the values of one feature are dealt out anew among the held-out rows, the graph is "
        "asked again, and what is shown is by how much its mean error rises. It says what the answers hang on, not "
        "what causes the cost; features that move together share it, so each may look smaller than it is."
    )
    found = importance(evidence)
    rows = [(pictures.importance_name(one), number(one.rise), number(one.spread)) for one in found]
    columns = (
        "feature",
        *(pictures.with_unit(name, evidence.unit) for name in ("mean error rises by", "± (5 shuffles)")),
    )
    section.blocks += [pictures.importances(found, evidence.unit), Table("Rise of the mean error", columns, rows)]
    return section


def _learning(version: Version, curve: LearningCurve) -> Section:
    workload = described.workload_of(version.manifest)
    relative, unit = workload.cost.relative, "%" if workload.cost.relative else workload.cost.unit
    counts = [rows for rows, _ in curve]
    errors = [(metrics.mape or 0.0) if relative else metrics.mae for _, metrics in curve]
    section = Section("Learning curve")
    section.text.append(
        "The family and settings of this version, fitted anew on growing shares of its training rows and judged on the "
        f"same held-out rows. {outlook(counts, errors, curve[-1][1].rows)}"
    )
    columns = ("rows learnt from", pictures.with_unit("mean error", unit), "R²")
    rows = [(number(n), number(e), number(m.r2)) for (n, m), e in zip(curve, errors, strict=True)]
    section.blocks += [pictures.learning_curve(counts, errors, unit), Table("Error by rows learnt from", columns, rows)]
    return section


def _live(version: Version, live: Mapping[str, Mapping[str, Accuracy]]) -> Section:
    unit = described.workload_of(version.manifest).cost.unit
    columns = (
        *("answered as", "window", "predictions", "actuals", pictures.with_unit("mean error", unit), "mean error (%)"),
        *(pictures.with_unit("bias", unit), "in the 90 % interval (%)", "extrapolated (%)"),
    )
    rows = [
        (
            arm,
            window,
            *(number(value) for value in (told.predictions, told.actuals, told.mae, told.mape, told.bias)),
            *(number(value) for value in (told.coverage, told.extrapolated)),
        )
        for arm, windows in live.items()
        for window, told in windows.items()
    ]
    told_any = any(told.actuals for windows in live.values() for told in windows.values())
    text = "How true its predictions turned out, by the actuals that were told; intervals are those at 90 %."
    section = Section("Live accuracy", [text if told_any else "No actuals were told yet: `POST /feedback` takes them."])
    section.blocks.append(Table("By arm and window", columns, rows))
    return section
