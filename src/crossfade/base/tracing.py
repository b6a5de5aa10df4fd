"""
Traces: which piece of work belongs to which.

Work says what it is with `span`.  Nothing is taken down, and nothing is paid for it, unless a
recorder was set for this task by `recorded`; `adapters/tracing` has the one for OpenTelemetry.  The
place of work in its trace is a `traceparent` of W3C Trace Context, which is handed on to others
whether or not anything is taken down here.
"""

import re
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from enum import StrEnum
from functools import wraps
from types import TracebackType
from typing import ParamSpec, Protocol, Self, TypeVar

from crossfade.base.errors import CrossfadeError

P = ParamSpec("P")
T = TypeVar("T")

Fact = str | int | float | bool
VARIABLE = "TRACEPARENT"
"""Environment variable that hands a place on to processes."""
HEADER = "traceparent"
_FORM = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Kind(StrEnum):
    """How work relates to whom it came from."""

    INTERNAL = "internal"
    SERVER = "server"
    """Somebody waits for its answer."""


class Taken(Protocol):
    """Work that is taken down."""

    @property
    def traceparent(self) -> str:
        """Its place."""
        ...

    def put(self, facts: Mapping[str, Fact]) -> None:
        """Add facts."""
        ...

    def note(self, name: str, facts: Mapping[str, Fact]) -> None:
        """Add something that has just happened."""
        ...

    def rename(self, name: str) -> None:
        """Give it a better name, now that more is known."""
        ...

    def end(self, failure: str = "") -> None:
        """Say that it is over, and why it failed if it has."""
        ...


class Recorder(Protocol):
    """Takes work down.  It never waits for anybody, and raises nothing."""

    def begin(
        self, name: str, kind: Kind, parent: str, facts: Mapping[str, Fact], began_ns: int
    ) -> Taken:
        """Return the work; `parent` is the place of what it belongs to, "" for nothing."""
        ...

    def past(
        self, name: str, parent: str, facts: Mapping[str, Fact], seconds: tuple[float, float]
    ) -> None:
        """Take down what was, from when to when in seconds since the Unix epoch."""
        ...


class Span:
    """One piece of work, as a context."""

    __slots__ = (
        "_began",
        "_facts",
        "_failure",
        "_kind",
        "_name",
        "_parent",
        "_quiet",
        "_taken",
        "_token",
    )

    def __init__(
        self, name: str, facts: Mapping[str, Fact], kind: Kind, parent: str | None
    ) -> None:
        self._name, self._facts, self._kind, self._parent = name, dict(facts), kind, parent
        self._quiet = False
        self._taken: Taken | None = None
        self._token: Token[Span | str] | None = None
        self._began, self._failure = 0, ""

    def __enter__(self) -> Self:
        """Begin."""
        if (recorder := _recorder.get()) is not None:
            self._began = time.time_ns()
            if not self._quiet:
                self._parent = current() if self._parent is None else self._parent
                self._begin(recorder)
            self._token = _place.set(self)
        elif self._parent:
            self._token = _place.set(self._parent)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """End; what was cancelled has not failed."""
        if self._token is not None:
            _place.reset(self._token)
        failure = _told(error) if isinstance(error, Exception) else self._failure
        if failure:
            self._begin(_recorder.get())
        if self._taken is not None:
            self._taken.end(failure)

    @property
    def traceparent(self) -> str:
        """Its place, "" when nothing is taken down."""
        self._begin(_recorder.get())
        return self._taken.traceparent if self._taken is not None else self._parent or ""

    def quietly(self) -> Self:
        """Have it taken down only once it fails, or something is noted in it or belongs to it."""
        self._quiet = True
        return self

    def belongs_to(self, parent: str) -> None:
        """Have it belong to this place, unless it is too late."""
        if self._taken is None:
            self._parent = parent

    def put(self, facts: Mapping[str, Fact]) -> None:
        """Add facts; a quiet span is not taken down for them alone."""
        if self._taken is None:
            self._facts.update(facts)
        else:
            self._taken.put(facts)

    def rename(self, name: str) -> None:
        """Give it a better name, now that more is known."""
        self._name = name
        if self._taken is not None:
            self._taken.rename(name)

    def fail(self, why: str) -> None:
        """Have it count as failed once it ends."""
        self._failure = why

    def note(self, name: str, facts: Mapping[str, Fact]) -> None:
        """Add something that has just happened."""
        self._begin(_recorder.get())
        if self._taken is not None:
            self._taken.note(name, facts)

    def _begin(self, recorder: Recorder | None) -> None:
        if self._taken is None and recorder is not None:
            self._taken = recorder.begin(
                self._name, self._kind, self._parent or "", self._facts, self._began
            )


_recorder: ContextVar[Recorder | None] = ContextVar("recorder", default=None)
_place: ContextVar[Span | str] = ContextVar("place", default="")


def span(
    name: str, *, parent: str | None = None, kind: Kind = Kind.INTERNAL, **facts: Fact
) -> Span:
    """Return the work that a block does; it belongs to `parent`, by default to what is done now."""
    return Span(name, facts, kind, parent)


def begun(name: str, **facts: Fact) -> Taken | None:
    """Return work that goes on after the caller, to be ended later; None: nobody takes it down."""
    recorder = _recorder.get()
    if recorder is None:
        return None
    return recorder.begin(name, Kind.INTERNAL, current(), facts, time.time_ns())


def current() -> str:
    """Return the place of what is being done, "" for none."""
    place = _place.get()
    return place if isinstance(place, str) else place.traceparent


def note(name: str, **facts: Fact) -> None:
    """Add something that has just happened to what is being done."""
    if _recorder.get() is not None and not isinstance(place := _place.get(), str):
        place.note(name, facts)


def past(name: str, parent: str, began: float, ended: float, **facts: Fact) -> None:
    """Take down what was, from when to when in seconds since the Unix epoch."""
    if (recorder := _recorder.get()) is not None:
        recorder.past(name, parent, facts, (began, max(began, ended)))


def belongs_to(parent: str, **facts: Fact) -> None:
    """Have what is being done belong to this place, if it is taken down at all."""
    if not isinstance(place := _place.get(), str):
        place.belongs_to(parent)
        place.put(facts)


def traced(
    name: str, of: str = ""
) -> Callable[[Callable[P, Coroutine[None, None, T]]], Callable[P, Coroutine[None, None, T]]]:
    """Return what makes a span of a method; its first argument is the fact `of`."""

    def wrapped(
        method: Callable[P, Coroutine[None, None, T]],
    ) -> Callable[P, Coroutine[None, None, T]]:
        @wraps(method)
        async def whole(*args: P.args, **kwargs: P.kwargs) -> T:
            with span(name) as work:
                if of and len(args) > 1 and isinstance(args[1], str):
                    work.put({of: args[1]})
                return await method(*args, **kwargs)

        return whole

    return wrapped


@contextmanager
def recorded(recorder: Recorder | None) -> Iterator[None]:
    """Have the work of this task, and of those that it starts, taken down."""
    token = _recorder.set(recorder)
    try:
        yield
    finally:
        _recorder.reset(token)


def adopt(text: str) -> None:
    """Have the work of this task belong to the place, if the text is one."""
    if place := valid(text):
        _place.set(place)


def valid(text: str) -> str:
    """Return the traceparent, "" if the text is none."""
    plain = text.strip()
    # Later versions may have more behind what version 00 has.
    whole = plain if plain.startswith("00-") else plain[:55]
    return whole if _FORM.fullmatch(whole) else ""


def carried() -> dict[str, str]:
    """Return the headers of a request that is a part of what is being done."""
    return {HEADER: place} if (place := current()) else {}


def _told(error: Exception) -> str:
    """Return why it failed; what others say may have anything in it."""
    return error.what if isinstance(error, CrossfadeError) else type(error).__name__
