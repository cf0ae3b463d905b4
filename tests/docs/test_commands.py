"""Every command that README and docs/ show is run, by a reader who goes through the page from top to bottom."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser
from tests.docs.exceptions import LEFT_OUT, left_out
from tests.docs.reader import LANGUAGES, ROOT, Reader, commands

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN = [page for page in PAGES if re.search(r"^\s*```(bash|python)", page.read_text(), re.MULTILINE)]


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_reader_can_do_what_the_page_says(
    page: Path, reader: Reader, record_property: Callable[[str, object], None]
) -> None:
    reader.read(page)
    record_property("commands_run", reader.run)
    record_property("commands_left_out", reader.passed_over)


def test_no_block_is_of_a_language_that_nobody_runs() -> None:
    odd = {
        f"{page.relative_to(ROOT)}: {language}"
        for page in PAGES
        for language in re.findall(r"^\s*```(\S+)$", page.read_text(), re.MULTILINE)
        if language not in LANGUAGES
    }
    assert odd == set()


def test_every_exception_is_still_needed() -> None:
    blocks: list[str] = []
    parser = CodeBlockParser("bash", lambda example: blocks.append(example.parsed))
    for page in SHOWN:
        for example in Sybil(parsers=[parser]).parse(page).examples():
            example.evaluate()
    shown = [command for block in blocks for command in commands(block)]
    assert [pattern for pattern in LEFT_OUT if not any(re.match(pattern, command) for command in shown)] == []
    assert sum(map(left_out, shown)) < 0.4 * len(shown)  # clouds and containers among them


def test_a_command_that_fails_fails_its_page(reader: Reader, tmp_path: Path) -> None:
    page = ROOT / "docs/no-such-page.md"
    with pytest.raises(FileNotFoundError):
        reader.read(page)
    wrong = tmp_path / "wrong.md"
    wrong.write_text("```bash\ncurl -s localhost:8000/models/no-such-model\n```\n")
    with pytest.raises((AssertionError, ValueError)):
        reader.read(wrong)
