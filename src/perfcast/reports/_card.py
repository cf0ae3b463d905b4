"""The model card: what the manifest says of a version, as Markdown. Made when asked for, so it can't go stale."""

from collections.abc import Iterable, Iterator

from perfcast.registry import Version
from perfcast.reports import _described as described
from perfcast.reports._document import Section, Table


def card(version: Version) -> str:
    """The model card of a version, in Markdown (GitHub's, for its tables).

    After Mitchell et al., Model Cards for Model Reporting (FAT* 2019): what it is for, how good it is, what it was
    learnt from, where it should not be trusted.
    """
    manifest = version.manifest
    sections = (
        described.accuracy(manifest),
        described.calibration(manifest),
        described.limits(manifest),
        described.data(manifest),
        described.about(version),
    )
    return "\n".join([f"# {version.reference}", "", described.describe(version), "", *_lines(sections)])


def _lines(sections: Iterable[Section]) -> Iterator[str]:
    for section in sections:
        yield from (f"## {section.title}", "")
        for text in section.text:
            yield from (text, "")
        for table in section.blocks:
            if isinstance(table, Table):
                yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield from (f"### {table.title}", "", _row(table.columns), _row(["---"] * len(table.columns)))
    yield from map(_row, table.rows)
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(' '.join(cell.replace('|', chr(92) + '|').split()) for cell in cells)} |"
