"""What routes about models have in common: what they are given, preconditions before, entity tags and answers after."""

from typing import Annotated, Any

from fastapi import Depends, Header

from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._reply import Json
from perfcast.errors import InvalidInput, NoUsableModel
from perfcast.registry import ANY, DEFAULT_WORKLOAD, AliasChange, Registry, Version, parse_reference
from perfcast.serving import Follower


def model_name(registry: Registry, ref: str) -> str:
    """The model that a reference belongs to, whether or not it has a champion."""
    name = parse_reference(ref).model or registry.defaults().get(DEFAULT_WORKLOAD)
    if name is None:
        raise NoUsableModel(
            f"'{ref}' means the default model of {DEFAULT_WORKLOAD}, and there is none; `perfcast up` makes it"
        )
    return name


def _expected_version(
    if_match: Annotated[str | None, Header(description='The expected present version, such as "3", or "none"')] = None,
) -> Any:
    """What `If-Match` says the alias points to: a number, None for none, or anything."""
    if if_match is None or if_match.strip() == "*":
        return ANY
    text = if_match.strip().removeprefix("W/").strip('"')
    if text == "none":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidInput.of("If-Match", 'expected the present version such as "3", or "none"')
    return int(text)


def described(version: Version) -> dict[str, Any]:
    """What answers about a version begin with."""
    about = {"model_name": version.model, "model_version": version.number, "label": version.label}
    return about | {"type": version.type, "workload": version.workload_name}


Expected = Annotated[Any, Depends(_expected_version)]


def moved(follower: Follower, change: AliasChange) -> Json:
    """What a route answers that moved an alias, when this process has followed."""
    follower.refresh()
    document = {"model_name": change.model, "alias": change.alias, "before": change.before, "after": change.after}
    document |= {"status": "success", "timestamp": timestamp()}
    return Json(document, headers={"ETag": etag(change.after)})


def etag(number: int | None) -> str:
    """Where an alias points, as an entity tag."""
    return f'"{shown(number)}"'


def shown(number: int | None) -> str:
    """Where an alias points, in a word."""
    return "none" if number is None else str(number)
