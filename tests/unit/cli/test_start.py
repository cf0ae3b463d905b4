import json
import subprocess
import sys

from perfcast.cli._options import KEY
from perfcast.settings import CLIENT_KEY

HEAVY = ("torch", "xgboost", "sklearn", "optuna", "onnx", "spox", "polars", "pyarrow", "pandas", "fastapi", "numpy")
NEEDLESS = ("pydantic", "pydantic_settings", "msgspec", "ssl", "http.client", "urllib.request", "asyncio", "sqlalchemy")


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
    for command in (
        "up",
        "serve",
        "train",
        "predict",
        "data generate",
        "data import",
        "profile",
        "models compare",
        "models discover",
    ):
        words = [sys.executable, "-m", "perfcast", *command.split(), "--help"]
        shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        assert "Examples:" in shown, command
        assert f"perfcast {command}" in shown, command
