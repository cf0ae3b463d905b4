"""Puts the pages together for the site: run by `make site`, which writes `site/`.

Pages are plain Markdown whose links lead to other files of the repository. So the site has them in the same folders:
README.md is its first page, and whatever file a page leads to comes along, as a page or as it is.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAGED, SITE, CONFIG = ROOT / "build/pages", ROOT / "site", ROOT / "mkdocs.yml"
STYLE = Path("docs/site.css")
_LINK = re.compile(r"\]\(([^)\s#]+)[^)]*\)")
_ELSEWHERE = re.compile(r"[a-z]+:")
_CODE = re.compile(r"^\s*```.*?^\s*```\s*$|`[^`\n]*`", re.DOTALL | re.MULTILINE)


def pages() -> list[Path]:
    """Where reading begins: README, changelog and every page of `docs/`, relative to the root."""
    return [
        Path("README.md"),
        Path("CHANGELOG.md"),
        *sorted(path.relative_to(ROOT) for path in ROOT.glob("docs/**/*.md")),
    ]


def reachable() -> list[Path]:
    """Those pages and every file that they lead to, relative to the root.

    Raises:
        SystemExit: If a link leads to nothing, naming page and link.
    """
    found, waiting, broken = set(pages()), pages(), []
    while waiting:
        page = waiting.pop()
        for link in links(ROOT / page):
            target = (ROOT / page.parent / link).resolve()
            if not target.is_file():
                broken.append(f"{page}: {link} is no file")
            elif (path := target.relative_to(ROOT)) not in found:
                found.add(path)
                if path.suffix == ".md":
                    waiting.append(path)
    if broken:
        raise SystemExit("\n".join(broken))
    return sorted(found)


def links(page: Path) -> list[str]:
    """The files that a page leads to, as it writes them: no addresses, no anchors."""
    return [link for link in _LINK.findall(_CODE.sub("", page.read_text())) if not _ELSEWHERE.match(link)]


def build() -> None:
    """Write the site anew."""
    for folder in (STAGED, SITE):
        shutil.rmtree(folder, ignore_errors=True)
    for path in [*reachable(), STYLE]:
        (STAGED / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, STAGED / path)
    subprocess.run([sys.executable, "-m", "zensical", "build", "--clean", "-f", CONFIG], check=True, cwd=ROOT)


if __name__ == "__main__":
    build()
