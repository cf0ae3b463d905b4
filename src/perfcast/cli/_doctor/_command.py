"""The command."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import typer

from perfcast.cli._doctor._finding import Finding, findings_of
from perfcast.cli._output import show_json, show_table, working


def doctor(
    production: bool = typer.Option(False, "--production", help="Ask whether this is fit for production."),
    backups: Path | None = typer.Option(
        None, "--backups", metavar="FOLDER", help="Where backups lie: how old is the newest?"
    ),
    prometheus: str = typer.Option("", "--prometheus", metavar="URL", help="Are Perfcast's alerts loaded there?"),
    grafana: str = typer.Option(
        "", "--grafana", metavar="URL", help="Has its password been changed? Else GRAFANA_URL."
    ),
    as_json: bool = typer.Option(False, "--json", help="As JSON, for scripts."),
) -> None:
    """Check this installation; exit status 1 when something is wrong.

    With --production: keys, passwords, TLS, limits, ports, backups, alerts and so on, each with what to do. It judges
    the settings that it is run with, so run it as the server runs: in its container, or with its environment file.

    Examples:
        perfcast doctor
        DATABASE_URL=postgresql://… perfcast doctor
        perfcast doctor --production
        perfcast doctor --production --backups /backups --prometheus http://prometheus:9090
        docker compose exec ml-api perfcast doctor --production --json
    """
    from perfcast.settings import load_settings

    settings = load_settings()
    if production:
        from perfcast.cli._doctor._deployment import Deployment
        from perfcast.cli._doctor._production import CHECKS

        given = Deployment(settings, backups, prometheus, grafana or settings.grafana_url)
        with working("looking around"):
            findings = findings_of(CHECKS, given)
    else:
        from perfcast.cli._doctor._installation import CHECKS as INSTALLATION

        findings = findings_of(INSTALLATION, settings)
    show_json([asdict(finding) for finding in findings]) if as_json else _show(findings)
    if any(finding.verdict == "wrong" for finding in findings):
        raise typer.Exit(1)


def _show(findings: Sequence[Finding]) -> None:
    wrong = [finding.what for finding in findings if finding.verdict == "wrong"]
    print(f"wrong here: {', '.join(wrong)}" if wrong else "nothing is wrong here")
    columns = ("verdict", "what", "found", "what to do")
    show_table(columns, [(finding.verdict, finding.what, finding.found, finding.do) for finding in findings])
