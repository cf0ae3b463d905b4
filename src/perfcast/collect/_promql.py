"""As much of PromQL (and MetricsQL) as it takes to find selectors and windows in a query; servers parse the rest.

A label matcher is added to each selector here rather than by a parameter of the request: `extra_label` is known to
VictoriaMetrics alone, and Prometheus would leave it out without a word and answer for everybody's series.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from perfcast.errors import InvalidSetting

WINDOW = "$window"
"""What stands in queries for the window that all of them share."""
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*) | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`) | (?P<range>\[[^\]]*\])
    | (?P<number>[0-9][0-9a-zA-Z_.]*) | (?P<name>[a-zA-Z_:](?:[a-zA-Z0-9_:.]|\\.)*) | (?P<space>\s+) | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_LABELS_FOLLOW = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_ANYWHERE = frozenset({"bool", "inf", "nan"})
_BEHIND = frozenset({
    "and", "or", "unless", "atan2", "offset", "anchored", "smoothed",
    "default", "if", "ifnot", "keep_metric_names", "limit",  # of MetricsQL
})  # fmt: skip
"""Words only behind what gives series; elsewhere a metric is called so."""
_MATCHER = re.compile(r"""\s*[a-zA-Z_][a-zA-Z0-9_]*\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*""")


@dataclass(frozen=True)
class Selector:
    """One selector in a query, such as `up{job="shop"}`."""

    text: str
    end: int  # position in the query behind its last character
    openings: tuple[int, ...]  # positions where a matcher can be put in; none where it has no braces


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def windows(query: str) -> tuple[str, ...]:
    """The distinct windows of a query in order, without the brackets and a subquery's step: `$window`, `5m`."""
    found = (token.text[1:-1].partition(":")[0].strip() for token in _tokens(query) if token.kind == "range")
    return tuple(dict.fromkeys(found))


def functions(query: str) -> frozenset[str]:
    """The names that stand before a parenthesis: functions and aggregations."""
    tokens = _tokens(query)
    follows = pairwise(tokens)
    return frozenset(token.text.lower() for token, after in follows if token.kind == "name" and after.text == "(")


def metric(selector: str) -> str:
    """The name before a selector's braces; empty where it has none."""
    first = next(iter(_tokens(selector)), None)
    return first.text if first is not None and first.kind == "name" else ""


def check_matcher(matcher: str) -> str:
    """Label matchers separated by commas, as they stand between braces.

    Raises:
        InvalidSetting: They can't be read.
    """
    rest = matcher
    while rest:
        found = _MATCHER.match(rest)
        if found is None or not (found.end() == len(rest) or rest[found.end()] == ","):
            raise InvalidSetting(f"""server.matcher: expected matchers such as cluster="eu-1", got {matcher!r}""")
        rest = rest[found.end() + 1 :]
    return matcher.strip().rstrip(",")


def narrowed(query: str, matcher: str) -> str:
    """The query with a matcher added to every selector in it.

    Raises:
        InvalidSetting: It uses WITH templates, whose selectors can't be told from their arguments.
    """
    if not matcher:
        return query
    if "with" in functions(query):
        raise InvalidSetting(
            "server.matcher can't be added to a query with WITH templates: write it out, or the matcher"
        )
    parts, at = [], 0
    for selector in selectors(query):
        for opening in selector.openings:
            ends = query[opening:].lstrip().startswith("}")
            gap = "" if query[opening - 1] == "{" else " "  # behind the word "or"
            parts += [query[at:opening], gap, matcher, "" if ends else ","]
            at = opening
        if not selector.openings:
            parts += [query[at : selector.end], "{", matcher, "}"]
            at = selector.end
    return "".join([*parts, query[at:]])


def _tokens(query: str) -> list[_Token]:
    found = (_Token(str(hit.lastgroup), hit[0], hit.start(), hit.end()) for hit in _TOKEN.finditer(query))
    return [token for token in found if token.kind not in ("space", "comment")]


def selectors(query: str) -> Iterator[Selector]:
    """The selectors of a query, in order."""
    tokens = [*_tokens(query), _Token("end", "", len(query), len(query))]
    at = 0
    while at < len(tokens) - 1:
        token, after = tokens[at], tokens[at + 1]
        word = token.text.lower()
        if token.text == "{" or (token.kind == "name" and after.text == "{"):
            opening = at if token.text == "{" else at + 1
            at = _closing(tokens, opening, "}")
            openings = [tokens[opening].end]
            inside = pairwise(tokens[opening : at + 1])
            openings += [
                word.end for word, then in inside if word.text.lower() == "or" and then.kind in ("name", "text")
            ]
            end = tokens[min(at, len(tokens) - 1)].end
            yield Selector(query[token.start : end], end, tuple(openings))
        elif token.kind == "name" and word in _LABELS_FOLLOW and after.text == "(":
            at = _closing(tokens, at + 1, ")")
        elif token.kind == "name" and not _is_word(word, tokens[:at]) and not _is_function(after):
            yield Selector(token.text, token.end, ())
        at += 1


def _is_word(word: str, before: Sequence[_Token]) -> bool:
    """Whether this name is none of a metric, by itself and by what stands before it."""
    if word not in _BEHIND:
        return word in _ANYWHERE | _LABELS_FOLLOW
    return bool(before) and (before[-1].kind in ("name", "range", "number") or before[-1].text in (")", "}"))


def _is_function(after: _Token) -> bool:
    """Whether what stands before this token is a function or an aggregation."""
    return after.text == "(" or (after.kind == "name" and after.text.lower() in ("by", "without"))


def _closing(tokens: list[_Token], opening: int, sign: str) -> int:
    found = (at for at in range(opening, len(tokens)) if tokens[at].kind == "sign" and tokens[at].text == sign)
    return next(found, len(tokens) - 1)
