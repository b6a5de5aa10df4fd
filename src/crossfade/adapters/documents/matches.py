"""Conditions on headers and cookies of a request, as several keys of files have them."""

from typing import cast

from crossfade.adapters.documents.shapes import (
    Field,
    ListOf,
    OneKey,
    Places,
    Read,
    Record,
    Text,
)
from crossfade.core.traffic.split import HeaderMatch, MatchKind

TOKEN = Text("the name of a header or cookie", r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", 256)


def _check_match(values: Read, places: Places) -> None:
    OneKey(("header", "cookie"), "a match")(values, places)
    OneKey(("exact", "prefix", "regex"), "a match")(values, places)


MATCHES = ListOf(
    Record(
        {
            "header": Field(TOKEN, "Name of the header."),
            "cookie": Field(TOKEN, "Name of the cookie."),
            "exact": Field(Text("a value", longest=4096), "The whole value."),
            "prefix": Field(Text("a value", longest=4096), "How the value begins."),
            "regex": Field(Text("a regular expression (RE2)", longest=4096), "What it matches."),
        },
        check=_check_match,
    ),
    "a list, as `- {header: x-tester, exact: yes}`",
)


def matches(values: object) -> tuple[HeaderMatch, ...]:
    """Return the conditions of a list that was read with `MATCHES`."""
    found = []
    for each in cast("tuple[Read, ...]", values):
        kind = next(kind for kind in MatchKind if kind.value in each)
        name = str(each.get("header") or each.get("cookie"))
        found.append(HeaderMatch(name, str(each[kind.value]), kind, cookie="cookie" in each))
    return tuple(found)
