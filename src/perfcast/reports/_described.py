"""The sections that a version's manifest alone carries: what it is, how good, how sure, learnt where."""

from collections.abc import Mapping, Sequence
from typing import Any

from perfcast.manifest import DEFAULT_COVERAGE, Manifest
from perfcast.registry import Version
from perfcast.reports._document import Section, Table, number
from perfcast.workloads import Feature, Workload, workload_from_document

_SETTINGS_LENGTH = 120
"""Longest setting that is shown whole, characters."""
_METRICS = (
    ("mae", "mean error (MAE)", "the mean of |predicted − measured|"),
    ("rmse", "RMSE", "root of the mean squared error: large errors weigh more"),
    ("r2", "R²", "1 where all is explained, 0 where the mean would do as well"),
    ("mape", "mean error in percent (MAPE)", "of the measured cost"),
    ("median_ape", "median error in percent", "half of the rows are closer than this"),
    ("within_5", "rows within 5 %", "of the measured cost"),
    ("within_10", "rows within 10 %", "of the measured cost"),
    ("within_20", "rows within 20 %", "of the measured cost"),
)
UNJUDGED = (
    "No held-out figures are known: it was made elsewhere and brought none. Tell actuals to learn how good it is."
)


def workload_of(manifest: Manifest) -> Workload:
    """What the version predicts, as it was declared when it was made."""
    return workload_from_document(manifest.workload)


def describe(version: Version) -> str:
    """The version in a sentence or two."""
    manifest, workload = version.manifest, workload_of(version.manifest)
    title = str(manifest.workload.get("title") or workload.name)
    unit = f" in {workload.cost.unit}" if workload.cost.unit else ""
    return (
        f"{title}: predicts `{workload.cost.name}`{unit} from {len(workload.features)} features. {_verdict(manifest)}"
    )


def accuracy(manifest: Manifest) -> Section:
    """How good it is on rows that nothing else has seen."""
    section, metrics = Section("Accuracy"), manifest.metrics
    if metrics is None:
        section.text.append(UNJUDGED)
        return section
    unit = workload_of(manifest).cost.unit
    units = {"mae": unit, "rmse": unit, "r2": ""}
    section.text.append(
        f"Measured on {number(metrics.rows)} held-out rows, which neither fitting, nor tuning, nor calibration saw."
    )
    rows = [
        (shown, number(getattr(metrics, name), units.get(name, "%")), meaning)
        for name, shown, meaning in _METRICS
        if getattr(metrics, name) is not None
    ]
    section.blocks.append(Table("Held-out metrics", ("metric", "value", "meaning"), rows))
    return section


def calibration(manifest: Manifest) -> Section:
    """Whether its intervals hold what they promise."""
    section, table = Section("Calibration"), manifest.calibration
    if table is None:
        section.text.append("Uncalibrated: its answers have no lower and upper bounds.")
        return section
    bands = table.bands
    kind = "a factor" if table.relative else "a distance"
    of = "predicted cost"
    if table.spreads:
        of = "how far the model's members disagree" + ", within each of predicted cost" * bool(table.edges)
    section.text.append(
        f"Intervals are split-conformal, {kind} for each of {bands} band{'s' * (bands > 1)} of {of}, sized "
        f"on {number(table.rows)} rows that fitting didn't see. Once actuals are told, they follow them."
    )
    metrics = manifest.metrics
    if metrics is None or not metrics.coverage:
        section.text.append("How many held-out costs they hold isn't known.")
        return section
    unit = workload_of(manifest).cost.unit
    rows = [
        (
            f"{100 * float(asked):g} %",
            number(held, "%"),
            number(metrics.worst_fifth.get(asked), "%"),
            number(metrics.width.get(asked), unit),
            number(metrics.relative_width.get(asked), "%"),
        )
        for asked, held in sorted(metrics.coverage.items(), key=lambda item: float(item[0]))
    ]
    columns = ("promised", "held", "in the worst fifth of cost", "mean width", "median width, of the predicted cost")
    section.blocks.append(Table("Held-out rows inside their interval", columns, rows))
    return section


def data(manifest: Manifest, provenance: Mapping[str, Any] | None = None) -> Section:
    """Where it was learnt: rows, parts, ranges."""
    section, facts = Section("Data card"), manifest.data
    if facts is None:
        section.text.append("Where it was learnt isn't known: the version was made elsewhere and doesn't say.")
    else:
        rows = [
            ("dataset", facts.name),
            ("rows", number(facts.rows)),
            ("distinct configurations", number(facts.configurations)),
            *((f"rows to {name}", number(count)) for name, count in facts.parts.items()),
            ("split", facts.split),
            ("newest row measured", _moment(facts.until) if facts.until else "rows have no times"),
            ("sha256", facts.digest),
            *((f"origin: {name}", _plain(value)) for name, value in (provenance or {}).items()),
        ]
        section.blocks.append(Table("Rows", ("fact", "value"), rows))
    section.blocks.append(_ranges(manifest))
    return section


def about(version: Version) -> Section:
    """The version as an artifact, and how it was found."""
    manifest, graph = version.manifest, version.manifest.graph
    rows = [
        ("version", version.reference + (f" ({version.label})" if version.label else "")),
        ("family", manifest.type),
        ("made", _moment(manifest.created_at)),
        ("registered", _moment(version.created_at)),
        ("note", version.note),
        ("starts from", manifest.base),
        ("graph", f"{number(graph.bytes / 1000, 'kB')}, ONNX opset {graph.opset}"),
        ("graph's sha256", graph.sha256),
        ("one row takes", number(graph.row_us, "µs")),
        ("fitted in", "" if manifest.seconds is None else number(manifest.seconds, "s")),
        ("graph against native model", _parity(manifest)),
        ("keeps the declared trends", _trends(manifest)),
    ]
    section = Section("Version")
    section.blocks.append(Table("Facts", ("fact", "value"), [row for row in rows if row[1]]))
    settings = [(name, _plain(value)) for name, value in manifest.settings.items() if name != "fit"]
    if settings:
        section.blocks.append(Table("Settings", ("setting", "value"), settings, folded=True))
    if manifest.libraries:
        section.blocks.append(Table("Made with", ("library", "version"), list(manifest.libraries.items()), folded=True))
    return section


def _trends(manifest: Manifest) -> str:
    """Whether, and what else must move for it; empty where none is declared."""
    if not manifest.keeps_trends:
        return "" if manifest.keeps_trends is None else "no"
    along = [
        f"{load} +1 brings {', '.join(f'{name} +{slope:g}' for name, slope in followers.items())}"
        for load, followers in manifest.path.items()
    ]
    return f"yes, where {'; '.join(along)}" if along else "yes, all else equal"


def limits(manifest: Manifest) -> Section:
    """What to mind when its answers are used."""
    section = Section("Limits")
    section.text.append(
        "Outside the trained ranges it extrapolates: its answers then name the features under `extrapolated`, and "
        "neither its accuracy nor its intervals are known there."
    )
    if manifest.data is not None:
        section.text.append(
            f"It knows what `{manifest.data.name}` was measured on and nothing else: another device, service or "
            "release may behave differently."
        )
    section.text += [f"Remark: {note}." if not note.endswith(".") else f"Remark: {note}" for note in manifest.notes]
    return section


def _verdict(manifest: Manifest) -> str:
    metrics, cost = manifest.metrics, workload_of(manifest).cost
    if metrics is None:
        return UNJUDGED
    if cost.relative and metrics.median_ape is not None:
        error = f"half of its answers are within {number(metrics.median_ape, '%')} of the measured cost"
    else:
        error = f"it is {number(metrics.mae, cost.unit)} off on average"
    held = metrics.coverage.get(str(DEFAULT_COVERAGE))
    sure = "" if held is None else f"; its {DEFAULT_COVERAGE:.0%} intervals hold {number(held, '%')} of the costs"
    return f"On {number(metrics.rows)} rows it never saw, {error}{sure.replace('90%', '90 %')}."


def _ranges(manifest: Manifest) -> Table:
    rows = [
        (feature.name, *_range(feature, manifest.ranges.get(feature.name)), feature.declaration.unit or "")
        for feature in workload_of(manifest).features
    ]
    return Table("Features and the ranges learnt from", ("feature", "least", "greatest", "unit"), rows)


def _range(feature: Feature, known: tuple[float, float] | None) -> Sequence[str]:
    return ("–", "–") if known is None else [value_of(feature, value) for value in known]


def value_of(feature: Feature, value: float) -> str:
    """A feature's value as it is declared: a choice by what it says."""
    values = feature.declaration.values
    if values:
        return str(values[min(max(round(value), 0), len(values) - 1)])
    return number(int(value) if feature.whole else value)


def _parity(manifest: Manifest) -> str:
    parity = manifest.parity
    if parity is None:
        return ""
    apart = f"at most {parity.worst:.2g} apart, relative," if parity.worst else "the same to the last bit"
    return f"{apart} on {number(parity.rows)} rows"


def _moment(text: str) -> str:
    """ISO 8601, UTC, as people read it."""
    return f"{text[:16].replace('T', ' ')} UTC"


def _plain(value: object) -> str:
    text = number(value) if isinstance(value, float) else str(value)
    return text if len(text) <= _SETTINGS_LENGTH else text[: _SETTINGS_LENGTH - 1] + "…"
