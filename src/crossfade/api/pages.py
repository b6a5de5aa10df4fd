"""Lists in parts: the cursor is the key of the last item of the part before."""

from collections.abc import Callable, Iterable
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

T = TypeVar("T")

MOST = 500

Limit = Annotated[int, Query(ge=1, le=MOST, description="So many items at most.")]
After = Annotated[str, Query(max_length=300, description="`next` of the page before.")]


class Page(BaseModel, Generic[T]):
    """A part of a list."""

    items: list[T]
    next: str | None = None
    """`after` of the next page; null when this is the last one."""


def page(items: Iterable[T], key: Callable[[T], str], after: str, limit: int) -> Page[T]:
    """Return the items whose keys come after `after`; keys are unique."""
    rest = sorted((each for each in items if key(each) > after), key=key)
    more = len(rest) > limit
    return Page(items=rest[:limit], next=key(rest[limit - 1]) if more else None)
