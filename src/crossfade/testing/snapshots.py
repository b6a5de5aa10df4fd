"""Copies of a world, made fast: what never changes is shared between them."""

import types
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, TypeVar

from crossfade.engine.records import Stored

T = TypeVar("T")

_VALUES = ("crossfade.base.", "crossfade.core.", "crossfade.ports.")
"""Where frozen dataclasses are values: nobody changes what is in them either."""
_SHARED = (
    str,
    int,
    float,
    bytes,
    frozenset,
    Enum,
    type,
    types.NoneType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MappingProxyType,
    Stored,
)

_Copier = Callable[[Any, dict[int, Any]], Any]


def copied(value: T) -> T:
    """Return a copy of a world; nothing that happens in one happens in the other."""
    memo: dict[int, Any] = {}
    result: T = _COPIERS[type(value)](value, memo)
    return result


class _Copiers(dict[type, _Copier]):
    """What copies values of each type."""

    def __missing__(self, of: type) -> _Copier:
        """Find it out once."""
        self[of] = found = _find(of)
        return found


def _find(of: type) -> _Copier:
    if issubclass(of, _SHARED) or (_frozen(of) and of.__module__.startswith(_VALUES)):
        return _same
    if issubclass(of, dict):
        return _dict
    if issubclass(of, tuple):
        return _tuple
    if issubclass(of, list | set):
        return _collection
    return _object


def _frozen(of: type) -> bool:
    parameters = getattr(of, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)


def _same(value: Any, _memo: dict[int, Any]) -> Any:  # noqa: ANN401 - copies are of any type
    return value


def _dict(value: Any, memo: dict[int, Any]) -> Any:  # noqa: ANN401
    found = memo.get(id(value))
    if found is None:
        found = memo[id(value)] = value.copy()  # keys are values
        for key, each in value.items():
            copier = _COPIERS[type(each)]
            if copier is not _same:
                found[key] = copier(each, memo)
    return found


def _tuple(value: Any, memo: dict[int, Any]) -> Any:  # noqa: ANN401
    made = [_COPIERS[type(each)](each, memo) for each in value]
    if all(new is old for new, old in zip(made, value, strict=True)):
        return value
    return tuple(made)


def _collection(value: Any, memo: dict[int, Any]) -> Any:  # noqa: ANN401
    found = memo.get(id(value))
    if found is None:
        found = memo[id(value)] = type(value)(_COPIERS[type(each)](each, memo) for each in value)
    return found


def _object(value: Any, memo: dict[int, Any]) -> Any:  # noqa: ANN401
    found = memo.get(id(value))
    if found is None:
        found = memo[id(value)] = object.__new__(type(value))
        for name in _names(value):
            if hasattr(value, name):
                each = getattr(value, name)
                # Frozen ones are copied too, as they may hold what is not.
                object.__setattr__(found, name, _COPIERS[type(each)](each, memo))
    return found


def _names(value: object) -> Iterator[str]:
    """Return the names of all attributes."""
    yield from _slots(type(value))
    yield from getattr(value, "__dict__", ())


def _slots(of: type) -> tuple[str, ...]:
    known = _SLOTS.get(of)
    if known is None:
        slots = (getattr(each, "__slots__", ()) for each in of.__mro__)
        every = (name for each in slots for name in ((each,) if isinstance(each, str) else each))
        known = tuple(name for name in every if name not in {"__weakref__", "__dict__"})
        _SLOTS[of] = known
    return known


_COPIERS = _Copiers()
_SLOTS: dict[type, tuple[str, ...]] = {}
