"""Alert and recording rules, judged by promtool: they can be read, and each fires when it should and only then."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy.dashboards._files import DEPLOY, RUNBOOKS, files
from deploy.dashboards._queries import family
from deploy.dashboards.rules import GROUPS, Recording
from deploy.dashboards.rules._recordings import WINDOWS, errors
from tests.unit.deploy.alert_cases import CASES, Case
from tests.unit.deploy.healthy_service import HEALTHY, Series, of

RULES = DEPLOY / "prometheus/rules/perfcast.yml"
ROOT = DEPLOY.parent
ALERTS = {alert.name: alert for group in GROUPS for alert in group.alerts}


def promtool(*arguments: str | Path) -> str:
    program = shutil.which("promtool")
    assert program is not None, "tests need promtool: apt-get install prometheus"
    done = subprocess.run([program, *arguments], check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def judged(tmp_path: Path, tests: list[dict[str, Any]], *, only: str | None = None) -> None:
    """Let promtool run tests of the committed rules.

    Args:
        only: An alert; of the others, and of answers kept that it doesn't ask for, there is then none: that is quicker.
    """
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [_thinned(group, only) for group in committed()]}))
    document = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(document))
    promtool("test", "rules", tmp_path / "tests.yml")


def committed() -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"]
    return groups


def _thinned(group: dict[str, Any], only: str | None) -> dict[str, Any]:
    asked = ALERTS[only].expr if only in ALERTS else None
    rules = [
        rule
        for rule in group["rules"]
        if only is None
        or rule.get("alert") == only
        or ("record" in rule and (asked is None or rule["record"] in asked))
    ]
    return group | {"rules": rules}


def service(change: Series, *, nothing: bool = False) -> list[dict[str, str]]:
    """A healthy service, but for what is different."""
    series = ({} if nothing else dict(HEALTHY)) | dict(change)
    return [{"series": name, "values": values} for name, values in series.items() if values is not None]


def expected(name: str, case: Case) -> dict[str, Any]:
    """The alert with its texts filled in."""
    labels = dict(case.labels) | {"severity": ALERTS[name].severity}
    texts = ALERTS[name].document(RUNBOOKS)["annotations"]
    return {
        "exp_labels": labels,
        "exp_annotations": {key: _filled(text, labels, case.value) for key, text in texts.items()},
    }


def _filled(text: str, labels: Mapping[str, str], value: str) -> str:
    text = re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels[found[1]], text)
    return re.sub(r"{{ \$value[^}]*}}", lambda _: value, text)


@pytest.mark.parametrize("path", sorted((DEPLOY / "prometheus").rglob("*.yml")), ids=lambda path: path.name)
def test_committed_files_are_what_the_code_says(path: Path) -> None:
    made = files().get(path.relative_to(DEPLOY))
    assert made is None or path.read_text() == made, "run `make dashboards`"


def test_promtool_accepts_the_rules_and_the_configuration() -> None:
    rules = sum(len(group.rules) for group in GROUPS)
    assert f"SUCCESS: {rules} rules found" in promtool("check", "rules", RULES)
    assert "is valid prometheus config" in promtool("check", "config", DEPLOY / "prometheus/prometheus.yml")


def test_the_operators_rules_are_the_same() -> None:
    told = yaml.safe_load((DEPLOY / "prometheus/prometheusrule.yml").read_text())
    assert (told["apiVersion"], told["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert told["spec"] == yaml.safe_load(RULES.read_text())


def test_every_alert_has_a_case_and_every_case_an_alert() -> None:
    assert set(CASES) == set(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_fires_when_it_should_and_says_so_and_not_otherwise(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    fires = [
        _look(name, case.at, service(change, nothing=case.nothing), [expected(name, case)]) for change in case.fires
    ]
    calm = [_look(name, case.at, service(change), []) for change in ({}, *case.calm)]
    judged(tmp_path, [*fires, *calm], only=name)


_COMMON = ("http_requests_total", "http_request_duration_seconds", "process_")
"""How the names begin of metrics that many other programs have too."""


@pytest.mark.parametrize("name", ALERTS)
def test_no_alert_speaks_of_another_program_that_the_same_prometheus_scrapes(name: str, tmp_path: Path) -> None:
    looks = []
    for change in CASES[name].fires:
        theirs = {
            series.replace('job="perfcast"', 'job="shop"'): values
            for series, values in {**HEALTHY, **change}.items()
            if series.startswith(_COMMON)
        }
        looks.append(_look(name, CASES[name].at, service(theirs), []))
    judged(tmp_path, looks, only=name)


def _look(name: str, at: int, series: list[dict[str, str]], told: list[dict[str, Any]]) -> dict[str, Any]:
    look = {"eval_time": f"{at}m", "alertname": name, "exp_alerts": told}
    return {"interval": "1m", "input_series": series, "alert_rule_test": [look]}


def test_nothing_fires_while_all_is_well(tmp_path: Path) -> None:
    looks = [{"eval_time": at, "alertname": name, "exp_alerts": []} for name in ALERTS for at in ("3m", "30m", "8h")]
    judged(tmp_path, [{"interval": "1m", "input_series": service({}), "alert_rule_test": looks}])


def test_the_bare_name_of_the_latency_histogram_is_its_p95(tmp_path: Path) -> None:
    buckets = {"0.001": 90, "0.002": 100, "+Inf": 100}
    series = {
        of("ml_prediction_duration_seconds_bucket", f'model_name="m",le="{le}"'): f"0+{n}x60"
        for le, n in buckets.items()
    }
    wanted = '{job="perfcast",model_name="m",quantile="0.95"}'
    look = {
        "expr": "round(ml_prediction_duration_seconds, 0.0001)",
        "eval_time": "30m",
        "exp_samples": [{"labels": wanted, "value": 0.0015}],
    }
    judged(tmp_path, [{"interval": "1m", "input_series": service(series), "promql_expr_test": [look]}], only="none")


def test_error_shares_are_kept_where_nothing_has_failed_yet(tmp_path: Path) -> None:
    looks = [
        {"expr": name, "eval_time": "30m", "exp_samples": [{"labels": f'{name}{{job="perfcast"}}', "value": 0}]}
        for name in map(errors, WINDOWS)
    ]
    judged(tmp_path, [{"interval": "1m", "input_series": service({}), "promql_expr_test": looks}], only="none")


def recordings() -> Iterator[Recording]:
    yield from (rule for group in GROUPS for rule in group.rules if isinstance(rule, Recording))


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_leads_to_a_section_of_the_runbooks(name: str) -> None:
    (rule,) = (rule for group in committed() for rule in group["rules"] if rule.get("alert") == name)
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    text = (ROOT / page).read_text()
    assert anchor == name.lower()
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section is not None, f"{page} has no section {name}"
    for part in ("**Means**", "**Look at**", "**Do**"):
        assert part in section[1], f"{name}: {part}"
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert rule["for"] != "0m"
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"][-1] in ".?"


def test_runbooks_have_no_section_of_an_alert_that_is_gone() -> None:
    assert set(re.findall(r"^## (Perfcast\w+)$", (ROOT / RUNBOOKS).read_text(), re.MULTILINE)) == set(ALERTS)


def test_what_pages_is_consequence_and_inputs_that_moved_call_nobody() -> None:
    severities = {name: alert.severity for name, alert in ALERTS.items()}
    assert severities["PerfcastInputsMoved"] == severities["PerfcastExtrapolates"] == "info"
    assert {name for name, severity in severities.items() if severity == "critical"} == {
        *("PerfcastAbsent", "PerfcastDown", "PerfcastUnhealthy", "PerfcastErrorBudgetBurnsFast", "PerfcastModelFails"),
        *("PerfcastSlow", "PerfcastCoverageLost", "PerfcastErrorUp", "PerfcastRecordsLost", "PerfcastActualsWait"),
        "PerfcastDiskFull",
    }


def test_rules_ask_for_metrics_that_the_catalogue_knows() -> None:
    kept = {rule.name for rule in recordings()}
    for group in GROUPS:
        for rule in group.rules:
            for name in re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+(?=[\[{])", rule.expr):
                assert name in kept or family(name), name
