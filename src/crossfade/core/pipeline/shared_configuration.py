"""Shared configurations: named sets of variables, which pipelines list as their `contexts`."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from crossfade.base.errors import InputError
from crossfade.base.json_value import Json
from crossfade.base.secrets import MASK
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.secret_stores import KUBERNETES, VAULT, store_data
from crossfade.core.pipeline.variables import Source, Variable

LARGEST_BYTES = 1 << 16
"""So much does one of them hold at most, written as JSON."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,252}")
_PLAIN = (str, int, float, bool)


class SharedKind(StrEnum):
    """What a shared configuration holds, as Codefresh calls it."""

    CONFIG = "config"
    SECRET = "secret"  # noqa: S105 - the name of a kind
    YAML = "yaml"
    SECRET_YAML = "secret-yaml"  # noqa: S105
    KUBERNETES = KUBERNETES
    VAULT = VAULT

    @property
    def is_secret(self) -> bool:
        """Whether its values are sealed, masked in logs, and never shown."""
        return self in (SharedKind.SECRET, SharedKind.SECRET_YAML, SharedKind.VAULT)

    @property
    def is_store(self) -> bool:
        """Whether it says where secrets are, and has no variables of its own."""
        return self in (SharedKind.KUBERNETES, SharedKind.VAULT)

    @property
    def has_structure(self) -> bool:
        """Whether its values may be lists and mappings."""
        return self in (SharedKind.YAML, SharedKind.SECRET_YAML)


def shared_name(text: str) -> str:
    """Return the text as the name of a shared configuration.  Raises InputError."""
    if not _NAME.fullmatch(text):
        raise InputError(
            f"{text!r} is not the name of a shared configuration",
            hint="allowed are letters, digits, `_`, `.` and `-`, beginning without `.` or `-`",
        )
    return text


def shared_data(kind: SharedKind, data: Json) -> Settings:
    """Return what such a configuration may hold.  Raises InputError, which has no values."""
    if not isinstance(data, dict) or not data:
        raise InputError(
            f"a shared configuration of type {kind} needs at least one variable",
            hint="give `-v NAME=VALUE`, or `--file` with a mapping of names to values",
        )
    found: Settings = {}
    for key, value in data.items():
        if not _KEY.fullmatch(key):
            raise InputError(
                f"{key!r} is not the name of a variable",
                hint="allowed are letters, digits, `_`, `.` and `-`, beginning with no digit",
            )
        if not all(_can_be_kept(each) for each in _leaves(value)):
            raise InputError(
                f"the value of {key} has what no store keeps: U+0000, half of a surrogate pair, "
                "or a number that is not finite",
                hint="leave that out; binary data can be given as base64",
            )
        if not kind.has_structure:
            if not isinstance(value, _PLAIN):
                word = "nothing" if value is None else "a list or a mapping"
                raise InputError(
                    f"the value of {key} is {word}; of type {kind} it is to be a text",
                    hint=f"quote it{_or_structured(kind)}",
                )
            value = _spelled(value)
        found[key] = value
    if kind.is_store:
        found = store_data(kind, found)
    size = len(json.dumps(found).encode())
    if size > LARGEST_BYTES:
        raise InputError(
            f"a shared configuration of {size} bytes is not kept",
            hint=f"give at most {LARGEST_BYTES} bytes, or split it",
        )
    return found


def _leaves(value: Json) -> Iterator[Json]:
    """Yield the plain values in a value, names in mappings among them."""
    match value:
        case dict():
            yield from value
            for each in value.values():
                yield from _leaves(each)
        case list():
            for each in value:
                yield from _leaves(each)
        case _:
            yield value


def _can_be_kept(value: Json) -> bool:
    match value:
        case str():
            return "\0" not in value and value == value.encode(errors="replace").decode()
        case float():
            return math.isfinite(value)
        case _:
            return True


def _or_structured(kind: SharedKind) -> str:
    if kind.is_store:
        return ""
    return f", or give type {SharedKind.SECRET_YAML if kind.is_secret else SharedKind.YAML}"


def lists_store(name: str, kind: SharedKind) -> InputError:
    """Return the error that a pipeline lists a store, which has no variables."""
    return InputError(
        f"`{name}` is of type {kind}, which has no variables of its own",
        hint=f"take it out of `contexts`, and write ${{{{secrets.{name}.KEY}}}} where it is needed",
    )


def shared_variables(kind: SharedKind, data: Mapping[str, Json]) -> dict[str, Variable]:
    """Return the variables of a configuration; lists and mappings are JSON in one line."""
    return {
        name: Variable(name, _spelled(value), Source.SHARED, kind.is_secret)
        for name, value in data.items()
    }


def masked_data(data: Mapping[str, Json]) -> Settings:
    """Return what may be shown of a secret configuration: its names."""
    return dict.fromkeys(data, MASK)


def contexts_of(spec: Settings, where: str = "spec") -> tuple[str, ...]:
    """Return the names that `contexts` lists, in its order.  Raises InputError."""
    given = spec.get("contexts")
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(each, str) and each for each in given):
        raise InputError(
            f"{where}.contexts is {given!r}; allowed: a list of names of shared configurations",
            hint="`crossfade context list` shows which there are",
        )
    return tuple(str(each).strip() for each in given)


def named_anywhere(spec: Settings) -> Iterator[str]:
    """Yield the names that the pipeline and its triggers list, whatever else is wrong with them."""
    triggers = [each for key in ("triggers", "cronTriggers") for each in _listed(spec.get(key))]
    for holder in (spec, *triggers):
        if isinstance(holder, dict):
            yield from (each for each in _listed(holder.get("contexts")) if isinstance(each, str))


def _listed(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else ()


def _spelled(value: Json) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return str(value)
        case _:
            return json.dumps(value, ensure_ascii=False)
