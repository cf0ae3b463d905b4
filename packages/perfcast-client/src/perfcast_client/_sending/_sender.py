"""Sends calls and waits for them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from perfcast_client._call import Call, Calls, T
from perfcast_client._sending._exchange import Exchange, Raw, connection_failed, refusal
from perfcast_client._sending._options import Options, Server


class Sender:
    """A server, a pool of connections to it, and how calls are made."""

    def __init__(self, pool: httpx2.Client, server: Server, options: Options) -> None:
        self._pool, self.server, self.options = pool, server, options

    def but(self, **changed: Any) -> "Sender":
        """The same pool with other options."""
        return Sender(self._pool, self.server, self.options.but(**changed))

    def send(self, call: Call[T]) -> Raw[T]:
        """A call's result and answer."""
        exchange = Exchange(call, self.server, self.options)
        while True:
            try:
                response = self._pool.request(**exchange.request)
            except httpx2.HTTPError as error:
                pause: float | Raw[T] = exchange.broken(error)
            else:
                pause = exchange.answered(response)
            if isinstance(pause, Raw):
                return pause
            time.sleep(pause)

    def run(self, call: Call[T] | Calls[T]) -> T:
        """What a call, or several, come to."""
        if isinstance(call, Call):
            return self.send(call).value
        steps = call.steps()
        try:
            asked = next(steps)
            while True:
                asked = steps.send(self.send(asked).value)
        except StopIteration as end:
            result: T = end.value
            return result

    @contextmanager
    def events(self, call: Call[Any], quiet_seconds: float) -> Iterator[Iterator[httpx2.ServerSentEvent]]:
        """The events of a stream; ends with its end, raises as calls do, and when nothing comes for too long."""
        request = Exchange(call, self.server, self.options.but(timeout=quiet_seconds)).request
        where = f"{call.method} {self.server.url}{call.path}"
        try:
            with self._pool.stream(**request) as response:
                if not response.is_success:
                    response.read()
                    raise refusal(response, where)
                yield iter(httpx2.EventSource(response))
        except httpx2.HTTPError as error:
            raise connection_failed(error, where, self.server, quiet_seconds) from None

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()
