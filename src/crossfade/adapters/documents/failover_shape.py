"""The keys of an application file that say who gets users, who takes over, and who comes back."""

from typing import cast

from crossfade.adapters.documents.shapes import (
    Choice,
    Duration,
    Field,
    Flag,
    MapOf,
    Number,
    Places,
    Read,
    Record,
    Text,
    given,
    part,
)
from crossfade.base.ids import ClusterName
from crossfade.core.application import Failover, Placement
from crossfade.core.failover.drill import Objective
from crossfade.core.failover.failback import Failback
from crossfade.core.traffic.destinations import Mode

_MOST = 1_000_000_000
_STANDBYS = (Mode.WARM_STANDBY, Mode.PILOT_LIGHT)
_CLUSTER = Text(
    "the name of a cluster: lower-case letters, digits and dashes",
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?",
    63,
)

PLACEMENT_OF_USERS = {
    "mode": Field(
        Choice(tuple(Mode)),
        "How clusters stand to each other: all serve; the lowest order serves; the others run "
        "smaller meanwhile, and take users at once, or only once they have grown; or the lowest "
        "order serves until it is full.",
        default="active-active",
    ),
    "orders": Field(
        MapOf(_CLUSTER, Number(0, 1000)),
        "Lower ones get users first, in every mode but active-active.",
        default="0 for each",
    ),
    "full": Field(
        Number(1, 100),
        "In overflow: percent of its capacity at which an order counts as full.",
        default="80",
    ),
    "exclusive": Field(
        Flag(), "Only one order serves at a time, as for a single writer.", default="false"
    ),
    "podCapacity": Field(
        Number(1, _MOST),
        "Requests per second that one ready pod carries; capacity is this times ready pods.",
        default="not known, so not limited",
    ),
    "demand": Field(
        Number(1, _MOST),
        "Requests per second that must be served after the loss of `survive` clouds.",
        default="what edges count",
    ),
    "standby": Field(
        Number(1, 100),
        "In warm-standby and pilot-light: percent of its pods that a cluster of an order above 0 "
        "runs while nobody needs it.",
        default="25",
    ),
    "minimum": Field(
        Number(1, 100),
        "In pilot-light: percent of its pods that are ready before such a cluster gets users.",
        default="50",
    ),
    "priority": Field(
        Number(0, 1000),
        "Who gets the capacity of clusters first that several applications share.",
        default="0",
    ),
}


def check_placement(placement: Read, places: Places) -> None:
    """Check that orders and what is said of them go with a mode that knows orders."""
    mode = placement.get("mode", Mode.ACTIVE_ACTIVE)
    for key in ("orders", "exclusive"):
        if placement.get(key) and mode == Mode.ACTIVE_ACTIVE:
            places.wrong(key, "is for a `mode` with orders, as active-passive")
    _check_standbys(placement, mode, places)
    if "full" in placement and mode != Mode.OVERFLOW:
        places.wrong("full", "is for `mode: overflow` only")


def _check_standbys(placement: Read, mode: object, places: Places) -> None:
    orders = cast("dict[str, int]", placement.get("orders") or {})
    if mode in _STANDBYS and not any(orders.values()):
        places.wrong("mode", f"is {mode}, so `orders` must name a standby, with an order above 0")
    if mode in _STANDBYS and "podCapacity" not in placement:
        places.wrong("mode", f"is {mode}, so `podCapacity` must say how far a standby has to grow")
    if "standby" in placement and mode not in _STANDBYS:
        places.wrong("standby", "is for `mode: warm-standby` and `mode: pilot-light`")
    if "minimum" in placement and mode != Mode.PILOT_LIGHT:
        places.wrong("minimum", "is for `mode: pilot-light` only")


OBJECTIVE = Record(
    {
        "recovery": Field(
            Duration(0.1, 3600),
            "Until users of a lost cloud are served by others; `crossfade failover drill` "
            "measures it.",
            default="nothing is declared",
        ),
        "errorBudget": Field(
            Text("a percentage such as 0.1%", r"(?:100|[0-9]{1,2}(?:\.[0-9]{1,4})?)%", 8),
            "How many of all requests in the time of a drill may fail before it is aborted.",
            default="0.1%",
        ),
    }
)


FAILOVER = Record(
    {
        "auto": Field(
            Flag(),
            "Whether the hub takes clusters out for their health; edges leave a dead one anyway.",
            default="true",
        ),
        "failback": Field(
            Choice(tuple(Failback)),
            "Who lets users come back: they do by steps, a person begins the steps, or a person "
            "brings all back at once.",
            default="ramp",
        ),
        "recover": Field(
            Duration(1, 3600),
            "Health without a break before users come back; doubled with each flap, up to 1h.",
            default="60s",
        ),
        "step": Field(
            Duration(1, 3600),
            "How long each step of a return lasts at least: 1, 5, 25, 50, 100 % of its share.",
            default="60s",
        ),
        "objective": Field(OBJECTIVE, "What is promised of the loss of a cloud."),
    },
)

_FAILOVER_NAMES = {"auto": "auto", "recover": "recover_seconds", "step": "step_seconds"}
_PLACEMENT_NAMES = {
    "full": "full_percent",
    "exclusive": "exclusive",
    "podCapacity": "pod_capacity",
    "demand": "demand",
    "priority": "priority",
    "standby": "standby_percent",
    "minimum": "minimum_percent",
}


def failover(read: Read) -> Failover:
    """Return how users leave and come back."""
    policy = Failback(str(read.get("failback", Failback.RAMP)))
    promised = _objective(part(read, "objective"))
    rest = given(read, _FAILOVER_NAMES)
    return Failover(failback=policy, objective=promised, **rest)  # type: ignore[arg-type]


def _objective(read: Read) -> Objective:
    recovery = cast("float | None", read.get("recovery"))
    budget = str(read.get("errorBudget", f"{Objective().error_budget_percent}%"))
    return Objective(recovery, float(budget.removesuffix("%")))


def users_placed(labels: dict[str, str], read: Read) -> Placement:
    """Return which clusters run the application, and which of them get users first."""
    orders = cast("dict[str, int]", read.get("orders", {}))
    return Placement(
        labels,
        mode=Mode(str(read.get("mode", Mode.ACTIVE_ACTIVE))),
        orders={ClusterName(name): order for name, order in orders.items()},
        **given(read, _PLACEMENT_NAMES),  # type: ignore[arg-type]
    )
