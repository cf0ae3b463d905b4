"""Model references: text that names a version, directly or through an alias."""

import re
from dataclasses import dataclass

from perfcast.errors import InvalidInput

LONGEST = 128
"""Characters of a name or a label."""

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_LABEL = r"[A-Za-z0-9][A-Za-z0-9._+-]*"
_REFERENCE = re.compile(rf"(?P<name>{_NAME})(?::(?P<version>{_LABEL})|@(?P<alias>[a-z][a-z0-9_-]*))?")
_NUMBER = re.compile(r"v?([0-9]+)")
_RELEASE = re.compile(r"v?[0-9]+(\.[0-9]+)+([-+][A-Za-z0-9.+-]*)?")
_wrong = InvalidInput.of


@dataclass(frozen=True)
class Reference:
    """What a reference says; at most one of number, label and alias is set.

    Attributes:
        model: None for a bare version, which means the default model.
    """

    model: str | None
    number: int | None = None
    label: str | None = None
    alias: str | None = None

    def __str__(self) -> str:
        version = self.label if self.number is None else str(self.number)
        if self.alias is not None:
            return f"{self.model}@{self.alias}"
        return ":".join(part for part in (self.model, version) if part is not None)


def parse_reference(text: str) -> Reference:
    """Read a model reference.

    `NAME` (its champion), `NAME:3` or `NAME:v3` (a number), `NAME:v1.2.0` (a label), `NAME@shadow` (an alias). Bare
    `3`, `v3` and release numbers such as `v1.2.0` or `2.1` are versions of the default model; any other bare text is
    a name. Whether the thing named exists is for `Registry.resolve` to say.

    Raises:
        InvalidInput: It has none of these shapes; the field is called `model_name`.

    Example:
        >>> parse_reference("xgb_prediction-training-gpul40s@shadow")
        Reference(model='xgb_prediction-training-gpul40s', number=None, label=None, alias='shadow')
        >>> parse_reference("v3")
        Reference(model=None, number=3, label=None, alias=None)
    """
    found = _REFERENCE.fullmatch(text) if len(text) <= 2 * LONGEST else None
    if found is None or any(len(part or "") > LONGEST for part in found.groups()):
        raise _wrong("model_name", "must be NAME, NAME:VERSION or NAME@ALIAS, or a bare version such as 3")
    name, version, alias = found["name"], found["version"], found["alias"]
    if alias is not None:
        return Reference(_no_version(name), alias=alias)
    if version is not None:
        return _version(_no_version(name), version)
    return _version(None, name) if _looks_like_a_version(name) else Reference(name)


def check_name(name: str) -> str:
    """The name, if a model may be called so.

    Raises:
        InvalidInput: It could be mistaken for a version or can't stand in a reference; the field is `model_name`.
    """
    if name == "stats":
        raise _wrong(
            "model_name", "must not be 'stats': /v2/models/stats is the statistics of all models; choose another"
        )
    _check_text("model_name", name, _NAME, "'.', '_' and '-'")
    return _no_version(name)


def check_label(label: str) -> str:
    """The label, if a version may be called so.

    Raises:
        InvalidInput: It could be mistaken for a number or can't stand in a reference; the field is `label`.
    """
    _check_text("label", label, _LABEL, "'.', '_', '+' and '-'")
    if _NUMBER.fullmatch(label):
        raise _wrong("label", f"must not look like a version's number, as '{label}' does; use for instance v1.2.0")
    return label


def _no_version(name: str) -> str:
    if _looks_like_a_version(name):
        raise _wrong("model_name", f"must not look like a version, as '{name}' does")
    return name


def _check_text(field: str, text: str, form: str, marks: str) -> None:
    if not re.fullmatch(form, text) or len(text) > LONGEST:
        allowed = f"only letters, digits, {marks}, at most {LONGEST}"
        raise _wrong(field, f"must begin with a letter or digit and hold {allowed}")


def _looks_like_a_version(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text) or _RELEASE.fullmatch(text))


def _version(model: str | None, text: str) -> Reference:
    number = _NUMBER.fullmatch(text)
    return Reference(model, label=text) if number is None else Reference(model, number=int(number[1]))
