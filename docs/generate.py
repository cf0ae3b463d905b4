"""Writes the pages that are made from the code, and the tables of docs/metrics.md: run by `make docs`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import api_page
import yaml

from perfcast.api.metrics import SECTIONS
from perfcast.cli import COMMANDS
from perfcast.settings import Settings

HERE = Path(__file__).parent
_PLACEHOLDER = re.compile(r"\{\{ *\$(?:labels\.)?(\w+)[^}]*\}\}")
BEGIN, END = "<!-- written by make docs -->", "<!-- end -->"


def settings_page() -> str:
    """A table of every environment variable, from the `Settings` class."""
    rows = [
        f"| `{name.upper()}` | {_default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    head = [
        "# Settings",
        "",
        "Every setting is an environment variable. Written by `make docs` from `settings.py`.",
        "",
        "Passwords and keys need not stand in the environment: with `SETTINGS_DIR=/run/secrets` the file",
        "`/run/secrets/database_url` is `DATABASE_URL`, and so on; a variable goes before a file.",
        "",
    ]
    return "\n".join([*head, "| variable | default | what |", "|---|---|---|", *rows, ""])


def commands_page() -> str:
    """The help of every command, as the command line prints it."""
    parts = ["# Commands", "", "Written by `make docs` from the command line itself.", ""]
    for command in command_names():
        shown = subprocess.run(
            [Path(sys.executable).with_name("perfcast"), *command.split(), "--help"],
            capture_output=True,
            text=True,
            check=True,
            env={
                "COLUMNS": "110",
                "TERM": "dumb",
                "NO_COLOR": "1",
                "PATH": "",
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
        )
        parts += [f"## perfcast {command}", "", "```", _tidy(shown.stdout), "```", ""]
    return "\n".join(parts)


def command_names() -> list[str]:
    """Every command as it is typed, without `perfcast`."""
    return [
        f"{group} {command.__name__.strip('_')}".strip()
        for group, (_, commands) in COMMANDS.items()
        for command in commands
    ]


def alerts_page() -> str:
    """A table of every alert that Prometheus is given, each with its runbook."""
    groups = yaml.safe_load((HERE.parent / "deploy/prometheus/rules/perfcast.yml").read_text())["groups"]
    rows = [
        f"| [`{rule['alert']}`](runbooks.md#{rule['alert'].lower()}) | {rule['labels']['severity']} "
        f"| {rule.get('for', '–')} | {_plain(rule['annotations']['summary'])} |"
        for group in groups
        for rule in group["rules"]
        if "alert" in rule
    ]
    head = [
        "# Alerts",
        "",
        "What Prometheus is told to alert by ([dashboards and alerts](dashboards.md)); each leads to its runbook.",
        "Written by `make docs` from `deploy/prometheus/rules`.",
        "",
    ]
    return "\n".join([*head, "| alert | severity | once it has lasted | says |", "|---|---|---|---|", *rows, ""])


def metrics_page(page: str) -> str:
    """The page with its tables anew: every metric, from the API's catalogue."""
    parts = []
    for section, metrics in SECTIONS.items():
        rows = [
            f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {meaning} |"
            for name, kind, labels, meaning in metrics
        ]
        parts += [f"### {section}", "", "| metric | kind | labels | meaning |", "|---|---|---|---|", *rows, ""]
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n" + "\n".join(parts) + END + rest.partition(END)[2]


def _plain(summary: str) -> str:
    """An alert's line as a reader wants it: the names of what Prometheus fills in."""
    return _PLACEHOLDER.sub(r"‹\1›", summary)


def _tidy(text: str) -> str:
    """Without blank lines at either end or in a row."""
    return re.sub(r"\n\s*\n(\s*\n)+", "\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip("\n")


def _default(value: object) -> str:
    return f"`{value}`" if value is not None and str(value) else "–"


def pages() -> dict[str, str]:
    """The pages that take no time: name of the file → text as the code says it now."""
    return {
        "api.md": api_page.api_page(),
        "alerts.md": alerts_page(),
        "settings.md": settings_page(),
        "metrics.md": metrics_page((HERE / "metrics.md").read_text()),
    }


if __name__ == "__main__":
    for name, text in {**pages(), "commands.md": commands_page()}.items():
        (HERE / name).write_text(text)
