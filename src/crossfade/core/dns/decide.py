"""
What to publish next under one name.  Pure.

DNS only leads users away from sites that are gone: every fit address is an answer, all weigh the
same, and no canary's share is ever in them (resolvers keep answers, and share them as they like).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.core.dns.record import Published

MOST_CHANGES = 4
"""Changes of one name in a minute.  More is a site that flaps, or an observer that is wrong."""
MOST_REMOVED_PERCENT = 34
"""Of a name's addresses in a minute, and always one: the rest must carry the users."""
WINDOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What is known of the sites behind a name."""

    owner: str
    """Who we are."""
    ttl_seconds: int
    fit: tuple[str, ...]
    """Addresses that may have users, by the plan of all edges."""
    reachable: frozenset[str]
    """Of these, those that answered somebody just now."""
    silent: Mapping[str, str] = field(default_factory=dict)
    """Why the others that were asked did not."""


@dataclass(frozen=True, slots=True)
class Past:
    """What was done to the name lately, the oldest first."""

    changes: tuple[float, ...] = ()
    """When it was changed."""
    removals: tuple[float, ...] = ()
    """When addresses were removed, one time for each address."""

    def since(self, start: float) -> "Past":
        """Return what was done after `start`."""
        return Past(
            tuple(at for at in self.changes if at > start),
            tuple(at for at in self.removals if at > start),
        )

    def after(self, zone: Published, want: Published, now: float) -> "Past":
        """Return what will have been done once the zone says `want`."""
        recent = self.since(now - WINDOW_SECONDS)
        removed = frozenset(zone.addresses) - frozenset(want.addresses)
        return Past((*recent.changes, now), (*recent.removals, *(now for _ in removed)))


@dataclass(frozen=True, slots=True)
class Decision:
    """What the zone should say; `reason` is for people."""

    want: Published
    reason: str
    refused: bool = False
    """Whether the reason is one that a person must do something about."""


def decide(wish: Wish, zone: Published, past: Past, now: float) -> Decision:
    """Return what to publish; `zone` itself when nothing is to be changed."""
    if zone.owner and zone.owner != wish.owner:
        return Decision(zone, f"the name belongs to `{zone.owner}`", refused=True)
    if zone.addresses and not zone.owner:
        why = "the name has addresses that nobody of us has published; delete them to hand it over"
        return Decision(zone, why, refused=True)
    there = frozenset(zone.addresses)
    addresses = tuple(sorted(a for a in wish.fit if a in there or a in wish.reachable))
    if not addresses:
        if there:
            return Decision(zone, "no address is fit, so the last answers stay")
        return Decision(zone, "; ".join(("no address is fit yet", *_answering_nobody(wish, there))))
    recent = past.since(now - WINDOW_SECONDS)
    staying = _staying(there - frozenset(addresses), len(there), recent)
    want = Published(tuple(sorted((*addresses, *staying))), wish.ttl_seconds, wish.owner)
    later = f"; {', '.join(staying)} stays until a minute after the last removal" if staying else ""
    if want == zone:
        return Decision(zone, _waiting(wish, there) + later)
    if len(recent.changes) >= MOST_CHANGES:
        seconds = round(WINDOW_SECONDS - (now - recent.changes[-MOST_CHANGES]))
        return Decision(zone, f"{MOST_CHANGES} changes within a minute: the next in {seconds}s")
    return Decision(want, _difference(zone, want) + later)


def _staying(leaving: frozenset[str], there: int, recent: Past) -> tuple[str, ...]:
    """Return the addresses that must not be removed yet: it would be too many at once."""
    removed = len(recent.removals)
    allowed = max(1, (there + removed) * MOST_REMOVED_PERCENT // 100) - removed
    return tuple(sorted(leaving)[max(0, allowed) :])


def _waiting(wish: Wish, there: frozenset[str]) -> str:
    return "; ".join(("in place", *_answering_nobody(wish, there)))


def _answering_nobody(wish: Wish, there: frozenset[str]) -> list[str]:
    """Return what is to be told of each address that is not published because of its silence."""
    found = []
    for address in sorted(frozenset(wish.fit) - wish.reachable - there):
        why = f" ({wish.silent[address]})" if wish.silent.get(address) else ""
        found.append(f"{address} answers nobody and is not published{why}")
    return found


def _difference(zone: Published, want: Published) -> str:
    before, after = frozenset(zone.addresses), frozenset(want.addresses)
    parts = [f"add {address}" for address in sorted(after - before)]
    parts += [f"remove {address}" for address in sorted(before - after)]
    if before and zone.ttl_seconds != want.ttl_seconds:
        parts.append(f"TTL {zone.ttl_seconds}s to {want.ttl_seconds}s")
    return ", ".join(parts) or "say whose it is"
