"""Whether somebody would notice: alerts are loaded and sent on, and Grafana isn't open to all."""

from collections.abc import Iterator
from typing import Any

import httpx2

from perfcast.cli._doctor._deployment import Deployment
from perfcast.cli._doctor._finding import Finding

NEEDED = (
    "PerfcastDown", "PerfcastErrorBudgetBurnsFast", "PerfcastDiskFills", "PerfcastKeysRefused", "PerfcastScopesRefused",
    "PerfcastRateLimited", "PerfcastRefusalsSpike", "PerfcastManyNewCallers",
)  # fmt: skip
"""Of the alerts in deploy/prometheus/rules, those without which nobody hears of an outage or of unusual access."""
_SECONDS = 3.0
_WELL_KNOWN = (("admin", "admin"), ("admin", "admin123"))
"""Grafana's own, and the predecessor's."""


def alerts(given: Deployment) -> Iterator[Finding]:
    """Whether Prometheus has the alerts, and somebody to tell."""
    if not given.prometheus:
        yield Finding("alerts", "warning", "not looked at", "--prometheus URL has them looked at")
        return
    try:
        groups = _asked(given.prometheus, "/api/v1/rules")["groups"]
        managers = _asked(given.prometheus, "/api/v1/alertmanagers")["activeAlertmanagers"]
    except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
        yield Finding("alerts", "warning", f"Prometheus doesn't tell: {error}", "is --prometheus right?")
        return
    loaded = {rule["name"] for group in groups for rule in group["rules"]}
    missing = [name for name in NEEDED if name not in loaded]
    text = f"missing: {', '.join(missing)}" if missing else f"{len(loaded)} rules are loaded"
    todo = "rule_files: deploy/prometheus/rules of this version" if missing else ""
    yield Finding("alerts", "wrong" if missing else "ok", text, todo)
    if managers:
        yield Finding("who is told", "ok", f"{len(managers)} Alertmanager")
    else:
        yield Finding("who is told", "warning", "no Alertmanager: alerts reach nobody", "alerting: in prometheus.yml")


def _asked(address: str, path: str) -> Any:
    answer = httpx2.get(address.rstrip("/") + path, timeout=_SECONDS)
    return answer.raise_for_status().json()["data"]


def grafana(given: Deployment) -> Iterator[Finding]:
    """Whether Grafana's password is still the one that everybody knows: those two are tried."""
    if not given.grafana:
        yield Finding("Grafana's password", "warning", "not looked at", "GRAFANA_URL or --grafana URL has it tried")
        return
    address = given.grafana.rstrip("/") + "/api/user"
    try:
        answers = [httpx2.get(address, auth=pair, timeout=_SECONDS).status_code for pair in _WELL_KNOWN]
    except httpx2.HTTPError as error:
        yield Finding("Grafana's password", "warning", f"Grafana can't be asked: {error}", "is its address right?")
        return
    if 200 in answers:
        text = "the well-known one still lets in"
        yield Finding("Grafana's password", "wrong", text, "grafana cli admin reset-admin-password")
    elif all(status in (401, 403) for status in answers):
        yield Finding("Grafana's password", "ok", "well-known ones are refused")
    else:
        yield Finding("Grafana's password", "warning", f"unexpected answers: {answers}", "is its address right?")
