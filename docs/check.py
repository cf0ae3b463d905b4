"""Looks whether the built site holds together: `problems()` names what doesn't. Run by `make site` and by tests/docs.

Zensical passes over what it doesn't know without a word, so pages, links, anchors and pictures are looked at in the
HTML that it wrote, and not in its messages.
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import build
import yaml

_RAW = re.compile(r"```|\|---|^\s*- \S|\]\([^)]*\)", re.MULTILINE)
"""Markdown that was left as it was: a fence, a table, a list or a link that isn't one."""


@dataclass
class Page:
    """What matters of one HTML page.

    Attributes:
        anchors: The ids that a link may end in.
        links: Where links and pictures lead, as written.
        raw: Text outside of code that looks like Markdown which nobody rendered.
    """

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    """Reads one page; code, scripts and styles hold no text to look at."""

    _SILENT = ("code", "pre", "script", "style")

    def __init__(self) -> None:
        super().__init__()
        self.page, self._silent, self._inside = Page(), 0, False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self._silent += tag in self._SILENT
        self._inside = self._inside or tag == "article"
        if anchor := given.get("id") or (given.get("name") if tag == "a" else None):
            self.page.anchors.add(anchor)
        for name in ("href", "src"):
            if value := given.get(name):
                self.page.links.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self._SILENT
        self._inside = self._inside and tag != "article"

    def handle_data(self, data: str) -> None:
        if self._inside and not self._silent:
            self.page.raw += [found.strip() for found in _RAW.findall(data)]


def problems(site: Path = build.SITE, config: Path = build.CONFIG) -> list[str]:
    """What is wrong with the site, a line each; empty where nothing is.

    Args:
        site: The folder that was built.
        config: mkdocs.yml, whose `nav` says which pages there should be.
    """
    listed = [Path(page) for page in navigation(config)]
    expected = {page for page in build.reachable() if page.suffix == ".md"}
    wrong = [f"{page}: is not in nav of {config.name}" for page in sorted(expected - set(listed))]
    wrong += [f"{page}: is in nav, but there is no such page" for page in listed if page not in expected]
    wrong += [f"{page}: was not built" for page in listed if not (site / built_as(page)).is_file()]
    pages = read(site)
    for path, page in pages.items():
        wrong += [
            f"{path}: {link} leads nowhere" for link in page.links if not leads_somewhere(site, pages, path, link)
        ]
        wrong += [f"{path}: {raw!r} was left as it is" for raw in page.raw]
    anchors = pages.get(Path("docs/runbooks.html"), Page()).anchors
    return wrong + [f"docs/runbooks.md: has no section {alert}" for alert in alerts() if alert.lower() not in anchors]


def navigation(config: Path) -> list[str]:
    """The pages of `nav`, in its order."""

    def flat(entry: Any) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        return [page for item in (entry.values() if isinstance(entry, dict) else entry) for page in flat(item)]

    return flat(yaml.load(config.read_text(), _Plain)["nav"])  # noqa: S506 - a SafeLoader that passes over tags


class _Plain(yaml.SafeLoader):
    """Without the objects that mkdocs.yml may name."""


_Plain.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def built_as(page: Path) -> Path:
    """Where a page's HTML lies in the site."""
    return page.with_name("index.html") if page.name == "README.md" else page.with_suffix(".html")


def read(site: Path) -> dict[Path, Page]:
    """Every HTML page of the site by its path, but the one for addresses that aren't there."""
    pages = {}
    for file in sorted(site.rglob("*.html")):
        if file.name != "404.html":
            reader = _Reader()
            reader.feed(file.read_text())
            pages[file.relative_to(site)] = reader.page
    return pages


def leads_somewhere(site: Path, pages: dict[Path, Page], page: Path, link: str) -> bool:
    """Whether a link of a page leads to a file, and to an anchor of it where it names one; addresses elsewhere do."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (site / page.parent / unquote(parts.path)).resolve() if parts.path else site / page
    target = target / "index.html" if target.is_dir() else target
    if not target.is_file():
        return False
    found = pages.get(target.relative_to(site.resolve()))
    return not parts.fragment or found is None or unquote(parts.fragment) in found.anchors


def elsewhere(site: Path = build.SITE) -> list[str]:
    """The addresses outside the site that its pages name; nobody asks for them here."""
    found = {link for page in read(site).values() for link in page.links if urlsplit(link).scheme in ("http", "https")}
    return sorted(found)


def alerts() -> list[str]:
    """The alerts that Prometheus is given."""
    groups = yaml.safe_load((build.ROOT / "deploy/prometheus/rules/perfcast.yml").read_text())["groups"]
    return [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]


def main() -> None:
    """Say what was looked at, and end with status 1 where something is wrong."""
    pages, wrong = read(build.SITE), problems()
    print(*wrong, sep="\n", end="\n" if wrong else "")
    links = sum(len(page.links) for page in pages.values())
    print(
        f"site/: {len(pages)} pages, {links:,} links looked at, {len(wrong)} wrong; addresses elsewhere, not fetched:"
    )
    print(*(f"  {address}" for address in elsewhere()), sep="\n")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
