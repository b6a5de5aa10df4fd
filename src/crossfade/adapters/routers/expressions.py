"""
Regular expressions for headers and cookies, as gateways read them (RE2).

They are anchored by themselves: some gateways match the whole value and others any part of it.
"""

import re
from itertools import permutations

from crossfade.base.errors import InputError
from crossfade.core.traffic.split import HeaderMatch, MatchKind

MOST_COOKIES = 3
"""In one list of conditions: cookies come in any order, and each order is written out."""
_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")
_PARTS = re.compile(
    r"""\\.                              # an escape
    | \[\^?\]?(?:\\.|[^\]\\])*\]         # a class of characters
    | \(\?(?:<[=!]|P?[<=!>]|[a-zA-Z]*:?) # the start of a special group
    | [*+?}]\+                           # a quantifier that does not give back
    | .""",
    re.DOTALL | re.VERBOSE,
)
_NOT_IN_RE2 = re.compile(r"\\[1-9]|\(\?(?:[=!>]|<[=!]|P[=>])|[*+?}]\+")
_BEYOND_A_COOKIE = re.compile(r"\\[SWDPpC]|\[\^.*|\(\?[^:]*|;", re.DOTALL)


def escaped(text: str) -> str:
    """Return an expression for this very text."""
    return _SPECIAL.sub(r"\\\1", text)


def of_header(match: HeaderMatch) -> str:
    """Return an expression for the whole value of a header.  Raises InputError."""
    return f"^{_value(match, '.')}$"


def of_cookies(*matches: HeaderMatch) -> str:
    """Return an expression for a Cookie header that has all the cookies.  Raises InputError."""
    if len(matches) > MOST_COOKIES:
        raise InputError(
            f"a header route looks at {len(matches)} cookies",
            hint=f"{MOST_COOKIES} cookies are the most in one header route",
        )
    wanted = [rf"\s*{escaped(each.name)}={_value(each, '[^;]')}\s*" for each in matches]
    orders = [";(?:.*;)?".join(order) for order in permutations(wanted)]
    return rf"^(?:.*;)?(?:{'|'.join(orders)})(?:;.*)?$"


def _value(match: HeaderMatch, anything: str) -> str:
    match match.kind:
        case MatchKind.EXACT:
            return escaped(match.value)
        case MatchKind.PREFIX:
            return f"{escaped(match.value)}{anything}*"
        case MatchKind.REGEX:
            return f"(?:{_checked(match, anything)})"


def _checked(match: HeaderMatch, anything: str) -> str:
    """Return the user's expression; within a cookie it stays within the cookie."""
    try:
        re.compile(match.value)
    except re.error as error:
        raise _refused(match, f"it is no regular expression: {error}") from error
    parts = []
    for part in _PARTS.findall(match.value):
        if _NOT_IN_RE2.fullmatch(part):
            raise _refused(match, f"gateways do not have `{part}`")
        if match.cookie and _BEYOND_A_COOKIE.fullmatch(part):
            raise _refused(match, f"`{part}` would reach into the next cookie")
        if part in ("^", "$"):
            continue  # the whole value is meant anyway
        parts.append(anything if part == "." else part)
    return "".join(parts)


def _refused(match: HeaderMatch, why: str) -> InputError:
    what = "cookie" if match.cookie else "header"
    return InputError(
        f"the expression for the {what} `{match.name}` cannot be used: {why}",
        hint="use RE2 syntax: no look-around, no back-references; it must match the whole value",
        expression=match.value,
    )
