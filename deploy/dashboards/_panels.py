"""Panels as the dashboards say them: a title, what it shows, its unit, its queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as parts
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = shapes.DataSourceRef(type_val="prometheus", uid="${datasource}")
"""The data source that the dashboard's first variable chooses."""
GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"
_BAR = "1m"
"""What a bar counts at least; shorter ones would overlap, since rates look back over several scrapes."""
Panel: TypeAlias = Any
"""A builder of one of Grafana's kinds of panels; they share their methods but no type."""


@dataclass(frozen=True)
class Ask:
    """A query and what its series are called.

    Attributes:
        expr: PromQL.
        legend: With labels in double braces, as Grafana writes them.
    """

    expr: str
    legend: str


Steps: TypeAlias = Sequence[tuple[float, str]]
"""From which value on which colour; below the first of them it is green."""


def lines(
    title: str,
    about: str,
    unit: str,
    *asks: Ask,
    width: int = 8,
    height: int = 8,
    steps: Steps = (),
    below: str = GREEN,
    stacked: bool = False,
    bars: bool = False,
    bottom: float = 0,
    top: float | None = None,
    logarithmic: bool = False,
) -> Panel:
    """Values over time.

    Args:
        title: What is shown, in a few words.
        about: What it means and what to look for.
        unit: Grafana's name of it, such as `s`, `reqps` or `percentunit`.
        asks: The queries.
        width: Of 24.
        height: In Grafana's units of about 30 pixels.
        steps: Thresholds, drawn as dashed lines.
        below: The colour below the first threshold.
        stacked: Whether values lie on each other, so that the top is their sum.
        bars: For counts of what happens now and then.
        bottom: Where the axis begins at most.
        top: Where it ends at least.
        logarithmic: Whether the axis is.
    """
    panel = _with(timeseries.Panel(), title, about, unit, asks, width, height)
    panel.line_width(1).fill_opacity(60 if bars else 25 if stacked else 8).show_points(shapes.VisibilityMode.AUTO)
    panel.span_nulls(False)
    if not logarithmic:
        panel.axis_soft_min(bottom)
    if stacked:
        panel.stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL).group("A"))
    panel.draw_style(shapes.GraphDrawStyle.BARS if bars else shapes.GraphDrawStyle.LINE)
    if bars:
        panel.interval(_BAR).stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL).group("A"))
    if top is not None:
        panel.axis_soft_max(top)
    if logarithmic:
        panel.scale_distribution(common.ScaleDistributionConfig().type(shapes.ScaleDistribution.LOG).log(10))
    if steps:
        panel.thresholds(_thresholds(steps, below))
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.DASHED))
    legend = common.VizLegendOptions().display_mode(shapes.LegendDisplayMode.LIST)
    panel.legend(legend.placement(shapes.LegendPlacement.BOTTOM).show_legend(True).calcs([]))
    return panel.tooltip(
        common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI).sort(shapes.SortOrder.DESCENDING)
    )


def figure(
    title: str,
    about: str,
    unit: str,
    ask: Ask,
    *,
    width: int = 4,
    height: int = 4,
    steps: Steps = (),
    below: str = GREEN,
    decimals: int | None = None,
    says: Mapping[int, tuple[str, str]] | None = None,
) -> Panel:
    """One figure, as it is now, with its course behind it.

    The arguments are those of `lines`, and `decimals` to show, and what it `says` in place of a value, with a colour.
    """
    panel = _with(stat.Panel(), title, about, unit, (ask,), width, height)
    panel.thresholds(_thresholds(steps, below)).color_mode(shapes.BigValueColorMode.VALUE)
    panel.graph_mode(shapes.BigValueGraphMode.NONE if says else shapes.BigValueGraphMode.AREA)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
    if decimals is not None:
        panel.decimals(decimals)
    return panel.mappings(_words(says)) if says else panel


def ranking(
    title: str, about: str, unit: str, ask: Ask, *, width: int = 8, height: int = 8, steps: Steps = ()
) -> Panel:
    """Bars of what is now, one a series; the query orders and bounds them.

    The arguments are those of `lines`.
    """
    panel = _with(bargauge.Panel(), title, about, unit, (ask,), width, height, instant=True)
    panel.thresholds(_thresholds(steps, GREEN if steps else BLUE)).min(0)
    panel.display_mode(shapes.BarGaugeDisplayMode.BASIC).orientation(shapes.VizOrientation.HORIZONTAL)
    panel.name_placement(shapes.BarGaugeNamePlacement.LEFT).value_mode(shapes.BarGaugeValueMode.TEXT)
    return panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))


def states(
    title: str, about: str, says: Mapping[int, tuple[str, str]], *asks: Ask, width: int = 12, height: int = 8
) -> Panel:
    """Bands over time, coloured by state.

    The arguments are those of `lines`, and what each value `says`, with its colour.
    """
    panel = _with(statetimeline.Panel(), title, about, "short", asks, width, height)
    panel.mappings(_words(says)).show_value(shapes.VisibilityMode.NEVER).merge_values(True).row_height(0.8)
    legend = common.VizLegendOptions().display_mode(shapes.LegendDisplayMode.LIST)
    return panel.legend(legend.placement(shapes.LegendPlacement.BOTTOM).show_legend(True).calcs([]))


def rows(
    title: str, about: str, unit: str, expr: str, columns: Mapping[str, str], *, width: int = 12, height: int = 8
) -> Panel:
    """A table, one row a series.

    The arguments are those of `lines`, and what each label's column is called; `Value` is the value's. Columns of other
    labels are left out.
    """
    panel = _with(table.Panel(), title, about, unit, (Ask(expr, "__auto"),), width, height, instant=True)
    shown = {name: number for number, name in enumerate(columns)}
    hidden = {"Time": True} | ({} if "Value" in columns else {"Value": True})
    organize = {"renameByName": dict(columns), "indexByName": shown, "excludeByName": hidden}
    return panel.with_transformation(parts.DataTransformerConfig(id_val="organize", options=organize))


def _with(
    panel: Panel,
    title: str,
    about: str,
    unit: str,
    asks: Sequence[Ask],
    width: int,
    height: int,
    *,
    instant: bool = False,
) -> Panel:
    panel.title(title).description(about).unit(unit).datasource(SOURCE).span(width).height(height)
    for letter, ask in zip("ABCDEFGH", asks, strict=False):
        query = prometheus.Dataquery().ref_id(letter).expr(ask.expr).legend_format(ask.legend).datasource(SOURCE)
        if instant:
            query.instant().format(PromQueryFormat.TABLE if ask.legend == "__auto" else PromQueryFormat.TIME_SERIES)
        else:
            query.range()
        panel.with_target(query)
    return panel


def _thresholds(steps: Steps, below: str) -> Any:
    marks = [parts.Threshold(value=None, color=below), *(parts.Threshold(value, color) for value, color in steps)]
    return dashboard.ThresholdsConfig().mode(parts.ThresholdsMode.ABSOLUTE).steps(marks)


def _words(says: Mapping[int, tuple[str, str]]) -> list[parts.ValueMapping]:
    words = {str(value): parts.ValueMappingResult(text, color) for value, (text, color) in says.items()}
    return [parts.ValueMap(options=words)]
