"""Times as options take them."""

from datetime import UTC, datetime, timedelta, tzinfo

import typer


def moment(option: str, text: str, zone: tzinfo) -> datetime:
    """The time that an option says, in a zone where it says none, or so long ago."""
    from perfcast.collect import seconds
    from perfcast.errors import InvalidSetting
    from perfcast.workloads import read_moment

    if text and text[-1] in "smhdw":
        try:
            return datetime.now(UTC) - timedelta(seconds=seconds(option, text))
        except InvalidSetting:
            pass
    try:
        return read_moment(text, zone)
    except ValueError:
        raise typer.BadParameter(
            f"expected a time such as 2026-03-01T14:00Z, or how long ago (12h, 30d), got {text!r}", param_hint=option
        ) from None
