"""An application as it is remembered: its file, what runs, what is kept, and what is wanted."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from crossfade.base.ids import NO_EPOCH, ClusterName, Epoch, RevisionId
from crossfade.core.application import Application, Values
from crossfade.core.release.revision import Revision
from crossfade.core.release.wanted import NOTHING, Rolled, Wanted, change
from crossfade.core.rollout.spec import Strategy
from crossfade.core.rollout.state import (
    ClusterPhase,
    Decision,
    Outcome,
    Phase,
    Progress,
    Rollout,
)
from crossfade.core.traffic.split import HeaderRoute, Mirror, Split

HISTORY = 10
"""How many revisions are remembered for `undo --to`."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A revision that still runs without users, so that they can be swapped back at once."""

    revision: Revision
    until: float | None
    """None: for ever."""

    def at(self, now: float) -> bool:
        """Say whether it is still to be kept."""
        return self.until is None or self.until > now


@dataclass(frozen=True, slots=True)
class SharedChart:
    """A chart that is there once in each cluster, as the newest deployment wants it."""

    name: str
    """Of its Helm release."""
    chart_digest: str
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is remembered of one application."""

    spec: Application
    active: Revision | None = None
    """The stable revision: it serves all users when no rollout is under way."""
    kept: tuple[Kept, ...] = ()
    """Newest first."""
    history: tuple[Revision, ...] = ()
    """Revisions that were promoted, newest first."""
    pinned: Mapping[ClusterName, RevisionId] = field(default_factory=dict)
    """Clusters that stay on another revision: the active one was taken back there alone."""
    revisions: tuple[Revision, ...] = ()
    """All that is to be installed anywhere."""
    shared: tuple[SharedChart, ...] = ()
    """Upgraded in place before a revision is installed."""
    wanted: Mapping[ClusterName, Wanted] = field(default_factory=dict)
    epoch: Epoch = NO_EPOCH
    """The highest epoch of all clusters."""
    rollout: int = 0
    """Number of the newest rollout, 0 before the first."""

    @property
    def serves(self) -> bool:
        """Whether any cluster should have users."""
        return any(each.split.shares for each in self.wanted.values())

    def at(self, cluster: ClusterName) -> Wanted:
        """Return what the cluster should run; nothing when it has just come into the fleet."""
        return self.wanted.get(cluster, NOTHING)

    def known(self, revision: RevisionId) -> Revision | None:
        """Return the remembered revision of this id, or None."""
        kept = (each.revision for each in self.kept)
        candidates = (*self.revisions, self.active, *kept, *self.history)
        return next((each for each in candidates if each and each.id == revision), None)

    def proven_lately(self, revision: RevisionId, now: float) -> bool:
        """Say whether users may be given to a revision at once: it served them not long ago."""
        if any(each.revision.id == revision and each.at(now) for each in self.kept):
            return True
        window = self.history[1 : 1 + self.spec.strategy.revision_window]
        return any(each.id == revision for each in window)


def advance(
    record: Record,
    rollout: Rollout,
    decision: Decision,
    clusters: Collection[ClusterName],
    now: float,
) -> tuple[Record, Rollout]:
    """Return record and rollout as they are to be saved after the decision."""
    state = replace(decision.want, reason=decision.reason)
    rollout = replace(rollout, state=state)
    if state.outcome is Outcome.SUCCEEDED and record.active != rollout.canary:
        record = _promoted(record, rollout, now)
    return with_wanted(record, rollout, clusters, now), rollout


def with_wanted(
    record: Record, rollout: Rollout | None, clusters: Collection[ClusterName], now: float
) -> Record:
    """
    Return the record with what each of the clusters should run now.

    Revisions that are kept longer than agreed are left out, and so removed.  What clusters
    that are no longer the application's should run is forgotten.
    """
    moving = rollout if rollout is not None and rollout.active else None
    epoch = Epoch(record.epoch + 1)
    wanted = {
        cluster: change(record.at(cluster), _wanted(record, moving, cluster, now), epoch, now)
        for cluster in sorted(clusters)
    }
    needed = {revision for each in wanted.values() for revision in each.revisions}
    needed |= {each.rolled.revision for each in wanted.values() if each.rolled}
    candidates = {each.id: each for each in _candidates(record, moving)}
    revisions = tuple(candidates[each] for each in sorted(needed))
    changed = any(each.epoch == epoch for each in wanted.values())
    return replace(
        record, wanted=wanted, revisions=revisions, epoch=epoch if changed else record.epoch
    )


def renewed(record: Record, now: float) -> Record:
    """Return the record with new epochs: every cluster must confirm its route anew."""
    epoch = Epoch(record.epoch + 1)
    wanted = {
        name: replace(each, epoch=epoch, previous=each.epoch, since=now)
        for name, each in record.wanted.items()
    }
    return replace(record, wanted=wanted, epoch=epoch)


def _candidates(record: Record, rollout: Rollout | None) -> list[Revision]:
    found = [*record.history, *record.revisions, *(each.revision for each in record.kept)]
    found += [record.active] if record.active else []
    if rollout is not None:
        found += [rollout.canary, *([rollout.stable] if rollout.stable else [])]
    return found


def _promoted(record: Record, rollout: Rollout, now: float) -> Record:
    canary, stable = rollout.canary, rollout.stable
    older = tuple(k for k in record.kept if k.revision.id != canary.id and k.at(now))
    kept = (*_keep(stable, rollout.strategy, now), *older)[: rollout.strategy.keep_limit]
    past = (each for each in record.history if each.id != canary.id)
    history = (canary, *past)[:HISTORY]
    pinned = dict(record.pinned)
    for name, each in rollout.state.clusters.items():
        if each.phase is ClusterPhase.DONE:
            pinned.pop(name, None)
        elif each.phase is ClusterPhase.BACK and stable is not None:
            pinned.setdefault(name, stable.id)
    return replace(record, active=canary, kept=kept, history=history, pinned=pinned)


def _keep(stable: Revision | None, strategy: Strategy, now: float) -> tuple[Kept, ...]:
    seconds = strategy.keep_old_seconds
    if stable is None or seconds == 0:
        return ()
    return (Kept(stable, None if seconds is None else now + seconds),)


def _wanted(record: Record, rollout: Rollout | None, cluster: ClusterName, now: float) -> Wanted:
    """Return what the cluster should run, without an epoch."""
    base = record.pinned.get(cluster) or (record.active.id if record.active else None)
    kept = [each.revision.id for each in record.kept if each.at(now)]
    if record.spec.route is None:
        return _pods(record, rollout, cluster, base, kept)
    if rollout is None:
        shares = {} if base is None else {base: 100.0}
        return _of(Split(shares), [base, *kept])
    progress = rollout.state.clusters.get(cluster, Progress())
    canary, percent = rollout.canary.id, progress.percent
    runs = progress.phase not in {ClusterPhase.WAITING, ClusterPhase.BACK}
    if rollout.state.phase is Phase.ROLLING_BACK or not runs:
        return _of(Split({} if base is None else {base: 100.0}), [base, *kept])
    if base == canary:
        return _of(Split({canary: 100.0}), [canary, *kept])
    split = _split(rollout, progress, base)
    scale = {canary: progress.scale} if progress.scale < 100 and percent < 100 else {}
    return _of(split, [base, canary, *kept], scale)


def _pods(
    record: Record,
    rollout: Rollout | None,
    cluster: ClusterName,
    base: RevisionId | None,
    kept: list[RevisionId],
) -> Wanted:
    """Return what the cluster runs of an application without users: shares are pods."""
    progress = rollout.state.clusters.get(cluster, Progress()) if rollout else Progress()
    moving = rollout is not None and rollout.state.phase is not Phase.ROLLING_BACK
    runs = moving and progress.phase not in {ClusterPhase.WAITING, ClusterPhase.BACK}
    canary = rollout.canary.id if rollout is not None and runs else None
    if record.spec.strategy.in_place:
        if canary is not None:
            return Wanted(rolled=Rolled(canary, round(progress.percent)))
        return Wanted(rolled=Rolled(base, 100) if base else None)
    idle = dict.fromkeys(kept, 0)
    if canary is None or canary == base:
        return _of(Split(), [base, *kept], {**idle, **({base: 100} if base else {})})
    # Pods of the new revision are there before those of the old one go.
    scale = {**idle, canary: max(progress.scale, math.ceil(progress.percent))}
    if base is not None:
        scale[base] = 100 - math.floor(progress.percent)
    return _of(Split(), [base, canary, *kept], scale)


def _split(rollout: Rollout, progress: Progress, base: RevisionId | None) -> Split:
    canary, percent = rollout.canary.id, progress.percent
    shares = {} if base is None else {base: round(100 - percent, 2)}
    if percent > 0:
        shares[canary] = percent
    both = 0 < percent < 100 and base is not None
    return Split(
        shares={revision: share for revision, share in shares.items() if share > 0},
        headers=tuple(HeaderRoute(h.name, h.matches, canary) for h in progress.headers),
        mirror=Mirror(canary, progress.mirror) if progress.mirror else None,
        sticky=rollout.strategy.sticky if both else None,
    )


def _of(
    split: Split,
    revisions: list[RevisionId | None] | list[RevisionId],
    scale: Mapping[RevisionId, int] | None = None,
) -> Wanted:
    unique = tuple(dict.fromkeys(each for each in revisions if each is not None))
    return Wanted(split=split, revisions=unique, scale=scale or {})


def next_expiry(record: Record, now: float) -> float | None:
    """Return the seconds until the next kept revision is due, None when none is."""
    left = [kept.until - now for kept in record.kept if kept.until is not None]
    return min((each for each in left if each > 0), default=None)
