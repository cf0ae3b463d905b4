"""Metrics are asked for as their kinds want it, and each one somewhere."""

import json
import re

import pytest
from deploy.dashboards._files import DEPLOY
from deploy.dashboards._metrics import SHARED
from deploy.dashboards._queries import family, increase, now, pick, quantile, rate
from deploy.dashboards.rules import GROUPS

from perfcast.api.metrics import METRICS


def test_every_metric_is_asked_for_somewhere() -> None:
    boards = "".join(path.read_text() for path in (DEPLOY / "grafana/dashboards").glob("*.json"))
    asked = boards + "".join(rule.expr for group in GROUPS for rule in group.rules)
    words = set(re.findall(r"[a-z]+(?:_[a-z0-9]+)+", asked))
    unasked = {name for name in METRICS if not {name, f"{name}_bucket"} & words}
    assert unasked == {"process_virtual_memory_bytes", "process_start_time_seconds"}


@pytest.mark.parametrize("path", sorted((DEPLOY / "grafana/dashboards").glob("*.json")), ids=lambda path: path.stem)
def test_what_every_replica_tells_alike_is_counted_once(path) -> None:
    for panel in json.loads(path.read_text())["panels"]:
        for target in panel.get("targets") or ():
            for name in re.findall(r"sum(?: by \([^)]*\))? \((?:rate\(|increase\()?(\w+)\{", target["expr"]):
                assert family(name).name not in SHARED, f"{panel['title']}: {name} is the same in every replica"


def test_asks_each_metric_as_its_kind_wants_it() -> None:
    chosen = '{job=~"$job",instance=~"$instance"}'
    assert str(now("perfcast_jobs", "status")) == f"max by (status) (perfcast_jobs{chosen})"
    assert str(now("http_requests_in_flight")) == f"sum(http_requests_in_flight{chosen})"
    assert str(rate("http_requests_total")) == f"sum(rate(http_requests_total{chosen}[$__rate_interval]))"
    assert increase("perfcast_job_outcomes_total", "status").expr.startswith(
        "round(sum by (status) (max by (model_name, status) ("
    )
    for ask in (rate, lambda name: quantile(0.5, name)):
        with pytest.raises(ValueError, match="perfcast_jobs: expected a"):
            ask("perfcast_jobs")
    with pytest.raises(ValueError, match="nothing_like_it: no such metric"):
        pick("nothing_like_it")
    assert METRICS["ml_models_loaded_total"].kind == "gauge"
