"""Objects that live no longer than the process they belong to, which may die at any operation."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar, cast

T = TypeVar("T")


class Died(Exception):
    """The process is no more."""


class Life:
    """The operations that a process has left before it is killed; None: nobody kills it."""

    def __init__(self, left: int | None) -> None:
        self._left, self.used = left, 0

    def spend(self) -> None:
        """Use one up.  Raises Died when there is none, and from then on."""
        if self._left is not None and self.used >= self._left:
            raise Died
        self.used += 1


def mortal(inner: T, life: Life) -> T:
    """
    Return what does as `inner` does, as long as its process lives.

    A process may die before a call, and after it: then the call is done and nobody learns of it.
    """
    return cast("T", _Mortal(inner, life))


class _Mortal:
    def __init__(self, inner: object, life: Life) -> None:
        self._inner, self._life = inner, life

    def __getattr__(self, name: str) -> object:
        inner, life = getattr(self._inner, name), self._life
        if inspect.isasyncgenfunction(inner):
            return _streamed(inner, life)
        return _awaited(inner, life) if inspect.iscoroutinefunction(inner) else _called(inner, life)


def _called(inner: Callable[..., object], life: Life) -> Callable[..., object]:
    def called(*arguments: object) -> object:
        life.spend()
        found = inner(*arguments)
        life.spend()
        return found

    return called


def _awaited(inner: Callable[..., Awaitable[object]], life: Life) -> Callable[..., object]:
    async def awaited(*arguments: object) -> object:
        life.spend()
        found = await inner(*arguments)
        life.spend()
        return found

    return awaited


def _streamed(inner: Callable[..., AsyncIterator[object]], life: Life) -> Callable[..., object]:
    async def streamed(*arguments: object) -> AsyncIterator[object]:
        life.spend()
        async for each in inner(*arguments):
            life.spend()
            yield each

    return streamed
