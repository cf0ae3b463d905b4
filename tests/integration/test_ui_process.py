"""The process of the web UI: with `perfcast up` and alone, killed, left behind, unwanted, or unable to start."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.patience import PATIENCE_SECONDS, until
from tests.stacks import answers, up
from tests.stocked import stock

HIDING = """
import sys
class Hiding:
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == "streamlit":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hiding())
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "streamlit" else found(name, package)
"""
"""A `sitecustomize` that makes an installation without the extra `ui`."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "var"
    folder.mkdir()
    stock(folder)
    return folder


@pytest.fixture
def without_streamlit(tmp_path: Path) -> str:
    """A PYTHONPATH with which Streamlit isn't there."""
    (tmp_path / "sitecustomize.py").write_text(HIDING)
    return os.pathsep.join([str(tmp_path), *sys.path])


def is_gone(process: int) -> bool:
    try:
        return not Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return True


def run_ui(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`perfcast ui`, which is to end by itself."""
    given = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment
    command = [sys.executable, "-m", "perfcast", "ui", *words]
    return subprocess.run(command, env=given, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)


def test_a_killed_ui_comes_back_and_ends_with_its_owner(folder: Path) -> None:
    with up(folder) as stack:
        stack.wait_for_ui()
        first = stack.ui_process()
        os.kill(first, signal.SIGKILL)
        until(lambda: is_gone(first))
        stack.wait_for_ui()
        second = stack.ui_process()
        assert second != first
        stack.wait_for_api()
        stack.process.send_signal(signal.SIGINT)
        assert stack.process.wait(PATIENCE_SECONDS) == 0
        assert is_gone(second)
        assert "Traceback" not in stack.said()


def test_a_ui_does_not_outlive_an_owner_that_is_killed(folder: Path) -> None:
    with up(folder) as stack:
        stack.wait_for_ui()
        left = stack.ui_process()
        stack.process.kill()
        until(lambda: is_gone(left))
        assert not answers(stack.ui)


def test_an_owner_that_is_killed_before_its_ui_serves_leaves_none_behind(folder: Path) -> None:
    with up(folder) as stack:
        left = stack.ui_process()
        stack.process.kill()
        until(lambda: is_gone(left))


def test_without_the_ui_everything_else_runs(folder: Path) -> None:
    with up(folder, "--no-ui") as stack:
        stack.wait_for_api()
        assert not answers(stack.ui)
        assert "look" not in stack.said()


def test_where_streamlit_is_not_installed_it_is_said_in_a_line_and_the_rest_runs(
    folder: Path, without_streamlit: str
) -> None:
    with up(folder, PYTHONPATH=without_streamlit) as stack:
        stack.wait_for_api()
        (line,) = [line for line in stack.said().splitlines() if "web UI" in line]
        assert "pip install 'perfcast[ui]'" in line
        assert "Traceback" not in stack.said()


def test_the_ui_alone_says_how_to_install_what_it_lacks(without_streamlit: str) -> None:
    shown = run_ui(PYTHONPATH=without_streamlit)
    assert (shown.returncode, shown.stdout) == (1, "")
    assert shown.stderr == ("perfcast: this needs 'streamlit', which is not installed: pip install 'perfcast[ui]'\n")


def test_a_port_in_use_is_told_by_the_ui_alone_and_passed_over_by_up(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        shown = run_ui("--port", port)
        assert shown.returncode == 1
        assert f"can't listen on 127.0.0.1:{port}" in shown.stderr
        assert "UI_PORT" in shown.stderr
        assert "Traceback" not in shown.stderr
        with up(folder, UI_PORT=port) as stack:
            stack.wait_for_api()
            (line,) = [line for line in stack.said().splitlines() if "without the web UI" in line]
            assert f"127.0.0.1:{port}" in line
