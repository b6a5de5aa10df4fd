"""How far a rolling update may go now.  Pure: numbers of replicas in, numbers out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Replicas:
    """One ReplicaSet of a Deployment, as numbers."""

    name: str
    wanted: int
    reported: int
    """Available ones as its status says: the last report, which may be older than `wanted`."""

    @property
    def available(self) -> int:
        """Available ones at most: of those that are not wanted any more, none counts."""
        return min(self.reported, self.wanted)


@dataclass(frozen=True, slots=True)
class Room:
    """How far a Deployment may leave its wanted size while it rolls."""

    replicas: int
    surge: int
    unavailable: int

    @property
    def most(self) -> int:
        """Most Pods at any time."""
        return self.replicas + self.surge

    @property
    def least(self) -> int:
        """Least available Pods at any time."""
        return self.replicas - self.unavailable


def room(replicas: int, max_surge: int | str, max_unavailable: int | str) -> Room:
    """Return the room in Pods; percentages of surge round up, of unavailability down."""
    surge = _share(max_surge, replicas, up=True)
    unavailable = _share(max_unavailable, replicas, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1  # else nothing could ever move
    return Room(replicas, surge, min(unavailable, replicas))


def _share(value: int | str, of: int, *, up: bool) -> int:
    if isinstance(value, str) and value.endswith("%"):
        exact = of * int(value[:-1]) / 100
        return math.ceil(exact) if up else math.floor(exact)
    return int(value)


def grow(new: Replicas, old: Sequence[Replicas], limits: Room) -> int:
    """Return how many replicas the new ReplicaSet should have now."""
    if new.wanted >= limits.replicas:
        return limits.replicas
    total = new.wanted + sum(one.wanted for one in old)
    if total >= limits.most:
        return new.wanted
    return min(new.wanted + limits.most - total, limits.replicas)


def shrink(new: Replicas, old: Sequence[Replicas], limits: Room) -> dict[str, int]:
    """
    Return how many replicas each old ReplicaSet (oldest first) should have now.

    Replicas that do not serve anyway go first; serving ones as the new ones become available.
    """
    total = new.wanted + sum(one.wanted for one in old)
    spare = total - limits.least - max(0, new.wanted - new.available)
    if spare <= 0:
        return {one.name: one.wanted for one in old}
    cleaned = _without_unhealthy(old, spare)
    available = new.available + sum(one.available for one in cleaned)
    surplus = available - limits.least
    result = {}
    for one in cleaned:
        less = min(one.wanted, max(0, surplus))
        surplus -= less
        result[one.name] = one.wanted - less
    return result


def _without_unhealthy(old: Sequence[Replicas], spare: int) -> list[Replicas]:
    result = []
    for one in old:
        less = min(spare, max(0, one.wanted - one.available))
        spare -= less
        result.append(replace(one, wanted=one.wanted - less))
    return result


def proportional(sets: Sequence[Replicas], before: int, limits: Room) -> dict[str, int]:
    """
    Return the sizes after the Deployment was scaled from `before` most Pods during a rollout.

    Each ReplicaSet gets its share of the difference, the biggest one the remainder.
    """
    active = [one for one in sets if one.wanted]
    result = {one.name: one.wanted for one in active}
    difference = limits.most - sum(result.values()) if limits.replicas else -sum(result.values())
    left = difference
    for one in sorted(active, key=lambda each: (-each.wanted, each.name)):
        share = round(one.wanted * limits.most / max(1, before)) - one.wanted
        share = max(left, min(0, share)) if difference < 0 else min(left, max(0, share))
        share = max(share, -one.wanted)
        result[one.name] += share
        left -= share
    if active:
        result[max(active, key=lambda each: (each.wanted, each.name)).name] += left
    return result
