"""A written report, read again."""

from html.parser import HTMLParser
from pathlib import Path


class Page(HTMLParser):
    """What tests ask of a page.

    Attributes:
        rows: The cells of each row of each table.
        headings: The texts of h2.
        attributes: Of each element, with its tag.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.rows: list[list[str]] = []
        self.headings: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "h2":
            self.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in ("td", "th"):
            self.rows[-1][-1] += data
        elif self._inside == "h2":
            self.headings[-1] += data

    def row(self, name: str) -> list[str]:
        """The cells beside the first that says so."""
        return next(rest for first, *rest in self.rows if first == name)

    def values(self, attribute: str) -> list[str]:
        """Every value that an attribute has on the page."""
        return [value for _, found in self.attributes if (value := found.get(attribute)) is not None]


def read(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))
