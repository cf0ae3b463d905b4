"""What a rule is, and how it is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Severity: TypeAlias = Literal["critical", "warning", "info"]


def ours(expr: str) -> str:
    """Of jobs that are Perfcast's only: many programs have `http_requests_total` or `process_open_fds`.

    Args:
        expr: Gives series with a `job`.
    """
    return f"({expr}) and on (job) group by (job) (max_over_time(perfcast_uptime_seconds[1h]))"


@dataclass(frozen=True)
class Recording:
    """A query whose answer is kept under a name.

    Attributes:
        name: Of the series.
        expr: PromQL.
        labels: Put on each series.
    """

    name: str
    expr: str
    labels: tuple[tuple[str, str], ...] = ()

    def document(self, runbooks: str) -> dict[str, Any]:  # noqa: ARG002
        """As Prometheus reads it."""
        return {"record": self.name, "expr": self.expr} | ({"labels": dict(self.labels)} if self.labels else {})


@dataclass(frozen=True)
class Alert:
    """Something that somebody should know.

    Attributes:
        name: Also of its section in docs/runbooks.md.
        severity: `critical` pages, `warning` is for today, `info` explains.
        lasts: For how long it must hold, as Prometheus writes it.
        summary: One line; may name labels.
        description: What it means and what to do first; may name labels and the value.
        expr: PromQL that gives a series for each thing that is wrong.
    """

    name: str
    severity: Severity
    lasts: str
    summary: str
    description: str
    expr: str

    def document(self, runbooks: str) -> dict[str, Any]:
        """As Prometheus reads it.

        Args:
            runbooks: Address of the page of runbooks.
        """
        told = {"summary": self.summary, "description": self.description}
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": self.lasts,
            "labels": {"severity": self.severity},
            "annotations": told | {"runbook_url": f"{runbooks}#{self.name.lower()}"},
        }


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated together, in order."""

    name: str
    rules: Sequence[Alert | Recording]

    @property
    def alerts(self) -> list[Alert]:
        """Without the recording rules."""
        return [rule for rule in self.rules if isinstance(rule, Alert)]

    def document(self, runbooks: str) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {"name": f"perfcast-{self.name}", "rules": [rule.document(runbooks) for rule in self.rules]}
