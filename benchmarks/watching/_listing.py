"""Which queries of the dashboards and rules have data."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from deploy.dashboards.sheet import Prometheus, Span, filled

_DEPLOY = Path(__file__).parents[2] / "deploy"
_SELECTOR = re.compile(r"\b(?:[a-z][a-z0-9_]*:)*[a-z][a-z0-9_]*(?:\{[^}]*\})?(?=[\[\s)/*+<>=-]|$)")
_WORDS = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)")
_FUNCTIONS = {
    "sum",
    "max",
    "min",
    "count",
    "group",
    "avg",
    "or",
    "and",
    "unless",
    "bool",
    "offset",
    "by",
    "on",
    "vector",
}


@dataclass(frozen=True)
class Found:
    """What a query came to.

    Attributes:
        place: Dashboard or group of rules.
        what: Panel, annotation, variable, recording rule or alert.
        query: PromQL as it was asked.
        series, points: How many, over the whole run.
        remark: What else is to be said.
    """

    place: str
    what: str
    query: str
    series: int
    points: int
    remark: str = ""


def listing(prometheus: Prometheus, span: Span) -> tuple[str, list[Found]]:
    """The list as Markdown, and the queries that had no data."""
    found = [*_boards(prometheus, span), *_rules(prometheus, span)]
    silent = [one for one in found if not one.points]
    minutes = (span.end - span.start) / 60
    head = f"{len(found) - len(silent)} of {len(found)} queries returned data, over {minutes:.0f} minutes."
    table = ["| place | what | series | points | remark | query |", "|---|---|---|---|---|---|"]
    rows = [
        f"| {one.place} | {one.what} | {one.series} | {one.points} | {one.remark} | `{_cell(one.query)}` |"
        for one in found
    ]
    none = [f"- {one.place}, {one.what}: `{one.query}`" for one in silent]
    return "\n".join([head, "", *(["Without data:", *none, ""] if none else []), *table, *rows, ""]), silent


def _boards(prometheus: Prometheus, span: Span) -> Iterator[Found]:
    for path in sorted((_DEPLOY / "grafana/dashboards").glob("*.json")):
        board = json.loads(path.read_text())
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                metric = re.fullmatch(r"label_values\((.*), \w+\)", variable["query"])
                assert metric is not None, variable["query"]
                yield _asked(prometheus, span, board["title"], f"variable {variable['name']}", metric[1])
        for annotation in board["annotations"]["list"]:
            yield _asked(prometheus, span, board["title"], f"annotation {annotation['name']}", annotation["expr"])
        for panel in board["panels"]:
            for target in panel.get("targets") or ():
                yield _asked(prometheus, span, board["title"], panel["title"], target["expr"])


def _rules(prometheus: Prometheus, span: Span) -> Iterator[Found]:
    """Recording rules by the series they kept; alerts by the series they look at, and whether they fired."""
    (path,) = (_DEPLOY / "prometheus/rules").glob("*.yml")
    for group in yaml.safe_load(path.read_text())["groups"]:
        for rule in group["rules"]:
            if "record" in rule:
                yield _asked(prometheus, span, group["name"], f"records {rule['record']}", rule["record"])
                yield _asked(prometheus, span, group["name"], f"rule of {rule['record']}", rule["expr"])
            else:
                yield from _alert(prometheus, span, group["name"], rule)


def _alert(prometheus: Prometheus, span: Span, group: str, rule: dict[str, Any]) -> Iterator[Found]:
    states = prometheus.course(f'ALERTS{{alertname="{rule["alert"]}"}}', span)
    fired = {series.labels["alertstate"] for series in states}
    remark = "fired" if "firing" in fired else "pending" if fired else "quiet"
    for selector in selectors(rule["expr"]):
        yield _asked(prometheus, span, group, rule["alert"], selector, remark)


def selectors(expr: str) -> list[str]:
    """The series that an expression looks at, without their windows and offsets."""
    bare = re.sub(r'"(?![^{]*\})[^"]*"', "", _WORDS.sub("", expr))
    found = (match[0] for match in _SELECTOR.finditer(bare))
    return list(dict.fromkeys(one for one in found if one not in _FUNCTIONS and ("_" in one or one == "up")))


def _asked(prometheus: Prometheus, span: Span, place: str, what: str, query: str, remark: str = "") -> Found:
    asked = filled(query, span)
    series = prometheus.course(asked, span)
    points = sum(int(np.isfinite(one.values).sum()) for one in series)
    return Found(place, what, asked, len(series), points, remark)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
