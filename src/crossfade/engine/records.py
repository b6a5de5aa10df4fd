"""What the engine remembers, as typed values over the document store."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from crossfade.base import tracing
from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import NotFound
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.analysis.evidence import Evidence
from crossfade.core.analysis.runs import RunState
from crossfade.core.dns.state import NameState, Owner
from crossfade.core.failover.drill import Drill
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.failover.users import Users
from crossfade.core.failover.wish import ClusterWish
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.edges import EdgeStates
from crossfade.core.release.report import Report
from crossfade.core.rollout.gating import Answers
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.state import Rollout
from crossfade.ports.documents import Document, Documents, Event, Remove, Save
from crossfade.ports.edge import EdgePlan

T = TypeVar("T")

APPLICATION = "application"
ROLLOUT = "rollout"
CLUSTER = "cluster"
HEALTH = "health"
REPORT = "report"
WISH = "wish"
USERS = "users"
EDGE_PLAN = "edge-plan"
EDGES = "edges"
DRILL = "drill"
DNS = "dns"
DNS_OWNER = "dns-owner"
EVIDENCE = "evidence"
ANSWERS = "answers"
GATE = "gate"
"""Begins the subjects of events of gates and hooks."""
RUN = "run"

MOST_KEPT = 50_000
"""Values of documents that are kept, so that one that has not changed is not made again."""


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A value and the version under which it was read; version 0 is not stored yet."""

    value: T
    version: int = 0


def rollout_name(application: ApplicationName, number: int) -> str:
    """Return the name of a rollout's document: they sort by age."""
    return f"{application}.{number:06d}"


def report_name(application: ApplicationName, cluster: ClusterName) -> str:
    """Return the name of a report's document, which is also the key of its loop."""
    return f"{application}@{cluster}"


def run_name(rollout: Rollout, run: str) -> str:
    """Return the name of the document of an analysis run; one that is repeated has several."""
    where = f"{rollout.state.wave}-{rollout.state.step}"
    spec = next((each for each in rollout.analysis.runs if each.name == run), None)
    place = "" if spec is None or spec.background else f"@{where}"
    return f"{rollout_name(rollout.application, rollout.number)}/{run}{place}"


Values = dict[tuple[str, str], tuple[Document, Stored[Any]]]
"""What was made from documents, by kind and name."""


class Records:
    """
    Typed reads and writes of everything long-lived.

    `fence` is the epoch of the hub's lease, 0 for commands of users.  `on_commit` learns of each
    commit of ours: the new sequence number, and which (kind, name) were changed.  Who is given the
    very same documents may share the `values` that were made from them.
    """

    def __init__(self, documents: Documents, fence: int = 0, values: Values | None = None) -> None:
        self._documents = documents
        self._fence = fence
        self._values: Values = {} if values is None else values
        self._lists: dict[str, tuple[tuple[Document, ...], tuple[Stored[Any], ...]]] = {}
        """What was made from all documents of a kind, which are given again if none has changed."""
        self.on_commit: Callable[[int, tuple[tuple[str, str], ...]], None] = lambda *_: None

    async def application(self, name: ApplicationName) -> Stored[Record]:
        """Return the application.  Raises NotFound."""
        found = await self._find(APPLICATION, name, Record)
        if found is None:
            known = ", ".join(each.value.spec.name for each in await self.applications())
            raise NotFound(
                f"there is no application `{name}`",
                hint=f"`crossfade apply -f FILE` makes one; there are: {known or 'none'}",
            )
        return found

    async def find_application(self, name: ApplicationName) -> Stored[Record] | None:
        """Return the application, or None."""
        return await self._find(APPLICATION, name, Record)

    async def applications(self) -> tuple[Stored[Record], ...]:
        """Return all applications, by name."""
        return await self._all(APPLICATION, Record)

    async def rollout(self, record: Record) -> Stored[Rollout] | None:
        """Return the newest rollout of the application, None before the first."""
        if record.rollout == 0:
            return None
        return await self._find(ROLLOUT, rollout_name(record.spec.name, record.rollout), Rollout)

    async def rollouts_of(self, records: Iterable[Record]) -> tuple[Stored[Rollout], ...]:
        """Return the newest rollout of each record that has one, in their order, in one read."""
        names = [rollout_name(each.spec.name, each.rollout) for each in records if each.rollout]
        read = {each.name: each for each in await self._documents.list(ROLLOUT, names)}
        return tuple(self._stored(read[name], Rollout) for name in names if name in read)

    async def rollouts(self) -> tuple[Stored[Rollout], ...]:
        """Return all rollouts, oldest first within an application."""
        return await self._all(ROLLOUT, Rollout)

    async def find_cluster(self, name: ClusterName) -> Stored[Cluster] | None:
        """Return the cluster, or None."""
        return await self._find(CLUSTER, name, Cluster)

    async def clusters(self) -> tuple[Stored[Cluster], ...]:
        """Return the fleet, by name."""
        return await self._all(CLUSTER, Cluster)

    async def find_report(
        self, application: ApplicationName, cluster: ClusterName
    ) -> Stored[Report] | None:
        """Return the newest report, or None when the cluster was never looked at."""
        return await self._find(REPORT, report_name(application, cluster), Report)

    async def reports(self) -> tuple[Stored[Report], ...]:
        """Return all reports."""
        return await self._all(REPORT, Report)

    async def find_health(self, cluster: ClusterName) -> Stored[ClusterHealth] | None:
        """Return the cluster's health, or None when it was never probed."""
        return await self._find(HEALTH, cluster, ClusterHealth)

    async def health(self) -> dict[ClusterName, Stored[ClusterHealth]]:
        """Return the health of every cluster that was probed."""
        return {each.value.cluster: each for each in await self._all(HEALTH, ClusterHealth)}

    async def find_wish(self, cluster: ClusterName) -> Stored[ClusterWish] | None:
        """Return what a person wants of the cluster, None when nobody wants anything."""
        return await self._find(WISH, cluster, ClusterWish)

    async def wishes(self) -> dict[ClusterName, Stored[ClusterWish]]:
        """Return what people want of clusters."""
        return {each.value.cluster: each for each in await self._all(WISH, ClusterWish)}

    async def users(self) -> dict[ApplicationName, Stored[Users]]:
        """Return where the users of every application are."""
        return {each.value.application: each for each in await self._all(USERS, Users)}

    async def find_users(self, application: ApplicationName) -> Stored[Users] | None:
        """Return where the users of the application are, None before anything was planned."""
        return await self._find(USERS, application, Users)

    async def edge_plan(self) -> Stored[EdgePlan] | None:
        """Return the newest plan of the edges, None before the first."""
        return await self._find(EDGE_PLAN, "current", EdgePlan)

    async def edges(self) -> Stored[EdgeStates]:
        """Return the edges as they were last known."""
        return await self._find(EDGES, "current", EdgeStates) or Stored(EdgeStates())

    async def drills(self) -> tuple[Stored[Drill], ...]:
        """Return all drills, oldest first."""
        return await self._all(DRILL, Drill)

    async def active_drill(self) -> Stored[Drill] | None:
        """Return the drill that goes on, None when there is none: one at a time."""
        newest = (await self.drills())[-1:]
        return next((each for each in newest if each.value.active), None)

    async def find_name(self, application: ApplicationName) -> Stored[NameState] | None:
        """Return what is known of the application's name in DNS, None before the first look."""
        return await self._find(DNS, application, NameState)

    async def find_owner(self) -> Stored[Owner] | None:
        """Return who we are in DNS, None before we were anybody."""
        return await self._find(DNS_OWNER, "current", Owner)

    async def find_evidence(self, rollout: str) -> Stored[Evidence] | None:
        """Return what is known of the rollout of this name, or None before the first window."""
        return await self._find(EVIDENCE, rollout, Evidence)

    async def find_answers(self, rollout: str) -> Stored[Answers] | None:
        """Return what gates and hooks answered in the rollout, or None before the first."""
        return await self._find(ANSWERS, rollout, Answers)

    async def find_run(self, name: str) -> Stored[RunState] | None:
        """Return what is known of an analysis run, or None before it began."""
        return await self._find(RUN, name, RunState)

    @property
    def documents(self) -> Documents:
        """Where they are, for those who need few values of many."""
        return self._documents

    async def commit(self, *changes: Save | Remove, events: tuple[Event, ...] = ()) -> None:
        """Make all changes and record the events, or nothing.  Raises Conflict, Unavailable."""
        sequence = await self._documents.commit(changes, events, self._fence)
        for event in events:
            tracing.note("saved", subject=event.subject, reason=event.reason)
        self.on_commit(sequence, tuple((each.kind, each.name) for each in changes))

    async def events(self, subject: str | None, after: int = 0) -> tuple[Event, ...]:
        """Return the history after event number `after`, oldest first."""
        return await self._documents.events(subject, after)

    async def _find(self, kind: str, name: str, of: type[T]) -> Stored[T] | None:
        document = await self._documents.get(kind, name)
        return None if document is None else self._stored(document, of)

    async def _all(self, kind: str, of: type[T]) -> tuple[Stored[T], ...]:
        documents = await self._documents.list(kind)
        known = self._lists.get(kind)
        if known is not None and known[0] is documents:
            return known[1]
        made = tuple(self._stored(each, of) for each in documents)
        self._lists[kind] = documents, made
        return made

    def _stored(self, document: Document, of: type[T]) -> Stored[T]:
        """Return the value; the one that was made from this very document if there is one."""
        key = document.kind, document.name
        known = self._values.get(key)
        if known is not None and same(known[0], document):
            return known[1]
        made = Stored(from_json(of, document.body), document.version)
        if len(self._values) >= MOST_KEPT:
            self._values.clear()
        self._values[key] = (document, made)
        return made


def same(known: Document, document: Document) -> bool:
    """Say whether a document is this very one, as it was read or as it was written."""
    return known.body is document.body and known.version == document.version


def _save(kind: str, name: str, stored: Stored[Any], value: object) -> Save:
    return Save(kind, name, stored.version, to_json(value))


def save_application(stored: Stored[Record], value: Record) -> Save:
    """Return the change that replaces the application that was read by `value`."""
    return _save(APPLICATION, value.spec.name, stored, value)


def save_rollout(stored: Stored[Rollout], value: Rollout) -> Save:
    """Return the change that replaces the rollout that was read by `value`."""
    return _save(ROLLOUT, rollout_name(value.application, value.number), stored, value)


def save_cluster(version: int, value: Cluster) -> Save:
    """Return the change that stores the cluster; `version` 0 when it is new."""
    return Save(CLUSTER, value.name, version, to_json(value))


def save_report(version: int, value: Report) -> Save:
    """Return the change that stores the report; `version` 0 for the first."""
    return Save(REPORT, report_name(value.application, value.cluster), version, to_json(value))


def save_health(version: int, value: ClusterHealth) -> Save:
    """Return the change that stores the health; `version` 0 for the first."""
    return Save(HEALTH, value.cluster, version, to_json(value))


def save_wish(version: int, value: ClusterWish) -> Save:
    """Return the change that stores the wish; `version` 0 for the first."""
    return Save(WISH, value.cluster, version, to_json(value))


def save_users(version: int, value: Users) -> Save:
    """Return the change that stores where users are; `version` 0 for the first."""
    return Save(USERS, value.application, version, to_json(value))


def save_evidence(version: int, rollout: str, value: Evidence) -> Save:
    """Return the change that stores the evidence; `version` 0 for the first."""
    return Save(EVIDENCE, rollout, version, to_json(value))


def save_answers(version: int, rollout: str, value: Answers) -> Save:
    """Return the change that stores the answers; `version` 0 for the first."""
    return Save(ANSWERS, rollout, version, to_json(value))


def save_run(version: int, name: str, value: RunState) -> Save:
    """Return the change that stores the run; `version` 0 for the first."""
    return Save(RUN, name, version, to_json(value))


def save_edge_plan(version: int, value: EdgePlan) -> Save:
    """Return the change that stores the plan; `version` 0 for the first."""
    return Save(EDGE_PLAN, "current", version, to_json(value))


def save_edges(version: int, value: EdgeStates) -> Save:
    """Return the change that stores the edges; `version` 0 for the first."""
    return Save(EDGES, "current", version, to_json(value))


def save_drill(version: int, value: Drill) -> Save:
    """Return the change that stores the drill; `version` 0 when it is new."""
    return Save(DRILL, f"{value.number:06d}", version, to_json(value))


def save_name(version: int, value: NameState) -> Save:
    """Return the change that stores what is known of a name; `version` 0 for the first."""
    return Save(DNS, value.application, version, to_json(value))


def save_owner(value: Owner) -> Save:
    """Return the change that stores who we are in DNS, which never changes."""
    return Save(DNS_OWNER, "current", 0, to_json(value))
