"""Derived quantities that differ only in some words or numbers, declared once: `each` says what stands for what."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import TypeAlias

import msgspec

from perfcast.errors import InvalidDeclaration
from perfcast.workloads._declaration import DerivedDeclaration, Identifier

Word: TypeAlias = int | float | str
MOST = 1_000
"""Quantities that one declaration may stand for."""
_PLACE = re.compile(r"\{(\w+)\}")


class ManyDerived(DerivedDeclaration, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A derived quantity as a file has it, or many: one for each choice of words.

    Attributes:
        name, expression, meaning: `{word}` in them stands for what `each` says.
        each: For every word its values, of which every combination is taken; or a list of combinations.
    """

    name: str
    each: Mapping[Identifier, tuple[Word, ...]] | tuple[Mapping[Identifier, Word], ...] = ()


def written_out(declared: ManyDerived) -> Iterator[DerivedDeclaration]:
    """The quantities that a declaration stands for, one after another, the last word's values changing first.

    Raises:
        InvalidDeclaration: A word is unknown, a name is none, or there are more than `MOST`.
    """
    for words in _combinations(declared):
        yield _named(declared, words)


def _combinations(declared: ManyDerived) -> Sequence[Mapping[str, Word]]:
    each = declared.each
    if not isinstance(each, Mapping):
        return each or ({},)
    empty = next((word for word, values in each.items() if not values), None)
    if empty is not None:
        raise InvalidDeclaration(f"derived '{declared.name}': '{empty}' has no values in 'each'")
    count = prod(map(len, each.values()))
    if count > MOST:
        raise InvalidDeclaration(f"derived '{declared.name}': {count:,} combinations in 'each'; the most is {MOST:,}")
    return [dict(zip(each, values, strict=True)) for values in product(*each.values())]


def _named(declared: ManyDerived, words: Mapping[str, Word]) -> DerivedDeclaration:
    def fill(text: str) -> str:
        return _PLACE.sub(lambda found: str(_value(declared, words, found[1])), text)

    name, expression, meaning = map(fill, (declared.name, declared.expression, declared.meaning))
    if _is_no_name(name):
        raise InvalidDeclaration(f"derived '{declared.name}': '{name}' is no name; lower-case letters, digits and _")
    return DerivedDeclaration(name, expression, declared.trend, meaning)


def _value(declared: ManyDerived, words: Mapping[str, Word], word: str) -> Word:
    if word not in words:
        known = ", ".join(words) or "nothing"
        raise InvalidDeclaration(f"derived '{declared.name}': '{{{word}}}' stands for nothing; 'each' has {known}")
    return words[word]


def _is_no_name(name: str) -> bool:
    try:
        msgspec.convert(name, Identifier)
    except msgspec.ValidationError:
        return True
    return False
