"""Panels as the dashboards say them: a title, what it shows, its unit, its queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from deploy.dashboards._queries import Query
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
Builder: TypeAlias = Any
"""Of one of Grafana's kinds of panels; they share their methods but no type."""


@dataclass(frozen=True)
class Panel:
    """A panel, which finds its place in a line of the board.

    Attributes:
        builder: Makes it.
        height: At least, in Grafana's units of about 30 pixels; its line is as high as the highest.
        width: Of 24; None for an equal part of what the others of its line leave.
    """

    builder: Builder
    height: int = 8
    width: int | None = None


Steps: TypeAlias = Sequence[tuple[float, str]]
"""From which value on which colour; below the first of them it is green."""
Says: TypeAlias = Mapping[int, tuple[str, str]]
"""What a value is called, and its colour."""


def lines(
    title: str,
    about: str,
    *queries: Query,
    unit: str = "short",
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
        queries: What is asked.
        unit: Grafana's name of it, such as `s`, `reqps` or `percentunit`.
        steps: Thresholds, drawn as dashed lines.
        below: The colour below the first threshold.
        stacked: Whether values lie on each other, so that the top is their sum.
        bars: For counts of what happens now and then.
        bottom: Where the axis begins at most.
        top: Where it ends at least.
        logarithmic: Whether the axis is.
    """
    panel = _with(timeseries.Panel(), title, about, queries, unit)
    panel.line_width(1).fill_opacity(60 if bars else 25 if stacked else 8).show_points(shapes.VisibilityMode.AUTO)
    panel.span_nulls(False)
    panel.draw_style(shapes.GraphDrawStyle.BARS if bars else shapes.GraphDrawStyle.LINE)
    if stacked or bars:
        panel.stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL).group("A"))
    if bars:
        panel.interval(_BAR)
    if logarithmic:
        panel.scale_distribution(common.ScaleDistributionConfig().type(shapes.ScaleDistribution.LOG).log(10))
    else:
        panel.axis_soft_min(bottom)
    if top is not None:
        panel.axis_soft_max(top)
    if steps:
        panel.thresholds(_thresholds(steps, below))
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.DASHED))
    panel.legend(_legend()).tooltip(
        common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI).sort(shapes.SortOrder.DESCENDING)
    )
    return Panel(panel)


def figure(
    title: str,
    about: str,
    query: Query,
    *,
    unit: str = "short",
    steps: Steps = (),
    decimals: int | None = None,
    says: Says | None = None,
) -> Panel:
    """One figure, as it is now, with its course behind it.

    The arguments are those of `lines`, and `decimals` to show, and what it `says` in place of a value.
    """
    panel = _with(stat.Panel(), title, about, (query,), unit)
    panel.thresholds(_thresholds(steps, GREEN)).color_mode(shapes.BigValueColorMode.VALUE)
    panel.graph_mode(shapes.BigValueGraphMode.NONE if says else shapes.BigValueGraphMode.AREA)
    panel.reduce_options(_last())
    if decimals is not None:
        panel.decimals(decimals)
    if says:
        panel.mappings(_words(says))
    return Panel(panel, height=4, width=4)


def ranking(
    title: str, about: str, query: Query, *, unit: str = "short", steps: Steps = (), width: int | None = None
) -> Panel:
    """Bars of what is now, one a series; the query orders and bounds them.

    The arguments are those of `lines`, and the panel's `width`.
    """
    panel = _with(bargauge.Panel(), title, about, (query,), unit, instant=True)
    panel.thresholds(_thresholds(steps, GREEN if steps else BLUE)).min(0)
    panel.display_mode(shapes.BarGaugeDisplayMode.BASIC).orientation(shapes.VizOrientation.HORIZONTAL)
    panel.name_placement(shapes.BarGaugeNamePlacement.LEFT).value_mode(shapes.BarGaugeValueMode.TEXT)
    return Panel(panel.reduce_options(_last()), width=width)


def states(title: str, about: str, says: Says, query: Query, *, height: int = 8) -> Panel:
    """Bands over time, coloured by state.

    The arguments are those of `lines`, what each value `says`, and the panel's `height`.
    """
    panel = _with(statetimeline.Panel(), title, about, (query,))
    panel.mappings(_words(says)).show_value(shapes.VisibilityMode.NEVER).merge_values(True).row_height(0.8)
    return Panel(panel.legend(_legend()), height)


def rows(title: str, about: str, expr: str, columns: Mapping[str, str], *, width: int | None = None) -> Panel:
    """A table, one row a series.

    The arguments are those of `lines`, what each label's column is called, and the panel's `width`. Columns of other
    labels are left out.
    """
    panel = _with(table.Panel(), title, about, (Query(expr, "__auto"),), instant=True)
    shown = {name: number for number, name in enumerate(columns)}
    organize = {"renameByName": dict(columns), "indexByName": shown, "excludeByName": {"Time": True, "Value": True}}
    return Panel(
        panel.with_transformation(parts.DataTransformerConfig(id_val="organize", options=organize)), width=width
    )


def _with(
    panel: Builder, title: str, about: str, queries: Sequence[Query], unit: str = "short", *, instant: bool = False
) -> Builder:
    panel.title(title).description(about).unit(unit).datasource(SOURCE)
    for letter, asked in zip("ABCDEFGH", queries, strict=False):
        query = prometheus.Dataquery().ref_id(letter).expr(asked.expr).legend_format(asked.legend).datasource(SOURCE)
        if instant:
            query.instant().format(PromQueryFormat.TABLE if asked.legend == "__auto" else PromQueryFormat.TIME_SERIES)
        else:
            query.range()
        panel.with_target(query)
    return panel


def _legend() -> common.VizLegendOptions:
    legend = common.VizLegendOptions().display_mode(shapes.LegendDisplayMode.LIST)
    return legend.placement(shapes.LegendPlacement.BOTTOM).show_legend(True).calcs([])


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False)


def _thresholds(steps: Steps, below: str) -> Any:
    marks = [parts.Threshold(value=None, color=below), *(parts.Threshold(value, color) for value, color in steps)]
    return dashboard.ThresholdsConfig().mode(parts.ThresholdsMode.ABSOLUTE).steps(marks)


def _words(says: Says) -> list[parts.ValueMapping]:
    words = {str(value): parts.ValueMappingResult(text, color) for value, (text, color) in says.items()}
    return [parts.ValueMap(options=words)]
