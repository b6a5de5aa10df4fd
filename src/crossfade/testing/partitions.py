"""
Networks that are cut in ways that are no cloud's fault: a world for the rules of failover.

One seed is one story.  Clusters serve all the time; edges, the hub and API servers lose sight of
each other.  Any move of users is a false one.  `real_losses` tells the same stories with a
cluster that really dies, so that somebody who never moves anybody is found out as well.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from crossfade.base.ids import ClusterName
from crossfade.core.failover.decide import Action, Fleet, Wishes, decide
from crossfade.core.failover.evidence import ClusterSignals, VantageName, weigh
from crossfade.core.failover.standing import Presence
from crossfade.core.fleet.signals import Sample, Sighting, Thresholds, Vote, see, see_api, vote

API_SECONDS = 5
"""How often the hub asks an API server; edges probe once a second."""
REPORT_SECONDS = 16.0
"""For how long the hub trusts what it last heard of an API server: three probes."""
_BEFORE_SECONDS, _LONGEST_SECONDS, _AFTER_SECONDS = 8, 60, 12
_LOST_PROBES = 0.01
"""A probe in a hundred is lost for no reason."""


class Cut(StrEnum):
    """What is cut off from what."""

    VANTAGE = "one vantage point"
    """An edge, from some clusters or all of them."""
    HUB = "the hub"
    """The hub, from some API servers and some edges."""
    API = "API servers"
    """Some API servers, from everybody."""
    INSIDE = "control planes"
    """Some control planes, from their own nodes: they say that nothing is ready there."""


@dataclass(frozen=True, slots=True)
class Story:
    """What happens in one world."""

    seed: int
    cut: Cut
    clusters: tuple[ClusterName, ...]
    edges: tuple[VantageName, ...]
    begin: int
    end: int
    unseen: frozenset[ClusterName]
    """Clusters behind the cut: data planes for an edge, API servers for the hub or for all."""
    mute: frozenset[VantageName] = frozenset()
    """Edges that the hub does not hear."""
    cut_edge: VantageName | None = None
    wavering: float = 0.0
    """Part of the seconds in which the cut is mended for a moment."""
    dead: ClusterName | None = None
    """A cluster that really dies when the cut begins."""

    def __str__(self) -> str:
        what = f"{self.cut} of {len(self.edges)}, {len(self.clusters)} clusters"
        unseen = ", ".join(sorted(self.unseen)) or "nothing"
        return f"seed {self.seed}: {what}; {unseen} unseen from {self.begin} s to {self.end} s"


@dataclass(frozen=True, slots=True)
class Move:
    """Users who were moved."""

    at: int
    cluster: ClusterName
    reason: str


@dataclass(slots=True)
class _World:
    story: Story
    random: random.Random
    limits: Thresholds = field(default_factory=Thresholds)
    edges: dict[tuple[VantageName, ClusterName], Sighting] = field(default_factory=dict)
    apis: dict[ClusterName, Sighting] = field(default_factory=dict)
    blind: bool = False
    """Control planes that are cut off from their nodes say that nothing is ready."""

    def look(self, now: int) -> None:
        """Let everybody see what they can."""
        story = self.story
        during = story.begin <= now < story.end and self.random.random() >= story.wavering
        self.blind = during and story.cut is Cut.INSIDE
        for edge in story.edges:
            if during and edge in story.mute:
                continue
            for cluster in story.clusters:
                hidden = during and edge == story.cut_edge and cluster in story.unseen
                self._probe(edge, cluster, now, hidden=hidden)
        if now % API_SECONDS == 0:
            for cluster in story.clusters:
                hidden = during and story.cut in {Cut.HUB, Cut.API} and cluster in story.unseen
                good = not hidden and not self._dead(cluster, now) and self._lucky()
                seen = self.apis.get(cluster, Sighting())
                self.apis[cluster] = see_api(seen, good=good, now=float(now), limits=self.limits)

    def signals(self, now: int) -> Iterator[ClusterSignals]:
        """Return what the hub knows."""
        for cluster in self.story.clusters:
            votes: dict[VantageName, Vote] = {
                edge: vote(self.edges.get((edge, cluster)), now, self.limits.silent_seconds)
                for edge in self.story.edges
            }
            api = vote(self.apis.get(cluster), now, REPORT_SECONDS)
            none = self.blind and cluster in self.story.unseen
            yield ClusterSignals(
                cluster, api, votes, ready_pods=0 if none else 3, ready_nodes=0 if none else 2
            )

    def _probe(self, edge: VantageName, cluster: ClusterName, now: int, *, hidden: bool) -> None:
        good = not hidden and not self._dead(cluster, now) and self._lucky()
        requests = 10
        sample = Sample(probe=good, requests=requests, failed=0 if good else requests)
        seen = self.edges.get((edge, cluster), Sighting())
        self.edges[edge, cluster] = see(seen, sample, float(now), self.limits)

    def _dead(self, cluster: ClusterName, now: int) -> bool:
        return cluster == self.story.dead and now >= self.story.begin

    def _lucky(self) -> bool:
        return self.random.random() >= _LOST_PROBES


def story(seed: int, cut: Cut) -> Story:
    """Return the story of a seed; the same one each time."""
    draw = random.Random(f"{cut}/{seed}")  # noqa: S311 - a story, no secret
    clusters = tuple(ClusterName(f"cloud-{n}") for n in range(draw.randint(2, 5)))
    edges = tuple(VantageName(f"edge-{n}") for n in range(draw.randint(1, 5)))
    unseen = frozenset(draw.sample(clusters, draw.randint(1, len(clusters))))
    begin = _BEFORE_SECONDS + draw.randrange(API_SECONDS)
    mute = frozenset(draw.sample(edges, draw.randint(0, len(edges)))) if cut is Cut.HUB else None
    return Story(
        seed=seed,
        cut=cut,
        clusters=clusters,
        edges=edges,
        begin=begin,
        end=begin + draw.randint(1, _LONGEST_SECONDS),
        unseen=unseen,
        mute=mute or frozenset(),
        cut_edge=draw.choice(edges) if cut is Cut.VANTAGE else None,
        wavering=draw.choice([0.0, 0.0, 0.1, 0.5]),
    )


def false_moves(told: Story) -> tuple[Move, ...]:
    """Return every move of users in a story in which no cloud has failed; there should be none."""
    return tuple(_moves(told))


def real_loss(seed: int) -> tuple[Story, Move | None]:
    """Return a story in which a cloud dies, with the first move of its users, None if none."""
    told = story(seed, Cut.API)
    told = replace(
        told, unseen=frozenset(), dead=told.clusters[0], end=told.begin + _LONGEST_SECONDS
    )
    return told, next((move for move in _moves(told) if move.cluster == told.dead), None)


def _moves(told: Story) -> Iterator[Move]:
    world = _World(told, random.Random(told.seed))  # noqa: S311 - a story, no secret
    fleet = Fleet({name: Presence(name) for name in told.clusters})
    for now in range(told.end + _AFTER_SECONDS):
        world.look(now)
        evidence = weigh(tuple(world.signals(now)))
        fleet, decisions = decide(fleet, evidence, Wishes(), float(now))
        for each in decisions:
            if each.action is Action.MOVE:
                yield Move(now, each.cluster, each.reason)
