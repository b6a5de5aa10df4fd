"""What it means to drain a cluster: whose users move where, and how far they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from crossfade.base.errors import UnsafePlan
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.failover.evidence import DOWN
from crossfade.core.failover.stale import stale
from crossfade.core.failover.users import Users
from crossfade.engine.records import Records


@dataclass(frozen=True, slots=True)
class Effect:
    """What draining does to one application that has users on the cluster."""

    application: ApplicationName
    percent: float
    """Of all its users, who are on the cluster now."""
    to: tuple[ClusterName, ...]
    """Clusters that serve it and can take them; none: this is the last copy."""


async def effects(records: Records, cluster: ClusterName, now: float) -> tuple[Effect, ...]:
    """Return what draining the cluster does, application by application; others feel nothing."""
    health = {name: each.value for name, each in (await records.health()).items()}
    wishes = {name: each.value for name, each in (await records.wishes()).items()}
    reports = {
        (each.value.application, each.value.cluster): each.value for each in await records.reports()
    }
    users = {name: each.value for name, each in (await records.users()).items()}
    found = []
    for stored in await records.applications():
        record, name = stored.value, stored.value.spec.name
        if record.spec.route is None:
            continue
        share = users.get(name, Users(name)).share(cluster)
        if share == 0:
            continue
        to = []
        for other in record.wanted:
            report, known = reports.get((name, other)), health.get(other)
            if other == cluster or report is None or known is None:
                continue
            drained = other in wishes and wishes[other].drained
            well = known.stands.serves and known.condition not in DOWN and not drained
            if well and not stale(record.at(other), report, known.back_at, now):
                to.append(other)
        found.append(Effect(name, share / 100, tuple(sorted(to))))
    return tuple(found)


def require_drainable(found: Sequence[Effect]) -> None:
    """Raise UnsafePlan when somebody's last copy would be drained."""
    last = [each.application for each in found if not each.to]
    if last:
        raise UnsafePlan(
            f"no other cluster is known to serve {', '.join(last)}: it is the last copy",
            hint="restore or add another cluster first; this is never done, whoever asks",
        )
