"""Reads a page as its reader does: the blocks from top to bottom, in one folder, beside one server."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser
from tests.docs.exceptions import ENDLESS, REWRITTEN, left_out

ROOT = Path(__file__).parents[2]
LANGUAGES = {"bash", "python", "json", "yaml", "nginx", "text", ""}
"""What blocks may be; those of any other language would go unseen."""
_FILLED = {"JOB_ID": r'"job_id": ?"([^"]+)"', "1a21d22a…": r'"prediction_id": ?"([^"]+)"'}
"""What a reader puts in from an answer above → where it stands there."""
_BEGINNING = f"""
set -euo pipefail
curl() {{ command curl --fail-with-body -sS "$@"; }}
perfcast() {{
  case "$1" in
    {"|".join(ENDLESS)}) {shlex.quote(sys.executable)} -m tests.docs.until_ready "$@" ;;
    *) {shlex.quote(sys.executable)} -m perfcast "$@" ;;
  esac
}}
python() {{ {shlex.quote(sys.executable)} "$@"; }}
"""


class Reader:
    """Runs what a page shows.

    Args:
        folder: Where it stands; has the files that a reader would have.
        address: Of the server, such as `http://127.0.0.1:4711`.
        environment: Of every command.
    """

    def __init__(self, folder: Path, address: str, environment: dict[str, str]) -> None:
        self._folder, self._host, self._environment = folder, address.removeprefix("http://"), environment
        self._seen = ""
        self.run = self.passed_over = 0

    def read(self, page: Path) -> None:
        """Run every block of a page, in order."""
        parsers = [CodeBlockParser("bash", self._bash), CodeBlockParser("python", self._python)]
        for example in Sybil(parsers=parsers).parse(page).examples():  # type: ignore[attr-defined]
            example.evaluate()

    def _bash(self, example: Example) -> None:
        shown = commands(example.parsed)
        wanted = [command for command in shown if not left_out(command)]
        self.run, self.passed_over = self.run + len(wanted), self.passed_over + len(shown) - len(wanted)
        for piece in pieces(wanted):
            self._run(piece, f"{Path(example.path).relative_to(ROOT)}:{example.line}")

    def _run(self, piece: list[str], where: str) -> None:
        script = _BEGINNING + "\n".join(map(self._rewritten, piece))
        done = subprocess.run(
            ["bash", "-c", script], cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False
        )
        self._seen += done.stdout
        assert done.returncode == 0, f"{where}: {piece}\nended with {done.returncode}\n{done.stdout}\n{done.stderr}"

    def _python(self, example: Example) -> None:
        self.run += 1
        lines = "\n" * example.line + self._rewritten(example.parsed)
        before = Path.cwd()
        os.chdir(self._folder)
        try:
            with patch.dict(os.environ, PERFCAST_URL=f"http://{self._host}"):
                exec(compile(lines, example.path, "exec"), example.namespace)
        finally:
            os.chdir(before)

    def _rewritten(self, text: str) -> str:
        text = re.sub(r"\b(localhost|host|HOST):8000", self._host, text)
        for pattern, instead in REWRITTEN.items():
            text = re.sub(pattern, instead, text)
        for placeholder, pattern in _FILLED.items():
            if placeholder in text:
                answers = re.findall(pattern, self._seen)
                text = text.replace(placeholder, answers[-1]) if answers else text
        return text


def pieces(shown: list[str]) -> list[list[str]]:
    """Commands that can be run as one script: a new one begins where something must be filled in from answers above."""
    found: list[list[str]] = []
    for command in shown:
        if not found or any(placeholder in command for placeholder in _FILLED):
            found.append([])
        found[-1].append(command)
    return found


def commands(block: str) -> list[str]:
    """The commands of a block: a line each, or several where quotes or a backslash hold them together."""
    found, open_lines = [], ""
    for line in block.splitlines():
        open_lines += line + "\n"
        try:
            words = shlex.split(open_lines, comments=True)
        except ValueError:  # a quotation that goes on
            continue
        if line.endswith("\\"):
            continue
        if words:
            found.append(open_lines.strip())
        open_lines = ""
    assert not open_lines.strip(), f"the block ends within a command: {open_lines}"
    return found
