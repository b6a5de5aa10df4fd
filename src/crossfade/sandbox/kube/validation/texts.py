"""Forms of names, labels, quantities and ports, and the messages when a text has another form."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from crossfade.sandbox.kube.values import Json

Problem = tuple[str, str]
"""A field such as `spec.ports[0].port` and what is wrong with it."""
Problems = Iterator[Problem]
Values = dict[str, Any]

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_OLD_LABEL = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_PORT_NAME = r"[a-z0-9]+(-[a-z0-9]+)*"
_ALPHANUMERIC = "must consist of lower case alphanumeric characters"


def texts(value: Json) -> dict[str, str]:
    """Return the entries of a map that are texts."""
    return {k: v for k, v in mapping(value).items() if isinstance(v, str)}


def mapping(value: Json) -> Values:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: Json) -> list[Values]:
    """Return the items of a list as objects, an empty one for anything else in it."""
    return [mapping(item) for item in value] if isinstance(value, list) else []


def required(field: str, note: str = "") -> Problem:
    """Return the problem of a field that must be given."""
    return field, f"Required value{': ' + note if note else ''}"


def invalid(field: str, value: Json, why: str) -> Problem:
    """Return the problem of a value that breaks a rule."""
    return field, f"Invalid value: {shown(value)}: {why}"


def duplicate(field: str, value: Json) -> Problem:
    """Return the problem of a value that may occur only once."""
    return field, f"Duplicate value: {shown(value)}"


def forbidden(field: str, why: str) -> Problem:
    """Return the problem of a field that may not be set."""
    return field, f"Forbidden: {why}"


def one_of(field: str, value: Json, allowed: Iterable[str]) -> Problems:
    """Yield a problem unless the value is one of those allowed."""
    choices = sorted(allowed)
    if value in (None, ""):
        yield required(field)
    elif value not in choices:
        listed = ", ".join(f'"{choice}"' for choice in choices)
        yield field, f"Unsupported value: {shown(value)}: supported values: {listed}"


def shown(value: Json) -> str:
    """Return the value as the messages of a Go program show it."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        inner = ", ".join(f'"{key}":{shown(value[key])}' for key in sorted(value))
        return f"map[string]string{{{inner}}}"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def subdomain(field: str, value: Json) -> Problems:
    """Yield a problem unless the value is a name such as `my-app.v2`."""
    yield from _form(
        field,
        value,
        253,
        _SUBDOMAIN,
        f"a lowercase RFC 1123 subdomain {_ALPHANUMERIC}, '-' or '.', and must start and end with "
        f"an alphanumeric character (e.g. 'example.com', {_regex(_SUBDOMAIN)}",
    )


def label(field: str, value: Json) -> Problems:
    """Yield a problem unless the value is a name such as `my-app`."""
    yield from _form(
        field,
        value,
        63,
        _LABEL,
        f"a lowercase RFC 1123 label {_ALPHANUMERIC} or '-', and must start and end with an "
        f"alphanumeric character (e.g. 'my-name',  or '123-abc', {_regex(_LABEL)}",
    )


def old_label(field: str, value: Json) -> Problems:
    """Yield a problem unless the value is a label that starts with a letter, as for Services."""
    yield from _form(
        field,
        value,
        63,
        _OLD_LABEL,
        f"a DNS-1035 label {_ALPHANUMERIC} or '-', start with an alphabetic character, and end "
        f"with an alphanumeric character (e.g. 'my-name',  or 'abc-123', {_regex(_OLD_LABEL)}",
    )


def path_segment(field: str, value: Json) -> Problems:
    """Yield a problem unless the value can stand between two slashes of a URL."""
    text = str(value)
    if text in (".", ".."):
        yield invalid(field, value, f"may not be '{text}'")
    for letter in "/%":
        if letter in text:
            yield invalid(field, value, f"may not contain '{letter}'")


def port_name(field: str, value: Json) -> Problems:
    """Yield a problem unless the value names a container's port."""
    text = str(value)
    if len(text) > 15:
        yield invalid(field, value, "must be no more than 15 characters")
    if not re.fullmatch(_PORT_NAME, text) or not re.search("[a-z]", text):
        yield invalid(
            field, value, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
        )


def port(field: str, value: Json) -> Problems:
    """Yield a problem unless the value is a port number."""
    if value is None:
        yield required(field)
    elif not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 65535:
        yield invalid(field, value, "must be between 1 and 65535, inclusive")


def port_or_name(field: str, value: Json) -> Problems:
    """Yield a problem unless the value is a port number or a port's name."""
    if isinstance(value, str):
        yield from port_name(field, value)
    else:
        yield from port(field, value)


def at_least(field: str, value: Json, least: int) -> Problems:
    """Yield a problem when the value is a number below `least`."""
    if isinstance(value, int) and value < least:
        bound = f"greater than or equal to {least}"
        yield invalid(field, value, f"must be {bound}")


def labels(field: str, value: Json) -> Problems:
    """Yield a problem for each label that is not well formed."""
    for key, text in texts(value).items():
        yield from _key(field, key)
        yield from label_value(field, text)


def annotations(field: str, value: Json) -> Problems:
    """Yield a problem for each key that is not well formed, and for too much text."""
    entries = texts(value)
    for key in entries:
        yield from _key(field, key.lower())
    if sum(len(key.encode()) + len(text.encode()) for key, text in entries.items()) > 256 * 1024:
        yield field, "Too long: may not be more than 262144 bytes"


def label_value(field: str, text: str) -> Problems:
    """Yield a problem unless the text can be the value of a label."""
    if len(text) > 63:
        yield invalid(field, text, "must be no more than 63 characters")
    if text and not re.fullmatch(_QUALIFIED, text):
        pattern = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
        yield invalid(
            field,
            text,
            "a valid label must be an empty string or consist of alphanumeric characters, '-', "
            "'_' or '.', and must start and end with an alphanumeric character "
            f"(e.g. 'MyValue',  or 'my_value',  or '12345', {_regex(pattern)}",
        )


def _key(field: str, key: str) -> Problems:
    prefix, slash, name = key.rpartition("/")
    if slash:
        yield from subdomain(field, prefix)
    if not name:
        yield invalid(field, key, "name part must be non-empty")
    elif len(name) > 63:
        yield invalid(field, key, "name part must be no more than 63 characters")
    elif not re.fullmatch(_QUALIFIED, name):
        yield invalid(
            field,
            key,
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start "
            "and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', "
            + _regex(_QUALIFIED),
        )


def _form(field: str, value: Json, longest: int, pattern: str, why: str) -> Problems:
    text = value if isinstance(value, str) else ""
    if len(text) > longest:
        yield invalid(field, value, f"must be no more than {longest} characters")
    if not re.fullmatch(pattern, text):
        yield invalid(field, value, why)


def _regex(pattern: str) -> str:
    return f"regex used for validation is '{pattern}')"
