"""
Whether a revision gets along with all that could serve beside it.  Pure.

Asked once, before a rollout begins.  From then on every revision that any cluster could serve
reads what every other one writes, so that a failover may send users to any of them.  A cluster
that cannot be reached is taken to serve still whatever it could when it was last seen.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from crossfade.base.errors import UnsafePlan
from crossfade.base.ids import ClusterName, RevisionId
from crossfade.core.release.data import quarrel
from crossfade.core.release.report import Report
from crossfade.core.release.revision import Revision
from crossfade.core.release.wanted import Wanted
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.state import Rollout

_NAMED = 3
"""Revisions that a message tells of; the others are counted."""


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster of the application, as it was last seen."""

    cluster: ClusterName
    reachable: bool
    report: Report | None = None


@dataclass(frozen=True, slots=True)
class Misfit:
    """A revision that could serve, and does not get along with the new one."""

    revision: RevisionId
    why: str
    serves: tuple[ClusterName, ...] = ()
    """Clusters that answer, and may give it users."""
    away: tuple[ClusterName, ...] = ()
    """Clusters that cannot be reached, and may give it users still."""
    kept: tuple[ClusterName, ...] = ()
    """Clusters that only keep it running, for `undo`."""
    one_too_many: bool = False
    """It stands against the new one only by being there: too many versions would have users."""

    @property
    def summary(self) -> str:
        """In words, for people."""
        where = []
        if self.serves:
            where.append(f"may still serve on {', '.join(self.serves)}")
        if self.away:
            where.append(f"may still serve on {', '.join(self.away)}, which cannot be reached")
        if self.kept:
            where.append(f"is kept for `undo` on {', '.join(self.kept)}")
        return f"{self.revision} {self.why}, and {'; it '.join(where)}"


def misfits(
    record: Record,
    revision: Revision,
    places: Sequence[Place],
    known: Mapping[RevisionId, Revision],
    now: float,
) -> tuple[Misfit, ...]:
    """
    Return the revisions that stand against `revision`, by name.

    Their data do not get along with its own, or too many versions would have users at once.

    Args:
        record: the application.
        revision: what is to be brought out.
        places: all its clusters.
        known: revisions by id; one that nobody knows gets along with none that declares its data.
        now: to tell which revisions are still kept.
    """
    kept = {each.revision.id for each in record.kept if each.at(now)}
    serving = {each.cluster: frozenset(_could_serve(record, each)) for each in places}
    surplus, crowd = _surplus(record, revision, frozenset[RevisionId]().union(*serving.values()))
    found = []
    for other in sorted(kept.union(*serving.values()) - {revision.id}):
        quarrelled = _quarrel(known.get(other), revision)
        why = quarrelled or (crowd if other in surplus else "")
        if not why:
            continue
        on = [each for each in places if other in serving[each.cluster]]
        found.append(
            Misfit(
                other,
                why,
                tuple(each.cluster for each in on if each.reachable),
                tuple(each.cluster for each in on if not each.reachable),
                tuple(each.cluster for each in places if each not in on and other in kept),
                one_too_many=not quarrelled,
            )
        )
    return tuple(found)


def mentioned(record: Record, places: Iterable[Place]) -> frozenset[RevisionId]:
    """Return the revisions that could serve anywhere."""
    return frozenset(revision for place in places for revision in _could_serve(record, place))


def refuse_misfits(revision: RevisionId, found: Sequence[Misfit], *, force: bool = False) -> None:
    """Raise UnsafePlan that names what stands against it; not when a person forces it."""
    if not found or force:
        return
    told = "; ".join(each.summary for each in found[:_NAMED])
    more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    what = "does not get along with what could still serve"
    way = "bring out a version first that reads both forms, on every cluster"
    crowd = all(each.one_too_many for each in found)
    if crowd:
        what = "would be one version too many"
    if any(each.away for each in found):
        way = "wait until they are back and have it no more, or `crossfade fleet remove` them"
    elif crowd:
        way = "wait until the rollout under way has ended, or `crossfade rollout abort` it"
    elif not any(each.serves for each in found):
        way = "wait until it is kept no longer (`spec.rollout.keepOld`)"
    raise UnsafePlan(
        f"{revision} {what}: {told}{more}",
        hint=f"{way}; --force does it all the same",
    )


def apart(rollout: Rollout) -> tuple[str, ...]:
    """Return what is to be pointed out of a rollout that was forced although data differ."""
    stable, canary = rollout.stable, rollout.canary
    why = quarrel(stable.data, canary.data) if stable is not None else ""
    if stable is None or not why:
        return ()
    return (
        f"{stable.id} {why} ({canary.id}): the two do not get along, and a failover or `undo` may"
        " bring users from one to the other",
    )


def _could_serve(record: Record, place: Place) -> Iterator[RevisionId]:
    """Return what has users there, is to have them, or may have got them since the last look."""
    wanted, report = record.at(place.cluster), place.report
    yield from _wanted(wanted)
    if record.active is not None:
        yield record.pinned.get(place.cluster, record.active.id)
    if report is None:
        return
    yield from (each for each, share in report.shares.items() if share > 0)
    if not (place.reachable and report.in_force and report.epoch == wanted.epoch):
        # Its route may have changed since: anything that is installed may have users by now.
        yield from (each for each, there in report.revisions.items() if there.installed)


def _wanted(wanted: Wanted) -> Iterator[RevisionId]:
    split = wanted.split
    yield from split.shares
    yield from (each.revision for each in split.headers)
    if split.mirror is not None:
        yield split.mirror.revision
    if wanted.rolled is not None:
        yield wanted.rolled.revision
    if not split.shares:  # without a route all pods work
        yield from (each for each in wanted.revisions if wanted.pods(each) > 0)


def _surplus(
    record: Record, revision: Revision, serving: frozenset[RevisionId]
) -> tuple[frozenset[RevisionId], str]:
    """Return the versions that must go before `revision` may come, and why."""
    limit, live = record.spec.strategy.max_versions, serving | {revision.id}
    if limit is None or len(live) <= limit or revision.id in serving:
        return frozenset(), ""
    active = {record.active.id} if record.active is not None else set()
    why = f"is one of {len(live)} that would have users (`rollout.maxVersions` is {limit})"
    return serving - active, why


def _quarrel(other: Revision | None, revision: Revision) -> str:
    if revision.data is None:
        return ""
    if other is None:
        return "is remembered no more, so that nobody knows what data it reads"
    return quarrel(other.data, revision.data)
