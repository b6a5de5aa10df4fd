"""
What is known of the nodes of a cluster, look by look: which are gone, and which have lived.  Pure.

An API server calls nodes ready for 40 s or more after they have died.  Their kubelets renew a
lease every 10 s: one that was renewed between two looks proves that its node lived after the first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

SILENT_SECONDS = 30.0
"""Without a sign of life for so long, three renewals of a lease, a node is taken for dead."""
TRUSTED_SECONDS = 60.0
"""Where signs of life cannot be read, a node that is called ready lived so long before."""
REMEMBERED_SECONDS = 60.0
"""Nodes that were removed so lately may have died together with what runs there."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node, as its API server shows it."""

    name: str
    ready: bool
    sign: str = ""
    """Changes with each sign of life; "" where none can be read."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What is remembered of one node."""

    node: Node
    changed_at: float
    """When its sign of life was seen to change last, or it was first seen."""
    lived_at: float = -math.inf
    """It is proven to have lived after this moment."""
    removed_at: float | None = None
    """Since when the API server knows it no more."""

    def is_dead(self, looked_at: float) -> bool:
        """Say whether it was removed, is called not ready, or has been silent for too long."""
        silent = bool(self.node.sign) and looked_at - self.changed_at > SILENT_SECONDS
        return silent or not self.node.ready or self.removed_at is not None


@dataclass(frozen=True, slots=True)
class Nodes:
    """All nodes at the newest look; without any where there are none, or they may not be seen."""

    looked_at: float
    pulses: tuple[Pulse, ...] = ()

    @property
    def ready(self) -> int:
        """How many may be expected to live."""
        return sum(not each.is_dead(self.looked_at) for each in self.pulses)

    @property
    def count(self) -> int:
        """How many there are; while there are none, how many there were."""
        there = [each for each in self.pulses if each.removed_at is None]
        return len(there or self.pulses)

    @property
    def mostly_dead(self) -> bool:
        """Whether more than half of those are dead that there are, or were until lately."""
        return 2 * self.ready < len(self.pulses)

    def lived_after(self, moment: float) -> bool:
        """Say whether half of them are proven to have lived after the moment."""
        lived = sum(
            each.lived_at >= moment and not each.is_dead(self.looked_at) for each in self.pulses
        )
        return 2 * lived >= len(self.pulses)


def seen(before: Nodes | None, found: Sequence[Node], now: float, *, dark: bool) -> Nodes:
    """
    Return what is known after one more look.

    Args:
        before: what was known, None before the first look.
        found: the nodes as the API server shows them.
        now: when it was asked.
        dark: users are not served there; who was removed is then remembered until they are.
    """
    known = {each.node.name: each for each in before.pulses} if before else {}
    pulses = [_felt(known.get(each.name), each, before, now) for each in found]
    names = {each.name for each in found}
    for name, each in known.items():
        removed_at = now if each.removed_at is None else each.removed_at
        if name not in names and (dark or now - removed_at <= REMEMBERED_SECONDS):
            pulses.append(replace(each, removed_at=removed_at))
    return Nodes(now, tuple(pulses))


def _felt(known: Pulse | None, node: Node, before: Nodes | None, now: float) -> Pulse:
    if not node.sign:
        return Pulse(node, now, now - TRUSTED_SECONDS if node.ready else -math.inf)
    if known is None or before is None:
        return Pulse(node, now)
    if node.sign == known.node.sign:
        return replace(known, node=node, removed_at=None)
    # The sign may have come right after the look before.
    return Pulse(node, now, before.looked_at)
