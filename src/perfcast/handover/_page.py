"""What a person needs to know who serves a version elsewhere."""

from perfcast.manifest import Calibration, Manifest
from perfcast.workloads import LARGEST, Feature, workload_from_document

_INTERVALS = """\
The interval that holds the true cost in a share of cases comes from `{number}/calibration.json`: take the width of
{band} from `widths` for the share wanted, such as `0.9`. The interval is {formula}, cut off at `minimum` and
`maximum`."""
_BY_COST = "the first band whose edge lies above the cost (the last width where none does)"
_BY_SPREAD = """\
the prediction's band: the first of `edges` that lies above the cost (none: the last) says which of the lists in
`spreads`, and the first in that list above the graph's second output, `spread`, says which band of it; bands are
numbered through all lists. `config.pbtxt` names `cost` alone, since versions beside this one may have no `spread`: add
it to `output`, written as `cost` is, where all have it"""
_NO_INTERVALS = "This version is uncalibrated: there are no intervals."


def page(model: str, number: int, manifest: Manifest) -> str:
    """The README of a model in a Triton repository, about the version written last."""
    workload = workload_from_document(manifest.workload)
    rows = "\n".join(_row(position, feature, manifest) for position, feature in enumerate(workload.features))
    cost = workload.cost
    unit = f" ({cost.unit})" if cost.unit else ""
    return f"""\
# {model}

Version {number}: predicts `{cost.name}`{unit} of `{workload.name}`. Made by Perfcast on {manifest.created_at[:10]}
({manifest.type}). ONNX operator set {manifest.graph.opset}, IR {manifest.graph.ir}; SHA-256 of the graph
`{manifest.graph.sha256}`.

## Input: `features`, FP32 [rows, {len(workload.features)}]

In this order. The graph computes what it derives from them by itself, but **nothing checks the bounds here**, and there
are no defaults: send every value, and refuse what lies outside. Outside the trained range, the cost is a guess.

| column | feature | unit | allowed | trained on | default |
|---|---|---|---|---|---|
{rows}

## Output: `cost`, FP32 [rows, 1]

Triton shows the graph's [rows] so, because the shape of a batched tensor needs a second dimension.

## Intervals

{_intervals(number, manifest.calibration)}
"""


def _row(position: int, feature: Feature, manifest: Manifest) -> str:
    declared = feature.declaration
    trained = manifest.ranges.get(feature.name)
    values = ", ".join(f"{code} for {value}" for code, value in enumerate(declared.values))
    allowed = values or f"{_number(feature.minimum)} to {_number(feature.maximum)}" + (", whole" * feature.whole)
    seen = "–" if trained is None else f"{trained[0]:g} to {trained[1]:g}"
    default = "–" if declared.default is None else f"`{declared.default}`"
    return f"| {position} | `{feature.name}` | {declared.unit or '–'} | {allowed} | {seen} | {default} |"


def _number(value: float) -> str:
    return "any" if abs(value) >= LARGEST else f"{value:g}"


def _intervals(number: int, calibration: Calibration | None) -> str:
    if calibration is None:
        return _NO_INTERVALS
    formula = "cost ÷ width to cost × width" if calibration.relative else "cost − width to cost + width"
    band = _BY_SPREAD if calibration.spreads else _BY_COST
    return _INTERVALS.format(number=number, formula=formula, band=band)
