"""The pages that are made from the code say what the code says now."""

import re
import sys

import pytest
from tests.docs.reader import ROOT

sys.path.append(str(ROOT / "docs"))

import generate


@pytest.mark.parametrize("name", ["api.md", "alerts.md", "settings.md", "metrics.md"])
def test_a_page_is_as_make_docs_writes_it(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == generate.pages()[name], "run make docs"


def test_every_command_has_a_section() -> None:
    sections = re.findall(r"^## perfcast (.+)$", (ROOT / "docs/commands.md").read_text(), re.MULTILINE)
    assert sections == generate.command_names(), "run make docs"


def test_every_route_has_a_section() -> None:
    page = (ROOT / "docs/api.md").read_text()
    for path, methods in generate.api_page.openapi()["paths"].items():
        for method in methods:
            assert f"\n### {method.upper()} {path}\n" in page
