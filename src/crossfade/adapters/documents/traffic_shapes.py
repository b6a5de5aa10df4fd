"""The keys of a file for `crossfade traffic plan`, and of the priorities of `traffic spill`."""

from collections.abc import Mapping

from crossfade.adapters.documents.shapes import (
    Choice,
    Field,
    Flag,
    ListOf,
    MapOf,
    Number,
    Places,
    Read,
    Record,
    Text,
)
from crossfade.core.traffic.destinations import PARTS, Eligibility, Mode

_MOST = 1_000_000_000
_CAPACITY = Number(0, _MOST)
_PERCENT = Number(0, 100)
_NAME = Text(
    "lower-case letters, digits and dashes (not first or last), at most 63",
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?",
    63,
)
_REVISION = Text("the name of a revision", r"\S+", 253)


def _sum_to_100(key: str) -> str:
    return f"must sum to 100 over all {key}"


def _check_cluster(cluster: Read, places: Places) -> None:
    revisions = cluster.get("revisions")
    if isinstance(revisions, Mapping) and sum(revisions.values()) != 100:
        places.wrong("revisions", _sum_to_100("revisions of the cluster"))
    known, limited = cluster.get("revisions"), cluster.get("revisionCapacity")
    if isinstance(known, Mapping) and isinstance(limited, Mapping):
        for revision in sorted(limited.keys() - known.keys()):
            places.wrong("revisionCapacity", f"the cluster gives no users to {revision}")


_CLUSTER = Record(
    {
        "name": Field(_NAME, "Which cluster.", required=True),
        "revisions": Field(
            MapOf(_REVISION, _PERCENT),
            "Percent of its users per revision; sums to 100.",
            required=True,
        ),
        "weight": Field(Number(0, 10_000), "Its share among clusters of its order.", default="100"),
        "order": Field(
            Number(0, 1000), "Lower ones are filled first; not in active-active.", default="0"
        ),
        "state": Field(
            Choice(tuple(Eligibility)),
            "`leaving` is drained on purpose, `out` is lost, stale or not converged.",
            default="serves",
        ),
        "capacity": Field(_CAPACITY, "What its ready pods carry.", default="not limited"),
        "startable": Field(_CAPACITY, "What scaling up could add.", default="0"),
        "minimum": Field(_CAPACITY, "Ready capacity below which it gets nobody yet.", default="0"),
        "ramp": Field(
            _PERCENT, "While it returns: percent of its share that it may have.", default="100"
        ),
        "revisionCapacity": Field(
            MapOf(_REVISION, _CAPACITY),
            "What the ready pods of a revision carry.",
            default="not limited",
        ),
    },
    check=_check_cluster,
)

_EXPOSURE = Record(
    {
        "revision": Field(_REVISION, "The revision that is not proven yet.", required=True),
        "cap": Field(
            Number(0, 100, whole=False),
            "Percent of all users who may meet it.",
            required=True,
        ),
    }
)

_CLASS = Record(
    {
        "name": Field(Text("a name"), "What the class is called.", required=True),
        "share": Field(_PERCENT, "Percent of all users.", required=True),
    }
)


def _listed(values: Read, key: str) -> list[Mapping[str, object]]:
    listed = values.get(key, ())
    return (
        [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, tuple) else []
    )


def _check_goal(goal: Read, places: Places) -> None:
    clusters, classes = _listed(goal, "clusters"), _listed(goal, "classes")
    for key, rows in (("clusters", clusters), ("classes", classes)):
        names = [str(row.get("name")) for row in rows]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            places.wrong(key, f"{', '.join(twice)} is given twice")
    if "clusters" in goal and not clusters:
        places.wrong("clusters", "is empty; at least one cluster is needed")
    shares = [each.get("share") for each in classes]
    if shares and sum(share for share in shares if isinstance(share, int)) != 100:
        places.wrong("classes", _sum_to_100("classes"))
    counted = [k for k in ("capacity", "startable", "minimum", "revisionCapacity")
               if any(k in each for each in clusters)]  # fmt: skip
    if counted and "demand" not in goal:
        places.wrong("demand", f"is missing: it gives {counted[0]} its unit")
    _check_pilots(goal, clusters, places)
    _check_before(goal, places)


def _check_pilots(goal: Read, clusters: list[Mapping[str, object]], places: Places) -> None:
    if goal.get("mode") != Mode.PILOT_LIGHT:
        return
    for each in clusters:
        if each.get("order", 0) != 0 and not each.get("minimum"):
            where = f"{each.get('name')} is a pilot light, so it needs a `minimum` above 0"
            places.wrong("clusters", where)


def _check_before(goal: Read, places: Places) -> None:
    before = goal.get("before")
    if not isinstance(before, Mapping):
        return
    total = sum(sum(row.values()) for row in before.values() if isinstance(row, Mapping))
    if total > PARTS:
        places.wrong("before", f"sums to {total}; all users are {PARTS} parts")


GOAL = Record(
    {
        "clusters": Field(ListOf(_CLUSTER), "Clusters that run the application.", required=True),
        "mode": Field(
            Choice(tuple(Mode)), "How they stand to each other.", default="active-active"
        ),
        "demand": Field(
            Number(1, _MOST),
            "What all users together ask for, in the unit of the capacities (requests/s, say).",
            default="needed with capacities only",
        ),
        "exposure": Field(_EXPOSURE, "The limit on users of an unproven revision."),
        "classes": Field(
            ListOf(_CLASS),
            "Classes of users, the most important first; the last one is shed first.",
            default="one, everybody",
        ),
        "exclusive": Field(
            Flag(), "Only one order serves at a time (single writer).", default="false"
        ),
        "full": Field(
            Number(1, 100),
            "In overflow: percent of its capacity at which an order counts as full.",
            default="80",
        ),
        "before": Field(
            MapOf(_NAME, MapOf(_REVISION, Number(0, PARTS))),
            f"The plan in force: parts of {PARTS} by cluster and revision.",
            default="none",
        ),
    },
    check=_check_goal,
)


def _check_level(level: Read, places: Places) -> None:
    counts = [level.get(key, 0) for key in ("healthy", "degraded", "excluded")]
    used, total = sum(each for each in counts if isinstance(each, int)), level.get("total")
    if isinstance(total, int) and used > total:
        places.wrong(
            "total", f"is {total}, less than the {used} that are healthy, degraded or excluded"
        )


_HOSTS = Number(0, _MOST)
LEVEL = Record(
    {
        "healthy": Field(_HOSTS, "Healthy hosts, or their weight.", required=True),
        "total": Field(_HOSTS, "All hosts.", required=True),
        "degraded": Field(_HOSTS, "Degraded hosts.", default="0"),
        "excluded": Field(_HOSTS, "Hosts that do not count.", default="0"),
    },
    check=_check_level,
)
LEVELS = ListOf(LEVEL, 'a list of priorities as [{"healthy": 25, "degraded": 0, "total": 100}]')
