"""Somebody who looks at a store from outside, again and again, and changes nothing."""

from typing import TypeVar

from crossfade.base.codec import from_json
from crossfade.engine.records import Stored, Values, same
from crossfade.testing.fake_store import FakeStore

T = TypeVar("T")


class Onlooker:
    """Remembers what it has read, so that looking twice at the same costs little."""

    def __init__(self) -> None:
        self._known: Values = {}

    def see(self, store: FakeStore, kind: str, name: str, of: type[T]) -> T | None:
        """Return the value of a document, None when there is none."""
        document = store.held(kind, name)
        if document is None:
            return None
        values = self._known if store.values is None else store.values
        known = values.get((kind, name))
        if known is None or not same(known[0], document):
            made = Stored(from_json(of, document.body), document.version)
            known = values[kind, name] = (document, made)
        value: T = known[1].value
        return value
