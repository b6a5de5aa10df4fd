"""
Kubernetes objects out of protobuf bodies, which stock kubectl and helm send for built-in kinds.

A body is `k8s\\0` and a `runtime.Unknown`: the apiVersion, the kind and the message of the object.
The result is what the same client would have sent as JSON; the numbers come from `fields`.
"""

import base64
import json
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from crossfade.sandbox.kube import fields
from crossfade.sandbox.kube.client import ApiError
from crossfade.sandbox.kube.fields import Field, Structure
from crossfade.sandbox.kube.values import Json

MAGIC = b"k8s\x00"
MAXIMUM_DEPTH = 100
"""Messages in messages; only schemas of custom resources nest without end, and never so far."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
Value = int | bytes
"""What stands on the wire: an integer (also of the fixed sizes), or bytes."""


def decode(body: bytes) -> dict[str, Any]:
    """
    Return the object of a body of type `application/vnd.kubernetes.protobuf`.

    Fields that the tables do not know are left out, as an API server does.  Raises ApiError 400
    for anything that is not such a body, or a kind without a table.
    """
    if not body.startswith(MAGIC):
        raise malformed("the body does not start with the protobuf prefix of Kubernetes")
    unknown = dict(_messages(body[len(MAGIC) :]))
    meta = dict(_messages(_bytes(unknown.get(1, b""))))
    api_version, kind = _text(meta.get(1, b"")), _text(meta.get(2, b""))
    raw = _bytes(unknown.get(2, b""))
    if _text(unknown.get(4, b"")) == "application/json":
        decoded = _json(raw)
        if not isinstance(decoded, dict):
            raise malformed("the object is not a JSON object")
        return decoded
    message = structure_of(api_version, kind)
    if message is None:
        raise malformed(f'no kind "{kind}" is registered for version "{api_version}"')
    return {"kind": kind, "apiVersion": api_version, **_decode(message, raw, 0)}


def structure_of(api_version: str, kind: str) -> Structure | None:
    """Return the structure of a kind; options and lists of apimachinery belong to every group."""
    group, _, version = api_version.rpartition("/")
    own = fields.structure(f"{fields.package(group, version)}.{kind}")
    return own or fields.structure(f"meta/v1.{kind}")


def malformed(why: str) -> ApiError:
    """Return the answer to a body that cannot be read."""
    return ApiError(400, "BadRequest", f"the object provided is unrecognized: {why}")


def _messages(data: bytes) -> Iterator[tuple[int, Value]]:
    """Yield the number and the value of each field on the wire."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        match wire:
            case 0:
                value, at = _varint(data, at)
                yield number, value
                continue
            case 1:
                size = 8
            case 2:
                size, at = _varint(data, at)
            case 5:
                size = 4
            case _:
                raise malformed(f"wire type {wire}")
        if number == 0 or at + size > end:
            raise malformed("a field ends after its message")
        chunk = data[at : at + size]
        at += size
        yield number, chunk if wire == _BYTES else int.from_bytes(chunk, "little")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise malformed("a number ends after its message")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (1 << 64) - 1, at
    raise malformed("a number of more than 64 bits")


def _decode(message: Structure, data: bytes, depth: int) -> dict[str, Any]:
    if depth > MAXIMUM_DEPTH:
        raise malformed("the object is nested too deeply")
    result: dict[str, Any] = {}
    known = message.by_number
    for number, value in _messages(data):
        field = known.get(number)
        if field is None:
            continue
        if field.name == ".":
            inner = field.structure
            if inner is not None:
                result.update(_decode(inner, _bytes(value), depth + 1))
        elif field.container == "*":
            result.setdefault(field.name, []).extend(_items(field, value, depth))
        elif field.container == "%":
            entry = dict(_messages(_bytes(value)))
            default = 0 if field.type in "bild" else b""
            item = _value(field, entry.get(2, default), depth)
            result.setdefault(field.name, {})[_text(entry.get(1, b""))] = item
        else:
            decoded = _value(field, value, depth)
            if decoded is None or _absent(field, decoded):
                result.pop(field.name, None)
            else:
                result[field.name] = decoded
    return result


def _absent(field: Field, value: Json) -> bool:
    """
    Tell whether a zero value means that the field was not set.

    The sender writes plain text, numbers and booleans even when unset; JSON leaves them out.
    """
    if len(field.type) > 1 or field.type not in "sbildy":
        return False
    return not value and "p" not in field.notes and "e" not in field.notes


def _items(field: Field, value: Value, depth: int) -> Iterator[Any]:
    """Yield the items that one occurrence of a repeated field adds: numbers may be packed."""
    if field.type in ("b", "i", "l") and isinstance(value, bytes):
        at = 0
        while at < len(value):
            number, at = _varint(value, at)
            yield _value(field, number, depth)
    else:
        yield _value(field, value, depth)


def _value(field: Field, value: Value, depth: int) -> Json:
    if len(field.type) > 1:
        inner = field.structure
        return _raw(_bytes(value)) if inner is None else _decode(inner, _bytes(value), depth + 1)
    return _READERS[field.type](value, depth + 1)


def _bytes(value: Value) -> bytes:
    if isinstance(value, bytes):
        return value
    raise malformed("a number where a message or a text belongs")


def _integer(value: Value) -> int:
    if isinstance(value, int):
        return value
    raise malformed("a message or a text where a number belongs")


def _text(value: Value) -> str:
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError as error:
        raise malformed("a text is not UTF-8") from error


def _json(raw: bytes) -> Json:
    try:
        return json.loads(raw, parse_constant=_no_constant) if raw else None
    except (ValueError, RecursionError) as error:
        raise malformed("an embedded object is not JSON") from error


def _no_constant(name: str) -> Json:
    raise ValueError(name)  # NaN and its like, which Python reads and JSON does not have


def _raw(message: bytes) -> Json:
    """Return the JSON value that a message carries in its first field."""
    return _json(_bytes(dict(_messages(message)).get(1, b"")))


def _int32(value: Value, _depth: int) -> int:
    number = _integer(value) & 0xFFFFFFFF
    return number - (1 << 32) if number >> 31 else number


def _int64(value: Value, _depth: int) -> int:
    number = _integer(value)
    return number - (1 << 64) if number >> 63 else number


def _double(value: Value, _depth: int) -> float | int:
    try:
        number = float(struct.unpack("<d", _integer(value).to_bytes(8, "little"))[0])
    except OverflowError as error:
        raise malformed("a number that does not fit") from error
    if number != number or number in (float("inf"), float("-inf")):
        raise malformed("a number that JSON does not have")
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _quantity(value: Value, _depth: int) -> str:
    return _text(dict(_messages(_bytes(value))).get(1, b"")) or "0"


def _moment(value: Value, timespec: str) -> str | None:
    """Return a time as RFC 3339 has it, None for an empty message: no time."""
    parts = dict(_messages(_bytes(value)))
    if not parts:
        return None
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
            seconds=_int64(parts.get(1, 0), 0), microseconds=_int32(parts.get(2, 0), 0) // 1000
        )
    except OverflowError as error:
        raise malformed("a time out of range") from error
    return moment.isoformat(timespec=timespec).replace("+00:00", "Z")


def _duration(value: Value, _depth: int) -> str:
    """Return a duration in Go's notation; kinds that are served here have whole seconds only."""
    nanoseconds = _int64(dict(_messages(_bytes(value))).get(1, 0), 0)
    return f"{nanoseconds / 1e9:g}s"


def _integer_or_text(value: Value, _depth: int) -> int | str:
    parts = dict(_messages(_bytes(value)))
    if _integer(parts.get(1, 0)) == 1:
        return _text(parts.get(3, b""))
    return _int32(parts.get(2, 0), 0)


def _schema(value: Value, depth: int) -> dict[str, Any]:
    schema = fields.structure("apiextensions/v1.JSONSchemaProps")
    return _decode(schema, _bytes(value), depth) if schema else {}


def _schema_or_list(value: Value, depth: int) -> Json:
    parts = list(_messages(_bytes(value)))
    several = [_schema(part, depth) for number, part in parts if number == 2]
    single = [_schema(part, depth) for number, part in parts if number == 1]
    return several or (single[-1] if single else None)


def _schema_or_boolean(value: Value, depth: int) -> Json:
    parts = dict(_messages(_bytes(value)))
    return _schema(parts[2], depth) if 2 in parts else bool(_integer(parts.get(1, 0)))


def _schema_or_texts(value: Value, depth: int) -> Json:
    parts = list(_messages(_bytes(value)))
    texts = [_text(part) for number, part in parts if number == 2]
    return texts or next((_schema(part, depth) for number, part in parts if number == 1), None)


def _texts(value: Value, _depth: int) -> list[str]:
    return [_text(part) for number, part in _messages(_bytes(value)) if number == 1]


_READERS: dict[str, Callable[[Value, int], Any]] = {
    "s": lambda value, _: _text(value),
    "b": lambda value, _: bool(_integer(value)),
    "i": _int32,
    "l": _int64,
    "d": _double,
    "y": lambda value, _: base64.b64encode(_bytes(value)).decode(),
    "Q": _quantity,
    "T": lambda value, _: _moment(value, "seconds"),
    "M": lambda value, _: _moment(value, "microseconds"),
    "D": _duration,
    "I": _integer_or_text,
    "F": lambda value, _: _raw(_bytes(value)),
    "R": lambda value, _: _raw(_bytes(value)),
    "J": lambda value, _: _raw(_bytes(value)),
    "P": _schema_or_list,
    "O": _schema_or_boolean,
    "X": _schema_or_texts,
    "V": _texts,
}
