"""The check that a scenario's parts make of themselves."""

from collections.abc import Mapping

from perfcast.errors import FieldError, InvalidInput


def require(part: str, rules: Mapping[str, tuple[bool, str]]) -> None:
    """Refuse a part of a scenario that breaks one of its rules.

    Args:
        part: Name of the part, which leads each field's name.
        rules: For each field whether it holds, and what was expected.

    Raises:
        InvalidInput: Naming every field that is wrong.
    """
    wrong = [FieldError(f"{part}.{name}", message) for name, (holds, message) in rules.items() if not holds]
    if wrong:
        raise InvalidInput(wrong)
