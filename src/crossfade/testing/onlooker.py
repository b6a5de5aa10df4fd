"""Somebody who looks at a store from outside, again and again, and changes nothing."""

from typing import Any, TypeVar

from crossfade.base.codec import from_json
from crossfade.ports.documents import Document
from crossfade.testing.fake_store import FakeStore

T = TypeVar("T")


class Onlooker:
    """Remembers what it has read, so that looking twice at the same costs little."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[Document, Any]] = {}

    def see(self, store: FakeStore, kind: str, name: str, of: type[T]) -> T | None:
        """Return the value of a document, None when there is none."""
        document = store.held(kind, name)
        if document is None:
            return None
        known = self._known.get((kind, name))
        if known is not None and known[0] is document:
            value: T = known[1]
            return value
        value = from_json(of, document.body)
        self._known[kind, name] = (document, value)
        return value
