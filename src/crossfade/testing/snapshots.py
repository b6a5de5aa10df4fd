"""Copies of a world, made fast: what never changes is shared between them."""

import types
from collections.abc import Callable, Iterable
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
    return _object_copier(of)


def _frozen(of: type) -> bool:
    parameters = getattr(of, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)


def _same(value: Any, _memo: dict[int, Any]) -> Any:  # noqa: ANN401 - copies are of any type
    return value


def _unchanging(values: Iterable[object]) -> bool:
    """Say whether all of them can be shared."""
    for kind in set(map(type, values)):  # noqa: SIM110 - twice as fast as all() of a generator
        if _COPIERS[kind] is not _same:
            return False
    return True


def _dict(value: Any, memo: dict[int, Any]) -> Any:  # noqa: ANN401
    found = memo.get(id(value))
    if found is None:
        found = memo[id(value)] = value.copy()  # keys are values
        if not _unchanging(value.values()):
            for key, each in value.items():
                copier = _COPIERS[type(each)]
                if copier is not _same:
                    found[key] = copier(each, memo)
    return found


def _tuple(value: Any, memo: dict[int, Any]) -> Any:  # noqa: ANN401
    if _unchanging(value):
        return value
    made = [_COPIERS[type(each)](each, memo) for each in value]
    if all(new is old for new, old in zip(made, value, strict=True)):
        return value
    return tuple(made)


def _collection(value: Any, memo: dict[int, Any]) -> Any:  # noqa: ANN401
    found = memo.get(id(value))
    if found is None:
        copied_each = (
            value if _unchanging(value) else (_COPIERS[type(each)](each, memo) for each in value)
        )
        found = memo[id(value)] = type(value)(copied_each)
    return found


def _object_copier(of: type) -> _Copier:
    """Return what copies objects of a class attribute by attribute."""
    slots, has_more = _slots(of), of.__dictoffset__ != 0
    # Frozen ones are copied too, as they may hold what is not.
    make, put = object.__new__, object.__setattr__

    def copy(value: Any, memo: dict[int, Any]) -> Any:  # noqa: ANN401
        found = memo.get(id(value))
        if found is None:
            found = memo[id(value)] = make(of)
            for name in slots:
                each = getattr(value, name, _NOTHING)
                if each is not _NOTHING:
                    copier = _COPIERS[type(each)]
                    put(found, name, each if copier is _same else copier(each, memo))
            if has_more:
                for name, each in value.__dict__.items():
                    found.__dict__[name] = _COPIERS[type(each)](each, memo)
        return found

    return copy


def _slots(of: type) -> tuple[str, ...]:
    slots = (getattr(each, "__slots__", ()) for each in of.__mro__)
    every = (name for each in slots for name in ((each,) if isinstance(each, str) else each))
    return tuple(name for name in every if name not in {"__weakref__", "__dict__"})


_NOTHING = object()
"""In place of an attribute that was never set."""
_COPIERS = _Copiers()
