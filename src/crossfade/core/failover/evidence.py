"""
What is true of each cluster, as far as several independent observers agree.  Pure.

One observer that sees a cluster dead may be cut off itself.  So a data plane is down only when
most of all known vantage points say so, whether they can be heard or not.  With a single one,
what the cluster says of itself must agree, and it may not see more than half of the fleet dead.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NewType

from crossfade.base.ids import ClusterName
from crossfade.core.fleet.signals import NO_REQUESTS, Tally, Vote

VantageName = NewType("VantageName", str)
"""An edge, or whoever else sends requests to clusters."""


class Condition(StrEnum):
    """What a cluster's trouble is."""

    HEALTHY = "healthy"
    API_DOWN = "api-down"
    """Its API server is away; users are served."""
    DATA_PLANE_DOWN = "data-plane-down"
    """Users are not served; its API server answers."""
    BOTH_DOWN = "both-down"
    GREY = "grey"
    """A share of requests fails or is slow here, and not elsewhere."""
    UNKNOWN = "unknown"
    """Observers are silent, or do not agree."""


DOWN = frozenset({Condition.DATA_PLANE_DOWN, Condition.BOTH_DOWN})
"""Users are not served."""


class Statement(StrEnum):
    """What a cluster whose data plane is dark has said of itself since then."""

    FINE = "fine"
    """It answers, and its nodes live: what runs there is broken, and not the cloud."""
    LOST = "lost"
    """Its API server went away too, or most of its nodes are dead: it is the cloud."""
    SILENT = "silent"
    """Nothing yet: API server or nodes may have died with it, which takes a while to show."""


@dataclass(frozen=True, slots=True)
class ClusterSignals:
    """All that observers say of one cluster at one moment."""

    cluster: ClusterName
    api: Vote = Vote.UNKNOWN
    edges: Mapping[VantageName, Vote] = field(default_factory=dict)
    """One vote for each known vantage point, UNKNOWN for those that are silent."""
    requests: Mapping[VantageName, Tally] = field(default_factory=dict)
    """How users' requests went lately."""
    ready_pods: int | None = None
    """Of the wanted revision; None when the cluster does not say."""
    ready_nodes: int | None = None

    @property
    def inside(self) -> Vote:
        """What the cluster says of itself: down if it is silent, or has nothing that serves."""
        if self.api is Vote.UP and (self.ready_pods == 0 or self.ready_nodes == 0):
            return Vote.DOWN
        return self.api


@dataclass(frozen=True, slots=True)
class GreyRule:
    """When a share of bad requests is a cluster's own trouble."""

    min_requests: int = 100
    excess: float = 0.02
    """At least this much above the share elsewhere, as a fraction."""
    sigmas: float = 4.0
    """And so many standard errors above it, so that chance is ruled out."""


GREY_RULE = GreyRule()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What follows for the fleet."""

    conditions: Mapping[ClusterName, Condition]
    cut_off: frozenset[VantageName] = frozenset()
    """Vantage points that most others contradict in most of what they see; they have no vote."""

    @property
    def all_look_dead(self) -> bool:
        """Whether no cluster is known to serve, and at least one looks dead."""
        found = self.conditions.values()
        alive = {Condition.HEALTHY, Condition.API_DOWN, Condition.GREY}
        return any(each in DOWN for each in found) and not any(each in alive for each in found)


def weigh(signals: Sequence[ClusterSignals], rule: GreyRule = GREY_RULE) -> Evidence:
    """Return the condition of every cluster."""
    signals = _settle(signals, rule)
    cut_off = _cut_off(signals)
    tallies = [_tally(each, cut_off) for each in signals]
    everywhere = sum(tallies, NO_REQUESTS)
    return Evidence(
        {
            each.cluster: _condition(
                each,
                _data_plane(each, signals, cut_off),
                grey=is_grey(own, everywhere - own, rule),
            )
            for each, own in zip(signals, tallies, strict=True)
        },
        cut_off,
    )


def is_grey(own: Tally, others: Tally, rule: GreyRule = GREY_RULE) -> bool:
    """
    Say whether requests go worse here than elsewhere, beyond chance.

    Source: one-sided two-proportion z-test with the pooled share; what is bad everywhere is the
    application's own trouble, and moving users would not help them.
    """
    if min(own.requests, others.requests) < rule.min_requests:
        return False
    here, there = own.bad / own.requests, others.bad / others.requests
    pooled = (own.bad + others.bad) / (own.requests + others.requests)
    error = math.sqrt(pooled * (1 - pooled) * (1 / own.requests + 1 / others.requests))
    return here - there >= rule.excess and here - there >= rule.sigmas * error


def _settle(signals: Sequence[ClusterSignals], rule: GreyRule) -> list[ClusterSignals]:
    """
    Return the signals with each FAILING made UP or DOWN.

    A cluster is down when requests go worse there than elsewhere, or when there is nothing to
    compare with.  Otherwise they fail everywhere: it is the application, on clusters that serve.
    """
    tallies = [_tally(each, frozenset()) for each in signals]
    everywhere = sum(tallies, NO_REQUESTS)
    settled = []
    for each, own in zip(signals, tallies, strict=True):
        others = everywhere - own
        alone = others.requests < rule.min_requests
        said = Vote.DOWN if alone or is_grey(own, others, rule) else Vote.UP
        edges = {n: said if vote is Vote.FAILING else vote for n, vote in each.edges.items()}
        settled.append(replace(each, edges=edges))
    return settled


def _condition(signals: ClusterSignals, data_plane: Vote, *, grey: bool) -> Condition:
    api_down = signals.api is Vote.DOWN
    match data_plane:
        case Vote.DOWN:
            return Condition.BOTH_DOWN if api_down else Condition.DATA_PLANE_DOWN
        case Vote.UP if grey:
            return Condition.GREY
        case Vote.UP:
            return Condition.API_DOWN if api_down else Condition.HEALTHY
        case _:
            return Condition.UNKNOWN


def _data_plane(
    signals: ClusterSignals, fleet: Sequence[ClusterSignals], cut_off: frozenset[VantageName]
) -> Vote:
    known = len(signals.edges)
    if known == 0:  # nobody is sent there, so there is nothing but its API server to be down
        return Vote.UNKNOWN if signals.api is Vote.UNKNOWN else Vote.UP
    votes = [vote for name, vote in signals.edges.items() if name not in cut_off]
    if known == 1:
        return _single(signals, fleet)
    for answer in (Vote.DOWN, Vote.UP):
        if 2 * votes.count(answer) > known:
            return answer
    return Vote.UNKNOWN


def _single(signals: ClusterSignals, fleet: Sequence[ClusterSignals]) -> Vote:
    """Return the only vantage point's vote; to call a cluster down it needs a second opinion."""
    (name, said), *_ = signals.edges.items()
    if said is not Vote.DOWN:
        return said
    dead = sum(each.edges.get(name) is Vote.DOWN for each in fleet)
    agreed = signals.inside is Vote.DOWN and 2 * dead <= len(fleet)
    return Vote.DOWN if agreed else Vote.UNKNOWN


def _cut_off(signals: Sequence[ClusterSignals]) -> frozenset[VantageName]:
    """Return who calls more than half of the fleet down while most others call it up."""
    names = {name for each in signals for name in each.edges}
    return frozenset(
        name
        for name in names
        if len(names) > 1 and 2 * sum(_contradicted(each, name) for each in signals) > len(signals)
    )


def _contradicted(signals: ClusterSignals, name: VantageName) -> bool:
    if signals.edges.get(name) is not Vote.DOWN:
        return False
    others = [vote for other, vote in signals.edges.items() if other != name]
    return 2 * others.count(Vote.UP) > len(others)


def _tally(signals: ClusterSignals, cut_off: frozenset[VantageName] = frozenset()) -> Tally:
    seen = (tally for name, tally in signals.requests.items() if name not in cut_off)
    return sum(seen, NO_REQUESTS)
