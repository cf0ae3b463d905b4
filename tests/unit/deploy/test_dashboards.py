"""The committed dashboards, by the rules of Grafana's dashboard linter and our own."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deploy.dashboards._board import MODEL, RED, USE
from deploy.dashboards._files import DEPLOY, files
from deploy.dashboards._queries import family
from grafana_foundation_sdk.models import units

FILES = sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
UNITS = {value for name, value in vars(units).items() if isinstance(value, str) and not name.startswith("_")}
SELECTOR = re.compile(r"\b([a-z][a-z0-9_]*_[a-z0-9_]+|up)\{([^}]*)\}")
pytestmark = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def panels(path: Path) -> list[dict[str, Any]]:
    return [panel for panel in json.loads(path.read_text())["panels"] if panel["type"] != "row"]


def queries(path: Path) -> Iterator[tuple[str, str]]:
    for panel in panels(path):
        yield from ((panel["title"], target["expr"]) for target in panel["targets"])


def variables(path: Path) -> dict[str, dict[str, Any]]:
    return {variable["name"]: variable for variable in json.loads(path.read_text())["templating"]["list"]}


def test_is_what_the_code_says(path: Path) -> None:
    assert path.read_text() == files()[path.relative_to(DEPLOY)], "run `make dashboards`"


def test_the_data_source_is_chosen_by_the_viewer(path: Path) -> None:
    source = variables(path)["datasource"]
    assert (source["type"], source["query"], source["label"]) == ("datasource", "prometheus", "Data source")
    for panel in panels(path):
        for place in (panel, *panel["targets"]):
            assert place["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
    for annotation in json.loads(path.read_text())["annotations"]["list"]:
        assert annotation["datasource"]["uid"] == "${datasource}"


@pytest.mark.parametrize(("name", "label"), [("job", "Job"), ("instance", "Instance")])
def test_job_and_instance_are_chosen_by_the_viewer(path: Path, name: str, label: str) -> None:
    variable = variables(path)[name]
    assert variable["type"] == "query"
    assert variable["label"] == label
    assert variable["datasource"]["uid"] == "${datasource}"
    assert (variable["multi"], variable["includeAll"], variable["allValue"]) == (True, True, ".+")
    assert variable["refresh"] == 2, "with the time range, so that replicas that come are offered"


def test_every_series_is_narrowed_to_job_and_instance_and_where_it_has_one_to_the_model(path: Path) -> None:
    asked = [
        *queries(path),
        *((one["name"], one["expr"]) for one in json.loads(path.read_text())["annotations"]["list"]),
    ]
    for title, expr in asked:
        found = SELECTOR.findall(expr)
        assert found, title
        for name, matchers in found:
            assert 'job=~"$job"' in matchers, f"{title}: {name}"
            assert 'instance=~"$instance"' in matchers, f"{title}: {name}"
    for title, expr in queries(path):
        for name, matchers in SELECTOR.findall(expr):
            assert ("model_name" in family(name).labels) == ('model_name=~"$model_name"' in matchers), (
                f"{title}: {name}"
            )
    assert ("model_name" in variables(path)) == any("$model_name" in expr for _, expr in queries(path))


def test_every_series_is_one_that_the_catalogue_knows(path: Path) -> None:
    for title, expr in queries(path):
        words = set(re.findall(r"[a-z][a-z0-9_]*_[a-z0-9_]+(?=\{)", expr))
        assert words == {name for name, _ in SELECTOR.findall(expr)}, title
        for name, matchers in SELECTOR.findall(expr):
            labels = set(re.findall(r"(\w+)[=!]~?", matchers)) - {"job", "instance"}
            assert labels <= set(family(name).labels), f"{title}: {name} has no such label"


def test_every_panel_says_what_it_shows_and_in_which_unit(path: Path) -> None:
    for panel in panels(path):
        assert panel["title"], panel["id"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        for target in panel["targets"]:
            assert target["legendFormat"], panel["title"]


def test_titles_and_numbers_of_panels_are_single(path: Path) -> None:
    found = [panel["title"] for panel in panels(path)]
    assert len(found) == len(set(found))
    numbers = [panel["id"] for panel in json.loads(path.read_text())["panels"]]
    assert len(numbers) == len(set(numbers))


def test_counters_are_rated_and_nothing_else_is(path: Path) -> None:
    for title, expr in queries(path):
        for match in SELECTOR.finditer(expr):
            before, behind = expr[: match.start()], expr[match.end() :]
            rated = bool(re.search(r"\b(rate|increase)\($", before)) and behind.startswith("[")
            counts = family(match[1]).kind != "gauge"
            assert rated == counts, f"{title}: {match[0]}"


def test_rates_are_taken_over_the_interval_that_grafana_works_out(path: Path) -> None:
    for title, expr in queries(path):
        windows = re.findall(r"(?<=\})\[([^\]]*)\]", expr)
        assert set(windows) <= {"$__rate_interval"}, title


def test_buckets_are_only_used_for_quantiles(path: Path) -> None:
    for title, expr in queries(path):
        assert expr.count("_bucket{") == expr.count("histogram_quantile("), title


def test_legends_name_labels_that_the_query_keeps(path: Path) -> None:
    for panel in panels(path):
        for target in panel["targets"]:
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                kept = re.search(rf"by \([^)]*\b{label}\b", target["expr"]) or " by " not in target["expr"]
                assert kept, f"{panel['title']}: {label}"


def test_rows_come_in_the_order_of_what_callers_get_what_is_used_up_and_what_models_do(path: Path) -> None:
    document = json.loads(path.read_text())
    rows = [panel["title"] for panel in document["panels"] if panel["type"] == "row"]
    assert rows == [RED, USE, MODEL]
    places = [panel["gridPos"]["y"] for panel in document["panels"]]
    assert places == sorted(places)


def test_panels_fill_their_rows_without_overlapping(path: Path) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in json.loads(path.read_text())["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken[x, y]}"
                taken[x, y] = panel["title"]
    widths: dict[int, int] = {}
    for x, y in taken:
        widths[y] = max(widths.get(y, 0), x + 1)
    assert len(taken) == sum(widths.values())
    assert set(widths.values()) == {24}


def test_activations_and_retrains_are_marked(path: Path) -> None:
    marks = {one["name"]: one for one in json.loads(path.read_text())["annotations"]["list"]}
    assert set(marks) == {"Activations", "Retrains"}
    assert "ml_model_activated_timestamp_seconds" in marks["Activations"]["expr"]
    assert "perfcast_schedule_fired_total" in marks["Retrains"]["expr"]


def test_is_not_to_be_edited_in_grafana_and_links_to_the_others(path: Path) -> None:
    document = json.loads(path.read_text())
    assert document["editable"] is False
    assert document["uid"] == f"perfcast-{path.stem}"
    assert document["links"][0]["tags"] == document["tags"] == ["perfcast"]
    assert "id" not in document
