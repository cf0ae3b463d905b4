"""How far the scoring of files is, as people see it."""

import pytest

from perfcast.cli._progress import row_progress


def test_where_there_is_no_terminal_a_line_now_and_then_says_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with row_progress() as show:
        show(100, 2_000)
        monkeypatch.setattr("perfcast.cli._progress._LINE_SECONDS", 0.0)
        show(500, 2_000)
    assert capsys.readouterr().err == "500 of 2,000 rows\n"
