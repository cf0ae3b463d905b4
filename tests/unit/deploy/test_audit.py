"""The audit of dependencies looks at all of them, and fails where it could not look."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/threat-model.md"


def test_the_audit_covers_every_lock_and_is_strict() -> None:
    shown = subprocess.run(["make", "-n", "audit"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (command,) = (line for line in shown.splitlines() if "pip-audit " in line and "--strict" in line)
    locks = {path.name for path in ROOT.glob("requirements*.txt")}
    assert locks == set(re.findall(r"-r (\S+)", command))


def test_the_threat_model_names_tests_that_are_there() -> None:
    named = set(re.findall(r"`((?:unit|integration|contract)/[\w/]+\.py)`", PAGE.read_text()))
    assert len(named) > 15
    assert {name for name in named if not (ROOT / "tests" / name).is_file()} == set()
