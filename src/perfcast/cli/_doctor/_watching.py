"""Whether somebody would notice: alerts are loaded and sent on, and Grafana isn't open to all."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx2
import yaml

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
    yield _who_is_told([manager["url"] for manager in managers])


def _who_is_told(managers: Sequence[str]) -> Finding:
    """Whether an Alertmanager has somebody to send to: the one that is shipped shows alerts, and sends none.

    Args:
        managers: Addresses that Prometheus sends alerts to.
    """
    what = "who is told"
    if not managers:
        return Finding(what, "warning", "no Alertmanager: alerts reach nobody", "alerting: in prometheus.yml")
    try:
        told = {name for address in managers for name in _receivers(address.rpartition("/api/")[0])}
    except (httpx2.HTTPError, yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError) as error:
        text = f"{len(managers)} Alertmanager, which can't be asked whom it tells: {error}"
        return Finding(what, "warning", text, "run this where Alertmanager can be reached, or look at its receivers")
    if not told:
        text = "Alertmanager sends alerts to nobody: no receiver has an address"
        todo = "webhook_configs, email_configs or another below receivers: in deploy/prometheus/alertmanager.yml"
        return Finding(what, "warning", text, todo)
    return Finding(what, "ok", f"{len(managers)} Alertmanager, which sends to: {', '.join(sorted(told))}")


def _receivers(address: str) -> list[str]:
    """Those of an Alertmanager that send something anywhere: by mail, to a chat, to another program."""
    answer = httpx2.get(f"{address}/api/v2/status", timeout=_SECONDS).raise_for_status()
    receivers = yaml.safe_load(answer.json()["config"]["original"])["receivers"]
    return [one["name"] for one in receivers if any(one[key] for key in one if key.endswith("_configs"))]


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
        answers = [_answer(address, pair) for pair in _WELL_KNOWN]
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


def _answer(address: str, pair: tuple[str, str]) -> int:
    """The status that an account and a password get.

    Behind a path (`GF_SERVER_SERVE_FROM_SUB_PATH`) Grafana sends whoever leaves it out to its public address. Of that
    only the path is taken: the rest may not be reachable from here, and no other host shall see a password.
    """
    answer = httpx2.get(address, auth=pair, timeout=_SECONDS)
    if answer.has_redirect_location:
        path = urlsplit(answer.headers["Location"]).path
        answer = httpx2.get(httpx2.URL(address).copy_with(path=path), auth=pair, timeout=_SECONDS)
    return answer.status_code
