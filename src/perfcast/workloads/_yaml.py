"""YAML as version 1.2 reads it (core schema, §10.3.2): `on` and `no` are text, `1e6` is a number, `010` is ten.

PyYAML reads by version 1.1, where `on` is true, `1e6` a text and `010` eight.
"""

import re
from functools import cache
from typing import Any, ClassVar, TypeVar

import msgspec

Read = TypeVar("Read")

_SCALARS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    "merge": (r"<<", "<"),
}
_PLAIN = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
    "array": "a list",
    "object": "names with values",
}


def read_yaml(data: bytes, kind: type[Read]) -> Read:
    """Read a YAML document of a known shape.

    Raises:
        ValueError: It isn't YAML, or a field is wrong; says where, in plain words.
    """
    import yaml

    try:
        return msgspec.convert(yaml.load(data, _loader()), kind)  # noqa: S506  # a safe loader
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {error}") from None
    except msgspec.ValidationError as error:
        raise ValueError(_in_plain_words(str(error))) from None


@cache
def _loader() -> Any:
    """PyYAML's safe loader with the scalars of version 1.2; PyYAML is imported when a file is read, not before."""
    import yaml

    class Loader(yaml.CSafeLoader):
        yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]

    for tag, (pattern, first) in _SCALARS.items():
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{pattern})$"), first)
    bases = {"0o": 8, "0x": 16}
    Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value, bases.get(node.value[:2], 10)))
    return Loader


def _in_plain_words(text: str) -> str:
    """Msgspec's message, such as "Expected `int`, got `str` - at `$.features[0].maximum`"."""
    what, _, where = text.partition(" - at `$")
    what = re.sub(r"`(.*?)`", lambda found: " or ".join(_PLAIN.get(t, f"'{t}'") for t in found[1].split(" | ")), what)
    return f"{where.strip('.`') or 'the file'}: {what[0].lower()}{what[1:]}"
