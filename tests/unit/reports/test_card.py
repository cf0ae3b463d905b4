"""The model card, made of a manifest alone."""

from dataclasses import replace

import msgspec

from perfcast.registry import Version
from perfcast.reports import card
from perfcast.reports._document import number


def test_a_card_says_what_it_is_how_good_how_sure_and_learnt_where(timed: Version) -> None:
    text, metrics = card(timed), timed.manifest.metrics
    assert metrics is not None
    assert text.startswith(f"# {timed.reference}\n")
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == ["## Accuracy", "## Calibration", "## Limits", "## Data card", "## Version"]
    assert f"| mean error (MAE) | {number(metrics.mae, 'percent')} |" in text
    assert f"| 90 % | {number(metrics.coverage['0.9'], '%')} |" in text
    assert f"| graph's sha256 | {timed.manifest.graph.sha256} |" in text
    assert f"{number(metrics.mae, 'percent')} off on average" in text


def test_where_errors_are_relative_the_first_sentence_says_percent(rendering: Version) -> None:
    metrics = rendering.manifest.metrics
    assert metrics is not None
    assert f"half of its answers are within {number(metrics.median_ape, '%')} of the measured cost" in card(rendering)
    assert "| quality | draft | final |" in card(rendering)


def test_every_row_of_a_table_has_as_many_cells_as_its_head(timed: Version) -> None:
    odd = replace(timed, note="a|b\nand a second line")
    rows = [line for line in card(odd).splitlines() if line.startswith("|")]
    assert r"| note | a\|b and a second line |" in rows
    width = 0
    for row, after in zip(rows, [*rows[1:], ""], strict=True):
        cells = row.replace(r"\|", "").count("|")
        width = cells if after.startswith("| ---") else width
        assert cells == width, row


def test_what_was_cut_short_or_left_out_stands_among_the_limits(timed: Version) -> None:
    noted = msgspec.structs.replace(timed.manifest, notes=("learnt from the newest 500 rows",))
    limits = card(replace(timed, manifest=noted)).partition("## Limits")[2].partition("## ")[0]
    assert "Remark: learnt from the newest 500 rows." in limits
