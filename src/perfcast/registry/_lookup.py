"""Finding what a reference names, inside the caller's transaction, or saying what is there instead."""

import sqlalchemy as sa

from perfcast.errors import Conflict, InvalidInput, NoUsableModel, UnknownModel, UnknownVersion
from perfcast.registry import _repository as repository
from perfcast.registry._reference import Reference
from perfcast.registry._types import ALIASES, ANY, CHAMPION, AnyVersion, ModelSummary, Version


def check_alias(alias: str) -> None:
    """Raise InvalidInput unless a model can have this alias."""
    if alias not in ALIASES:
        raise InvalidInput.of("alias", f"must be one of {', '.join(ALIASES)}, not '{alias}'")


def present_version(model: ModelSummary, alias: str, expect: int | AnyVersion | None) -> int | None:
    """Where an alias points now; raises Conflict where that is not as expected."""
    present = model.aliases.get(alias)
    if expect is not ANY and present != expect:
        found = f"{model.name}@{alias} is {_words(present)} now"
        raise Conflict(f"{found}, not {_words(expect)} as expected; look again and decide anew")
    return present


def _words(number: object) -> str:
    return "unset" if number is None else f"version {number}"


def find_model(connection: sa.Connection, name: str) -> ModelSummary:
    """A model as it is now; raises UnknownModel, with the closest names, where there is no such."""
    found = repository.summaries(connection, name)
    if not found:
        raise UnknownModel(name, repository.model_names(connection))
    return found[0]


def find_version(connection: sa.Connection, model: ModelSummary, asked: Reference) -> Version:
    """The version of a model that a reference names."""
    number, label = asked.number, asked.label
    if number is None and label is None:
        alias = asked.alias or CHAMPION
        number = model.aliases.get(alias)
        if number is None and alias == CHAMPION:
            name = model.name
            raise NoUsableModel(
                f"model '{name}' has no champion; activate one of its versions, or name one as {name}:VERSION"
            )
        if number is None:
            raise unknown_version(connection, model, asked)
    version = repository.find_version(connection, model.name, number, label)
    if version is None:
        raise unknown_version(connection, model, asked)
    return version


def unknown_version(connection: sa.Connection, model: ModelSummary, asked: Reference) -> UnknownVersion:
    """The error that names what is closest to a version or an alias that isn't there."""
    if asked.alias is not None:
        known = [f"{model.name}@{alias}" for alias in model.aliases]
        return UnknownVersion(str(asked), known, hint=f"the aliases are {', '.join(ALIASES)}; set one first")
    names = repository.version_names(connection, model.name)
    return UnknownVersion(f"{model.name}:{asked.label or asked.number}", names)
