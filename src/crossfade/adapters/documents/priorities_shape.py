"""The keys of an application file that say whose requests are turned away last."""

from crossfade.adapters.documents.matches import MATCHES, matches
from crossfade.adapters.documents.shapes import Field, ListOf, Places, Read, Record, Text, listed
from crossfade.adapters.routers.expressions import of_cookies, of_header
from crossfade.base.errors import InputError
from crossfade.core.traffic.priorities import ALL, OTHERS, Priority

MOST = 8
"""Each class costs an edge two routes to compare a request with."""
_NAME = Text("a name: lower-case letters, digits and dashes", r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", 40)
_PATH = Text("a path that starts with /, without query", r"/[!-~]*(?<![?#])", 500)


def _check_entry(entry: Read, places: Places) -> None:
    try:
        _expressions(entry)
    except InputError as error:
        places.wrong("match", f"{error.what}; {error.hint}")
    path = str(entry.get("path", ""))
    if "?" in path or "#" in path:
        places.wrong("path", "has a query; a path alone says which requests are meant")


def _expressions(entry: Read) -> None:
    found = matches(entry.get("match") or ())
    for each in found:
        of_header(each)
    if carried := [each for each in found if each.cookie]:
        of_cookies(*carried)


def check_priorities(route: Read, places: Places) -> None:
    """Check that each request is in one class, and that people can tell classes apart."""
    entries = listed(route, "priorities")
    names = [str(each.get("name")) for each in entries]
    if len(entries) > MOST:
        places.wrong("priorities", f"has {len(entries)} classes; {MOST} are the most")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        places.wrong("priorities", f"has `{twice[0]}` twice")
    rest = [
        str(each.get("name")) for each in entries if not each.get("match") and not each.get("path")
    ]
    if len(rest) > 1:
        places.wrong(
            "priorities", f"has two classes that ask nothing, {' and '.join(rest[:2])}; one may"
        )
    if not rest and OTHERS.name in names:
        places.wrong("priorities", f"`{OTHERS.name}` is the class that asks nothing; rename it")
    if ALL.name in names:
        places.wrong("priorities", f"`{ALL.name}` is what users without classes are called")


PRIORITIES = ListOf(
    Record(
        {
            "name": Field(_NAME, "Name of the class.", required=True),
            "match": Field(MATCHES, "Its requests meet all of these.", default="no condition"),
            "path": Field(_PATH, "Its requests are for this path or below it.", default="any"),
        },
        check=_check_entry,
    ),
    "a list, the most important first, as "
    "`- {name: paying, match: [{header: x-plan, exact: gold}]}`",
)


def priorities(route: Read) -> tuple[Priority, ...]:
    """Return the classes of requests, the most important first."""
    return tuple(
        Priority(str(each["name"]), matches(each.get("match") or ()), str(each.get("path", "")))
        for each in listed(route, "priorities")
    )
