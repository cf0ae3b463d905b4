import json
import subprocess
import sys

HEAVY = ("torch", "xgboost", "sklearn", "optuna", "onnx", "spox", "polars", "pyarrow", "pandas", "fastapi", "numpy")


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
    assert not loaded & set(HEAVY)


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
