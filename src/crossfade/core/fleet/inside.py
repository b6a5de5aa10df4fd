"""
What a cluster says of itself: its nodes, and the pods of what it should run.  Pure.

It is a second opinion, and one for people.  Users never leave by it alone: a control plane that
has lost sight of its nodes calls all of them dead while they serve.
"""

from dataclasses import dataclass

from crossfade.core.fleet.nodes import Nodes
from crossfade.core.fleet.signals import Vote


@dataclass(frozen=True, slots=True)
class Word:
    """What follows from it; `detail` is "" while all is well."""

    vote: Vote
    detail: str = ""


def of_nodes(nodes: Nodes | None) -> Word:
    """Return what nodes say; nothing where there are none, as in clusters without servers."""
    if nodes is None or nodes.count == 0:
        return Word(Vote.UNKNOWN)
    said = f"{nodes.ready} of {nodes.count} nodes are ready"
    if nodes.ready == 0:
        return Word(Vote.DOWN, said)
    return Word(Vote.FAILING, said) if 2 * nodes.ready < nodes.count else Word(Vote.UP)


def of_pods(ready: int | None) -> Word:
    """Return what pods of the wanted revisions say; None when there should be none."""
    if ready is None:
        return Word(Vote.UNKNOWN)
    if ready == 0:
        return Word(Vote.DOWN, "no pod of what it should run is ready")
    return Word(Vote.UP)
