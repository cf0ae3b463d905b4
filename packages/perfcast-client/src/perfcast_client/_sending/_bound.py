"""Binds a function that makes a call to a client that sends it, so that signature and docstring are said once."""

from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, Protocol, TypeAlias, TypeVar, overload

from perfcast_client._call import Call, Calls
from perfcast_client._sending._async_sender import AsyncSender
from perfcast_client._sending._sender import Sender

P = ParamSpec("P")
T = TypeVar("T")
Make: TypeAlias = Callable[P, Call[T] | Calls[T]]


class Sending(Protocol):
    """What sends and waits."""

    @property
    def sender(self) -> Sender:
        """How."""


class AsyncSending(Protocol):
    """What sends and lets others run."""

    @property
    def sender(self) -> AsyncSender:
        """How."""


class Blocking(Generic[P, T]):
    """A method that makes the call, sends it, and gives its result."""

    def __init__(self, make: Make[P, T]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    @overload
    def __get__(self, client: None, owner: type[Any]) -> Make[P, T]: ...

    @overload
    def __get__(self, client: Sending, owner: type[Any]) -> Callable[P, T]: ...

    def __get__(self, client: Sending | None, owner: type[Any]) -> Callable[P, Any]:
        make = self._make
        if client is None:
            return make
        sender = client.sender

        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return sender.run(make(*args, **kwargs))

        return update_wrapper(call, make)


class Awaited(Generic[P, T]):
    """The same, awaited."""

    def __init__(self, make: Make[P, T]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    @overload
    def __get__(self, client: None, owner: type[Any]) -> Make[P, T]: ...

    @overload
    def __get__(self, client: AsyncSending, owner: type[Any]) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, client: AsyncSending | None, owner: type[Any]) -> Callable[P, Any]:
        make = self._make
        if client is None:
            return make
        sender = client.sender

        async def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return await sender.run(make(*args, **kwargs))

        return update_wrapper(call, make)
