"""What the API's image must be like, asked from inside it: `docker run --rm cnn-predictor python -m pytest`."""

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest


def test_it_does_not_run_as_root() -> None:
    assert os.getuid() != 0
    assert os.getgid() != 0


@pytest.mark.parametrize("library", ["torch", "sklearn", "xgboost", "optuna", "onnx", "spox", "pandas", "streamlit"])
def test_it_has_no_library_that_only_training_or_the_ui_needs(library: str) -> None:
    assert importlib.util.find_spec(library) is None


@pytest.mark.parametrize("program", ["gcc", "cc", "g++", "make", "ld", "git", "uv", "curl", "wget"])
def test_it_has_no_compiler_and_nothing_that_fetches(program: str) -> None:
    assert shutil.which(program) is None


def test_it_has_top() -> None:
    assert shutil.which("top") is not None


@pytest.mark.parametrize(
    "place", ["/root/.cache", "/tmp/.cache", "/var/lib/apt/lists", "/var/cache/apt", "/not-from-an-index", "/uv"]
)
def test_nothing_is_left_of_installing(place: str) -> None:
    assert not os.path.isdir(place) or not [file for file in Path(place).rglob("*") if file.is_file()]  # noqa: PTH112 - what may not be looked at is not there


def test_its_code_is_compiled_and_cannot_be_changed_by_its_own_account() -> None:
    sources = list(Path("/app/lib/perfcast").rglob("*.py"))
    uncompiled = [source for source in sources if not Path(importlib.util.cache_from_source(source)).exists()]
    writable = [source for source in sources if os.access(source, os.W_OK)]
    assert sources
    assert not [source for source in uncompiled if "migrations" not in source.parts]
    assert not writable


@pytest.mark.parametrize(
    "library", ["pyarrow.parquet", "pyarrow.csv", "pyarrow.dataset", "pyarrow.ipc", "onnxruntime", "perfcast_client"]
)
def test_what_was_left_out_of_libraries_is_not_missed(library: str) -> None:
    importlib.import_module(library)


def test_no_variable_holds_a_secret() -> None:
    from perfcast.settings import is_secret_name

    assert [
        name for name in os.environ if is_secret_name(name) and name != "GPG_KEY"
    ] == []  # the key of Python's releases


def test_it_serves_and_ends_when_told(tmp_path: Path) -> None:
    environment = os.environ | {"DATA_DIR": str(tmp_path), "API_PORT": "8123"}
    server = subprocess.Popen([shutil.which("perfcast") or sys.executable, "serve"], env=environment)
    try:
        assert _answer("http://127.0.0.1:8123/livez") == 200
    finally:
        server.terminate()
        status = server.wait(60)
    assert status == 0


def _answer(url: str) -> int:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return int(answer.status)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
