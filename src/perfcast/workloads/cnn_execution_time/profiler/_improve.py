"""Configurations whose measuring would teach a model most: those on which its members disagree."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ._configurations import WorkBound
from ._kind import Sampler

Doubt: TypeAlias = Callable[[Sequence[Any]], Sequence[float]]
"""How unsure somebody is of each configuration's time; larger is less sure."""

_CANDIDATES = 3
"""Of so many each the most doubtful one is taken; with more of them, only odd corners would be."""


@dataclass(frozen=True, slots=True)
class Guide:
    """A model that says what it doesn't know.

    Attributes:
        name: The version, for the data card.
        doubt: How far its members disagree.
    """

    name: str
    doubt: Doubt

    def choose(
        self, sample: Sampler, count: int, *, seed: int, bound: WorkBound, known: Iterable[Any] = ()
    ) -> list[Any]:
        """The most doubtful of several times as many that `sample` would give, in random order.

        Query by committee (Seung, Opper and Sompolinsky 1992).
        """
        candidates = sample(_CANDIDATES * count, seed=seed, bound=bound, known=known)
        doubts = self.doubt(candidates)
        ranked = sorted(range(len(candidates)), key=lambda at: -doubts[at])
        return [candidates[at] for at in sorted(ranked[:count])]


@dataclass(frozen=True, slots=True)
class Chooser:
    """A guide that looks at all candidates together.

    Attributes:
        name: Who chose, for the data card.
        candidates: Among how many is chosen.
        choose_among: The positions of so many of them that are chosen.
    """

    name: str
    candidates: int
    choose_among: Callable[[Sequence[Any], int], Sequence[int]]

    def choose(
        self, sample: Sampler, count: int, *, seed: int, bound: WorkBound, known: Iterable[Any] = ()
    ) -> list[Any]:
        """So many of the candidates that `sample` gives."""
        found = sample(max(self.candidates, count), seed=seed, bound=bound, known=known)
        return [found[at] for at in self.choose_among(found, count)]
