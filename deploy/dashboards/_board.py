"""A dashboard: its variables, annotations and rows, as the JSON that Grafana keeps."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from deploy.dashboards._panels import SOURCE, Builder, Panel
from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as parts

RED = "Requests, errors, duration"
USE = "Utilisation, saturation, errors"
MODEL = "Models"
_ALL = parts.VariableOption(selected=True, text=["All"], value=["$__all"])
_MODEL_NAME = "$model_name"
Line: TypeAlias = Sequence[Panel]
"""Panels side by side."""


@dataclass(frozen=True)
class Board:
    """A dashboard.

    Attributes:
        name: Of its file and in its address.
        title: As people call it.
        about: What it is for.
        red, use, model: Its three rows, in that order: what callers get, what is used up, what models do; of each the
            lines of panels.
        hours: How far it looks back at first.
    """

    name: str
    title: str
    about: str
    red: Sequence[Line]
    use: Sequence[Line]
    model: Sequence[Line]
    hours: int = 6

    def document(self) -> dict[str, Any]:
        """Grafana's classic JSON."""
        built = dashboard.Dashboard(self.title).uid(f"perfcast-{self.name}").description(self.about).tags(["perfcast"])
        built.timezone("browser").readonly().tooltip(parts.DashboardCursorSync.CROSSHAIR).refresh("30s")
        built.time(f"now-{self.hours}h", "now")
        built.link(_links()).with_variable(
            dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
        )
        built.with_variable(_chooser("job", "label_values(perfcast_uptime_seconds, job)"))
        built.with_variable(_chooser("instance", 'label_values(perfcast_uptime_seconds{job=~"$job"}, instance)'))
        rows = ((RED, self.red), (USE, self.use), (MODEL, self.model))
        panels = [panel.builder.build() for _, lines in rows for line in lines for panel in line]
        if any(_MODEL_NAME in query.expr for panel in panels for query in panel.targets):
            models = 'label_values(ml_predictions_total{job=~"$job",instance=~"$instance"}, model_name)'
            built.with_variable(_chooser("model_name", models, label="Model"))
        for annotation in _annotations():
            built.annotation(annotation)
        for title, lines in rows:
            built.with_row(dashboard.Row(title))
            for line in lines:
                for builder in _placed(line):
                    built.with_panel(builder)
        return _numbered(json.loads(JSONEncoder(ensure_ascii=False).encode(built.build())))


def _placed(line: Line) -> Iterator[Builder]:
    """The panels of a line, which fill it."""
    height = max(panel.height for panel in line)
    left, sharing = 24 - sum(panel.width or 0 for panel in line), sum(panel.width is None for panel in line)
    for panel in line:
        yield panel.builder.span(panel.width or left // sharing).height(height)


def _chooser(name: str, query: str, label: str | None = None) -> Any:
    variable = dashboard.QueryVariable(name).label(label or name.title()).datasource(SOURCE).query(query)
    variable.multi(True).include_all(True).all_value(".+").current(_ALL).sort(parts.VariableSort.ALPHABETICAL_ASC)
    return variable.refresh(parts.VariableRefresh.ON_TIME_RANGE_CHANGED)


def _annotations() -> list[Any]:
    """Versions that began to answer, and trainings that a schedule began.

    A counter that was not there before is told as well: `changes` sees no first step.
    """
    chosen = 'job=~"$job",instance=~"$instance"'
    fired = f"perfcast_schedule_fired_total{{{chosen}}}"
    by = "by (model_name, trigger)"
    known = f"and on () group(perfcast_uptime_seconds{{{chosen}}} offset 2m)"
    activated = f"max by (model_name) (ml_model_activated_timestamp_seconds{{{chosen}}}) * 1000"
    champions = (
        f'* on (model_name) group_right max by (model_name, version) (ml_model_info{{{chosen},alias="champion"}})'
    )
    first = f"group {by} ({fired} > 0) unless group {by} ({fired} offset 2m) {known}"
    retrains = f"(max {by} (changes({fired}[2m])) > 0) or ({first})"
    return [
        _annotation(
            "Activations", "blue", f"{activated} {champions}", "{{model_name}} {{version}} answers"
        ).use_value_for_time(True),
        _annotation("Retrains", "purple", retrains, "{{model_name}} trained again: {{trigger}}"),
    ]


def _annotation(name: str, color: str, expr: str, title: str) -> Any:
    annotation = dashboard.AnnotationQuery().name(name).datasource(SOURCE).enable(True).icon_color(color)
    return annotation.expr(expr).title_format(title).tag_keys("model_name").step("60s")


def _links() -> Any:
    link = dashboard.DashboardLink("Perfcast").type(parts.DashboardLinkType.DASHBOARDS).tags(["perfcast"])
    return link.as_dropdown(True).include_vars(True).keep_time(True)


def _numbered(document: dict[str, Any]) -> dict[str, Any]:
    """With a number for each panel, which links to single panels need."""
    for number, panel in enumerate(document["panels"], 1):
        panel["id"] = number
    return document
