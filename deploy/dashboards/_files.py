"""The files that Grafana and Prometheus read, made from what the rooms beside this one say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from deploy.dashboards.boards import BOARDS
from deploy.dashboards.rules import GROUPS

DEPLOY = Path(__file__).parents[1]
RUNBOOKS = "docs/runbooks.md"
"""Where the runbooks are unless you serve the docs somewhere."""
_NOTE = "# Made by `make dashboards` from deploy/dashboards/rules; change it there.\n"


def files(runbooks: str = RUNBOOKS) -> dict[Path, str]:
    """Every file with what it holds, by its path under `deploy/`.

    Args:
        runbooks: Address of the page of runbooks, which alerts name.
    """
    return dict(_dashboards()) | dict(_rules(runbooks))


def write(runbooks: str = RUNBOOKS) -> list[Path]:
    """Write those that differ, remove dashboards that are no more, and say which."""
    wanted = files(runbooks)
    changed = [
        path for path, text in wanted.items() if not (DEPLOY / path).exists() or (DEPLOY / path).read_text() != text
    ]
    for path in changed:
        (DEPLOY / path).parent.mkdir(parents=True, exist_ok=True)
        (DEPLOY / path).write_text(wanted[path])
    gone = [path for path in (DEPLOY / "grafana/dashboards").glob("*.json") if path.relative_to(DEPLOY) not in wanted]
    for path in gone:
        path.unlink()
    return [*changed, *(path.relative_to(DEPLOY) for path in gone)]


def _dashboards() -> Iterator[tuple[Path, str]]:
    for board in BOARDS:
        text = json.dumps(board.document(), indent=1, ensure_ascii=False)
        yield Path(f"grafana/dashboards/{board.name}.json"), text + "\n"


def _rules(runbooks: str) -> Iterator[tuple[Path, str]]:
    groups = [group.document(runbooks) for group in GROUPS]
    yield Path("prometheus/rules/perfcast.yml"), _yaml({"groups": groups})
    labels = {"app.kubernetes.io/name": "perfcast", "prometheus": "k8s", "role": "alert-rules"}
    head = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule"}
    meta = {"metadata": {"name": "perfcast", "labels": labels}}
    yield Path("prometheus/prometheusrule.yml"), _yaml(head | meta | {"spec": {"groups": groups}})


def _yaml(document: dict[str, Any]) -> str:
    return _NOTE + yaml.dump(document, sort_keys=False, allow_unicode=True, width=110, Dumper=_NoAliases)


class _NoAliases(yaml.SafeDumper):
    """Rules that are written twice are written out twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True
