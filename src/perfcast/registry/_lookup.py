"""Finding what a reference names, inside the caller's transaction, or saying what is there instead."""

import sqlalchemy as sa

from perfcast.errors import Conflict, FieldError, InvalidInput, NoUsableModel, UnknownModel, UnknownVersion
from perfcast.registry import _repository as repository
from perfcast.registry._reference import Reference
from perfcast.registry._types import ALIASES, ANY, CHAMPION, AnyVersion, Version


def check_alias(alias: str) -> None:
    """Raise InvalidInput unless a model can have this alias."""
    if alias not in ALIASES:
        raise InvalidInput([FieldError("alias", f"must be one of {', '.join(ALIASES)}, not '{alias}'")])


def present_version(connection: sa.Connection, model: str, alias: str, expect: int | AnyVersion | None) -> int | None:
    """Where an alias points now; raises Conflict where that is not as expected."""
    present = repository.aliases(connection, model).get(alias)
    if expect is not ANY and present != expect:
        raise Conflict(
            f"{model}@{alias} is {_words(present)} now, not {_words(expect)} as expected; look again and decide anew"
        )
    return present


def _words(number: object) -> str:
    return "unset" if number is None else f"version {number}"


def require_model(connection: sa.Connection, name: str) -> None:
    """Raise UnknownModel, with the closest names, unless there is such a model."""
    names = repository.model_names(connection)
    if name not in names:
        raise UnknownModel(name, names)


def find_version(connection: sa.Connection, model: str, asked: Reference) -> Version:
    """The version of an existing model that a reference names."""
    number, label = asked.number, asked.label
    if number is None and label is None:
        alias = asked.alias or CHAMPION
        number = repository.aliases(connection, model).get(alias)
        if number is None and alias == CHAMPION:
            raise NoUsableModel(
                f"model '{model}' has no champion; activate one of its versions, or name one as {model}:VERSION"
            )
        if number is None:
            raise unknown_version(connection, model, asked)
    version = repository.find_version(connection, model, number, label)
    if version is None:
        raise unknown_version(connection, model, asked)
    return version


def unknown_version(connection: sa.Connection, model: str, asked: Reference) -> UnknownVersion:
    """The error that names what is closest to a version or an alias that isn't there."""
    if asked.alias is not None:
        known = [f"{model}@{alias}" for alias in repository.aliases(connection, model)]
        return UnknownVersion(str(asked), known, hint=f"the aliases are {', '.join(ALIASES)}; set one first")
    return UnknownVersion(f"{model}:{asked.label or asked.number}", repository.version_names(connection, model))
