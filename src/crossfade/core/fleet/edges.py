"""Which edges there are, and which plan each has in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

GONE_SECONDS = 3.0
"""An edge that is not connected for so long is gone; after a hub's restart it is back sooner."""
FORGOTTEN_SECONDS = 300.0
"""An edge that is gone, or has not reported, for so long was taken down."""
KEPT_SECONDS = 10.0
"""For so long a report is kept for loops of the hub that were busy when it came."""


@dataclass(frozen=True, slots=True)
class EdgeState:
    """One edge as the hub knows it."""

    edge: str
    plan: int
    """Number of the newest plan that is wholly in force there; 0 for none."""
    refused: str = ""
    """The edge's own words when it refused the newest plan."""
    gone_since: float | None = None
    """Since when it is not connected; None while it is."""


@dataclass(frozen=True, slots=True)
class EdgeStates:
    """All edges, by name."""

    edges: tuple[EdgeState, ...] = ()


@dataclass(frozen=True, slots=True)
class EdgeView:
    """The edges at one moment."""

    plan: int
    """Number of the newest plan, 0 before the first."""
    edges: tuple[EdgeState, ...]
    """By name."""
    at: float
    """When that was, on the clock by which edges are gone."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of edges right now."""

    now: float
    connected: tuple[EdgeState, ...]
    seen_at: Mapping[str, float] = field(default_factory=dict)
    """When each was connected last."""


def after(before: EdgeStates, look: Look) -> EdgeStates:
    """Return the edges after one more look: who is gone stays for `FORGOTTEN_SECONDS`."""
    found = {each.edge: each for each in look.connected}
    for known in before.edges:
        if known.edge in found:
            continue
        since = known.gone_since
        seen_at = look.seen_at.get(known.edge, look.now)
        if since is None and look.now - seen_at >= GONE_SECONDS:
            since = seen_at
        if since is None or look.now - since < FORGOTTEN_SECONDS:
            found[known.edge] = replace(known, gone_since=since)
    return EdgeStates(tuple(found[name] for name in sorted(found)))


def news(before: EdgeStates, now: EdgeStates) -> tuple[tuple[str, str], ...]:
    """Return what people should hear of: edge, and what has happened to it."""
    known = {each.edge: each for each in before.edges}
    heard = []
    for each in now.edges:
        earlier = known.get(each.edge)
        if earlier is None or (earlier.gone_since is not None and each.gone_since is None):
            heard.append((each.edge, "the edge is connected"))
        elif earlier.gone_since is None and each.gone_since is not None:
            heard.append((each.edge, "the edge is gone; its users are served while it lives"))
        if each.refused and (earlier is None or earlier.refused != each.refused):
            heard.append((each.edge, f"the edge keeps plan {each.plan}: {each.refused}"))
    return tuple(heard)
