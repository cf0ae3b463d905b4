import json
import os
import subprocess
import sys

from perfcast.cli._main import COMMANDS, help_text
from perfcast.cli._options import KEY
from perfcast.settings import CLIENT_KEY

HEAVY = ("torch", "xgboost", "sklearn", "optuna", "onnx", "spox", "polars", "pyarrow", "pandas", "fastapi", "numpy")
NEEDLESS = (
    "perfcast_client",
    "httpx2",
    "pydantic",
    "pydantic_settings",
    "msgspec",
    "ssl",
    "http.client",
    "urllib.request",
    "asyncio",
    "sqlalchemy",
)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, json, perfcast.cli._main as m\n"
        "sys.argv = ['perfcast', '--help']\n"
        "try: m.main()\n"
        "except SystemExit: print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "perfcast up" in shown.stdout
    loaded = set(json.loads(shown.stderr))
    assert not loaded & {*HEAVY, *NEEDLESS}


def test_commands_send_the_key_that_processes_are_not_given() -> None:
    assert KEY.envvar == CLIENT_KEY


def test_every_command_explains_itself_with_an_example() -> None:
    for group, (_, commands) in COMMANDS.items():
        for command in commands:
            called = " ".join(filter(None, ("perfcast", group, command.__name__.strip("_"))))
            examples = help_text(command.__doc__ or "").partition("Examples:\n")[2].split("\n\n")
            assert any(called in example for example in examples), called


def test_examples_are_apart_in_the_help() -> None:
    words = [sys.executable, "-m", "perfcast", "models", "show", "--help"]
    shown = subprocess.run(
        words, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "80"}
    ).stdout
    lines = [line.strip() for line in shown.splitlines()]
    start = lines.index("Examples:")
    assert lines[start : start + 5] == [
        "Examples:",
        "",
        "perfcast models show cpu-utilization",
        "",
        "perfcast models show cpu-utilization:3",
    ]
