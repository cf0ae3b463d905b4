"""The site is built from the pages as they are, and holds together; the check that says so can fail."""

import shutil
import sys
from pathlib import Path

import pytest
from tests.docs.reader import ROOT

sys.path.append(str(ROOT / "docs"))

import build
import check


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build.build()
    return Path(shutil.copytree(build.SITE, tmp_path_factory.mktemp("built") / "site"))


def test_every_page_link_anchor_and_picture_is_there(site: Path) -> None:
    assert check.problems(site) == []
    assert len(check.read(site)) >= 75
    assert "https://semver.org" in check.elsewhere(site)


def test_the_first_page_is_the_readme_and_finds_the_help(site: Path) -> None:
    assert "Perfcast learns what a workload will cost" in (site / "index.html").read_text()
    assert (site / "docs/troubleshooting.html").is_file()


BROKEN = {
    ("docs/jobs.html", 'href="settings.html"', 'href="no-such.html"'): "docs/jobs.html: no-such.html leads nowhere",
    ("docs/tests.html", "</article>", '<a href="#nope">x</a></article>'): "docs/tests.html: #nope leads nowhere",
    ("docs/data.html", "</article>", "\n- a list\n</article>"): "docs/data.html: '- a' was left as it is",
    ("docs/dashboards.html", "pictures/dashboards-drift.png", "x.png"): "docs/dashboards.html: x.png leads nowhere",
    ("docs/runbooks.html", 'id="perfcastdown"', 'id="other"'): "docs/runbooks.md: has no section PerfcastDown",
}
"""Page, what it shows, and what instead → what the check says."""


def test_what_is_missing_is_told(site: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(site, tmp_path / "site"))
    for page, shown, instead in BROKEN:
        text = (broken / page).read_text()
        assert shown in text
        (broken / page).write_text(text.replace(shown, instead))
    assert set(BROKEN.values()) <= set(check.problems(broken))


def test_a_page_that_is_missing_in_nav_or_was_not_built_is_told(site: Path, tmp_path: Path) -> None:
    config = tmp_path / "mkdocs.yml"
    config.write_text(build.CONFIG.read_text().replace("docs/support.md", "docs/supper.md"))
    wrong = check.problems(site, config)
    assert "docs/support.md: is not in nav of mkdocs.yml" in wrong
    assert "docs/supper.md: is in nav, but there is no such page" in wrong
    assert "docs/supper.md: was not built" in wrong


def test_a_link_to_a_file_that_is_not_there_stops_the_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("[gone](docs/gone.md)")
    (tmp_path / "CHANGELOG.md").touch()
    monkeypatch.setattr(build, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match=r"README\.md: docs/gone\.md is no file"):
        build.reachable()
