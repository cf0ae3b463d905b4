"""Writes docs/settings.md, docs/commands.md and the tables of docs/metrics.md from the code: run by `make docs`."""

import os
import re
import subprocess
import sys
from pathlib import Path

from perfcast.api.metrics import SECTIONS
from perfcast.settings import Settings

HERE = Path(__file__).parent
BEGIN, END = "<!-- written by make docs -->", "<!-- end -->"
COMMANDS = (
    "up",
    "serve",
    "train",
    "jobs submit",
    "jobs list",
    "jobs show",
    "jobs watch",
    "jobs cancel",
    "drift",
    "report",
    "schedules list",
    "schedules set",
    "schedules show",
    "schedules remove",
    "schedules history",
    "worker",
    "predict",
    "score",
    "predictions export",
    "data generate",
    "data import",
    "data list",
    "data show",
    "collect init",
    "collect check",
    "collect backfill",
    "collect follow",
    "profile",
    "models list",
    "models show",
    "models card",
    "models accuracy",
    "models activate",
    "models deactivate",
    "models alias",
    "models traffic",
    "models compare",
    "models upload",
    "models delete",
    "models prune",
    "models quantize",
    "models export",
    "models discover",
    "doctor",
)


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
    ]
    return "\n".join([*head, "| variable | default | what |", "|---|---|---|", *rows, ""])


def commands_page() -> str:
    """The help of every command, as the command line prints it."""
    parts = ["# Commands", "", "Written by `make docs` from the command line itself.", ""]
    for command in COMMANDS:
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


def _tidy(text: str) -> str:
    """Without blank lines at either end or in a row."""
    return re.sub(r"\n\s*\n(\s*\n)+", "\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip("\n")


def _default(value: object) -> str:
    return f"`{value}`" if value is not None and str(value) else "–"


if __name__ == "__main__":
    (HERE / "settings.md").write_text(settings_page())
    (HERE / "commands.md").write_text(commands_page())
    metrics = HERE / "metrics.md"
    metrics.write_text(metrics_page(metrics.read_text()))
