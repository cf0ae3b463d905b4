"""The gate: asked before anything else whether a request may be answered."""

import math
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from starlette.types import Scope

from perfcast.api.access._keys import ADMIN, Key, address_of, find, parse_keys, parse_proxies
from perfcast.api.access._limits import Excess, Limits, parse_rates
from perfcast.api.access._rules import Rules
from perfcast.api.http._identifiers import CLIENT
from perfcast.api.http._problems import Problem, problem_of_status
from perfcast.settings import Settings

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]
HEADER = "X-API-Key"
_HEADER = HEADER.lower().encode()
_CHALLENGE = {"WWW-Authenticate": f'ApiKey realm="perfcast", header="{HEADER}"'}


class Gate:
    """Admits requests, or says why not; made by `make_gate`.

    Args:
        keys: Who is let in; None: everybody.
        limits: How often; None: without limit.
        proxied: Whether callers' addresses are known only from what trusted proxies say.
    """

    def __init__(self, keys: tuple[Key, ...] | None, limits: Limits | None, *, proxied: bool = False) -> None:
        self.keyed = keys is not None
        self._proxied = proxied
        self._keys = keys
        self._limits = limits
        self._rules = Rules()
        self._to_predict = self._rules.needed("POST", "/predict")

    async def admit(self, scope: Scope) -> Problem | None:
        """Nothing for a request that may go on, whose caller's name is then in the scope; else what to answer."""
        needed = self._rules.needed(scope["method"], scope["path"])
        if not needed:
            return None
        key, stranger = None, None
        if self._keys is not None:
            given = _given(scope["headers"])
            key = find(self._keys, given)
            stranger = _unknown(given) if key is None else None
        caller = scope[CLIENT] = key.caller if key is not None else address_of(scope.get("client"))
        if self._limits is not None and (excess := await self._limits.hit(caller)) is not None:
            return _too_many(excess)
        if key is not None and not key.scopes & needed:
            return _forbidden(key, needed)
        return stranger

    def passes(self, headers: Headers, client: tuple[str, int] | None) -> str:
        """The caller of a `POST /predict` that may be answered at once; empty where `admit` must be asked."""
        caller = ""
        if self._keys is not None:
            key = find(self._keys, _given(headers))
            if key is not None and key.scopes & self._to_predict:
                caller = key.caller
        elif not self._proxied:
            caller = address_of(client)
        return caller if self._limits is None or self._limits.has_room(caller) else ""

    def count(self, caller: str) -> None:
        """Count a request that `passes` let through and that was answered."""
        if self._limits is not None:
            self._limits.count(caller)

    @property
    def summary(self) -> str:
        """What it asks for, without secrets: `2 keys; 600 requests in 60 s`."""
        count = len(self._keys or ())
        parts = [f"{count} key{'' if count == 1 else 's'}"]
        if self._limits is not None:
            parts += [f"{rate.amount} requests in {rate.seconds} s" for rate in self._limits.rates]
        return "; ".join(parts)

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong with it now, for `/health`."""
        problem = self._limits.problem if self._limits is not None else None
        return {} if problem is None else {"rate_limits": problem}

    async def close(self) -> None:
        """Let go of what it holds."""
        if self._limits is not None:
            await self._limits.close()


_REASONS: Mapping[int, Literal["key", "scope", "rate"]] = {401: "key", 403: "scope", 429: "rate"}


def reason_of(refusal: Problem) -> Literal["key", "scope", "rate"]:
    """Why the gate refused, for metrics."""
    return _REASONS[refusal.status]


def make_gate(settings: Settings) -> Gate | None:
    """The gate that the settings ask for; None where everybody may do everything, which costs nothing.

    Raises:
        InvalidSetting: `API_KEY`, `RATE_LIMIT` or `TRUSTED_PROXIES` can't be used.
    """
    keys = parse_keys(settings.api_key.get_secret_value())
    rates = parse_rates(settings.rate_limit)
    proxies = parse_proxies(settings.trusted_proxies)
    if keys is None and not rates:
        return None
    return Gate(keys, Limits(rates, settings.redis_url) if rates else None, proxied=bool(proxies))


def _given(headers: Headers) -> bytes:
    for name, value in headers:
        if name == _HEADER:
            return value
    return b""


def _unknown(given: bytes) -> Problem:
    detail = (
        f"the key in {HEADER} is not known here; check it" if given else f"this needs a key; send it as {HEADER}: KEY"
    )
    return problem_of_status(401, detail, _CHALLENGE)


def _forbidden(key: Key, needed: frozenset[str]) -> Problem:
    held = ", ".join(sorted(key.scopes))
    if needed == {ADMIN}:
        detail = f"this needs a key with the scope {ADMIN}; yours has {held}. Check method and path too: /docs has them"
    else:
        detail = f"this needs a key with the scope {' or '.join(sorted(needed))}; yours has {held}"
    return problem_of_status(403, detail)


def _too_many(excess: Excess) -> Problem:
    rate = excess.rate
    wait = str(min(max(1, math.ceil(excess.wait)), rate.seconds))  # the clock of another process may run ahead
    detail = f"more than {rate.amount} requests in {rate.seconds} s; ask again in {wait} s, or raise RATE_LIMIT"
    headers = {"X-RateLimit-Limit": str(rate.amount), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": wait}
    return problem_of_status(429, detail, {"Retry-After": wait, **headers})
