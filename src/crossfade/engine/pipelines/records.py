"""What is remembered of builds: what is run, how it stands, and what people have asked for."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import NotFound
from crossfade.core.pipeline.commit_status import Commit, Mood
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.policies import Policies
from crossfade.core.pipeline.runtime import Runtime
from crossfade.core.pipeline.shared_configuration import SharedKind
from crossfade.core.pipeline.state import Answer, State
from crossfade.engine.records import Stored
from crossfade.ports.documents import Document, Documents, Event, Remove, Save
from crossfade.ports.runner import RunId
from crossfade.ports.sealing import Sealed

T = TypeVar("T")

BUILD, STATE, WISHES = "build", "build-state", "build-wishes"
DECIDED = "steps"
"""Fact of the events that say what was decided; events of people have none."""
PIPELINE, DELIVERY, FIRED, TOLD = "pipeline", "webhook", "trigger", "build-told"
SHARED = "shared-configuration"


@dataclass(frozen=True, slots=True)
class Build:
    """One build of a pipeline, as it was asked for; a restart changes its generation alone."""

    id: str
    """A number, counted up."""
    pipeline: str
    """The name of the pipeline."""
    text: str
    """The file, as it was."""
    at: float
    """Seconds since the Unix epoch."""
    local_dir: str = ""
    repository: str = ""
    """What the folder is a clone of, as `owner/name`; "" when nobody knows."""
    template: str = ""
    """The file with its steps, as it was, if the pipeline says that it stands elsewhere."""
    only: tuple[str, ...] = ()
    """Names of the steps that are meant; (): all."""
    skip: tuple[str, ...] = ()
    """Names of steps that are left out."""
    definitions: str = ""
    """Where its typed steps are defined."""
    host_images: tuple[str, ...] = ()
    """Images that run with the tools of the machine though they are not known."""
    generation: int = 0
    hub: bool = False
    """Whether the hub runs it; otherwise a command of a person does."""
    trigger: str = ""
    """The name of the trigger that made it, "" for a person or another build."""
    branch: str = ""
    parent: str = ""
    """The build that has started it."""
    once: str = ""
    """Of one key there is one build, however often it is asked for."""
    clone: bool = False
    """Whether the repository of its trigger is cloned first."""
    policies: Policies = field(default_factory=Policies)
    """What its pipeline said about builds beside each other."""
    traceparent: str = ""
    """The place in a trace of what asked for it, as W3C Trace Context has it."""
    commit: Commit | None = None
    """The commit whose git server is told how it stands."""
    runtime: Runtime = field(default_factory=Runtime)
    """Where its steps run."""
    forgotten_at: float = 0.0
    """When its workspace was forgotten, 0 when it was not."""
    contexts: tuple[str, ...] = ()
    """Shared configurations whose variables it has, beside those of its pipeline."""
    reset_volume: bool = False
    """Whether it begins in an empty workspace, whatever a build before it has left."""
    handed_to: str = ""
    """The build that has its workspace now, "" when none has."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A pipeline that builds are made of when somebody or something asks for them."""

    name: str
    text: str
    """The file, as it was."""
    definitions: str = ""
    """Where its typed steps are defined."""
    host_images: tuple[str, ...] = ()
    spec: Settings = field(default_factory=dict)
    """Its triggers and policies."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A shared configuration: variables that pipelines have by its name."""

    name: str
    kind: SharedKind
    at: float
    """When it was made or changed."""
    data: Settings
    """Its values; of a secret one only the names."""
    sealed: Sealed | None = None
    """The values of a secret one, as a JSON object."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a git server was told last of a build."""

    generation: int
    mood: Mood
    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was done last."""

    at: float


@dataclass(frozen=True, slots=True)
class Wishes:
    """What people have asked for; it is taken in by who runs the build."""

    generation: int = 0
    """Those of an earlier one no longer count."""
    answers: Mapping[str, Answer] = field(default_factory=dict)
    terminate: str = ""


def newest_builds(
    documents: Iterable[Document], pipeline: str, below: int, limit: int
) -> tuple[Build, ...]:
    """
    Return builds with a number under `below`, newest first; others are not read.

    Args:
        documents: all of the kind.
        pipeline: only of this one; "": of all.
        below: a number that no build has begins with the newest.
        limit: so many at most.
    """
    mine = (each for each in documents if pipeline in ("", each.body["pipeline"]))
    numbered = ((int(each.name), each) for each in mine)
    older = (pair for pair in numbered if pair[0] < below)
    newest = heapq.nlargest(limit, older, key=lambda pair: pair[0])
    return tuple(from_json(Build, each.body) for _, each in newest)


class Builds:
    """Typed reads and writes over the document store."""

    def __init__(self, documents: Documents, fence: int = 0) -> None:
        """`fence` is the epoch of a hub, 0 for commands of people."""
        self._documents, self._fence = documents, fence

    async def build(self, id: str) -> Stored[Build]:  # noqa: A002 - as everywhere in records
        """Return the build.  Raises NotFound."""
        found = await self._find(BUILD, id, Build)
        if found is None:
            newest = [each.id for each in await self.all()][-3:]
            raise NotFound(
                f"there is no build `{id}`",
                hint=f"`crossfade pipeline list` shows them; newest: {', '.join(newest) or 'none'}",
            )
        return found

    async def all(self) -> tuple[Build, ...]:
        """Return all builds, oldest first."""
        documents = await self._documents.list(BUILD)
        found = (from_json(Build, each.body) for each in documents)
        return tuple(sorted(found, key=lambda build: int(build.id)))

    async def state(self, id: str) -> Stored[State]:  # noqa: A002
        """Return how the build stands."""
        return await self._find(STATE, id, State) or Stored(State())

    async def wishes(self, build: Build) -> Stored[Wishes]:
        """Return what people ask of the build as it is now."""
        found = await self._find(WISHES, build.id, Wishes) or Stored(Wishes(build.generation))
        if found.value.generation != build.generation:
            return Stored(Wishes(build.generation), found.version)
        return found

    async def sequence(self) -> int:
        """Return a number that rises whenever anything is saved."""
        return await self._documents.sequence()

    async def create(self, build: Build, state: State, event: Event) -> None:
        """Save a new build, with a line of history.  Raises Conflict when its number is taken."""
        changes = (_save(BUILD, build.id, 0, build), _save(STATE, build.id, 0, state))
        await self._documents.commit(changes, (event,), self._fence)

    async def save_template(self, build: Build, text: str, event: Event) -> Build:
        """Save the steps that a build was without; return it.  Raises Conflict."""
        stored = await self.build(build.id)
        whole = replace(stored.value, template=text)
        change = _save(BUILD, build.id, stored.version, whole)
        await self._documents.commit((change,), (event,), self._fence)
        return whole

    async def save_state(
        self, build: Build, stored: Stored[State], state: State, event: Event | None
    ) -> Stored[State]:
        """Save how the build stands, with a line of history.  Raises Conflict, Unavailable."""
        events = (event,) if event is not None else ()
        change = _save(STATE, build.id, stored.version, state)
        await self._documents.commit((change,), events, self._fence)
        return Stored(state, stored.version + 1)

    async def save_wishes(
        self, build: Build, stored: Stored[Wishes], wishes: Wishes, event: Event
    ) -> None:
        """Save what is asked for, with a line of history.  Raises Conflict."""
        change = _save(WISHES, build.id, stored.version, wishes)
        await self._documents.commit((change,), (event,), self._fence)

    async def restart(
        self, build: Stored[Build], stored: Stored[State], state: State, event: Event
    ) -> tuple[Build, Stored[State]]:
        """Save that the build begins again with this state.  Raises Conflict."""
        again = replace(build.value, generation=build.value.generation + 1)
        changes = (
            _save(BUILD, again.id, build.version, again),
            _save(STATE, again.id, stored.version, state),
        )
        await self._documents.commit(changes, (event,), self._fence)
        return again, Stored(state, stored.version + 1)

    async def forget_workspace(self, build: Stored[Build], at: float, event: Event) -> None:
        """Save that the workspace of an ended build goes.  Raises Conflict."""
        gone = replace(build.value, forgotten_at=at)
        change = _save(BUILD, gone.id, build.version, gone)
        await self._documents.commit((change,), (event,), self._fence)

    async def hand_on(self, build: Stored[Build], to: str, at: float, event: Event) -> None:
        """Save that another build has the workspace of an ended one.  Raises Conflict."""
        gone = replace(build.value, forgotten_at=at, handed_to=to)
        change = _save(BUILD, gone.id, build.version, gone)
        await self._documents.commit((change,), (event,), self._fence)

    async def registered(self) -> tuple[Stored[Registered], ...]:
        """Return the registered pipelines, by name."""
        found = await self._documents.list(PIPELINE)
        return tuple(Stored(from_json(Registered, e.body), e.version) for e in found)

    async def pipeline(self, name: str) -> Stored[Registered] | None:
        """Return the registered pipeline, None when there is none of this name."""
        return await self._find(PIPELINE, name, Registered)

    async def register(
        self, stored: Stored[Registered] | None, wanted: Registered, event: Event
    ) -> None:
        """Save a pipeline in place of the stored one.  Raises Conflict."""
        version = stored.version if stored else 0
        change = _save(PIPELINE, wanted.name, version, wanted)
        await self._documents.commit((change,), (event,), self._fence)

    async def unregister(self, stored: Stored[Registered], event: Event) -> None:
        """Forget a pipeline; builds of it stay.  Raises Conflict."""
        change = Remove(PIPELINE, stored.value.name, stored.version)
        await self._documents.commit((change,), (event,), self._fence)

    async def all_shared(self) -> tuple[Stored[Shared], ...]:
        """Return the shared configurations, by name."""
        found = await self._documents.list(SHARED)
        return tuple(Stored(from_json(Shared, each.body), each.version) for each in found)

    async def shared(self, name: str) -> Stored[Shared]:
        """Return the shared configuration.  Raises NotFound."""
        found = await self._find(SHARED, name, Shared)
        if found is None:
            known = ", ".join(each.name for each in await self._documents.list(SHARED))
            raise NotFound(
                f"there is no shared configuration `{name}`",
                hint=f"`crossfade context create config {name} -v NAME=VALUE` makes it; "
                f"known: {known or 'none'}",
            )
        return found

    async def save_shared(self, version: int, wanted: Shared, event: Event) -> None:
        """Save a shared configuration in place of that version, 0 for none.  Raises Conflict."""
        change = _save(SHARED, wanted.name, version, wanted)
        await self._documents.commit((change,), (event,), self._fence)

    async def remove_shared(self, stored: Stored[Shared], event: Event) -> None:
        """Forget a shared configuration.  Raises Conflict."""
        change = Remove(SHARED, stored.value.name, stored.version)
        await self._documents.commit((change,), (event,), self._fence)

    async def told(self, number: str) -> Stored[Told] | None:
        """Return what a git server was told last of the build, None when nothing was."""
        return await self._find(TOLD, number, Told)

    async def save_told(
        self, number: str, stored: Stored[Told] | None, told: Told, event: Event | None
    ) -> None:
        """Save what a git server was told.  Raises Conflict."""
        change = _save(TOLD, number, stored.version if stored else 0, told)
        events = () if event is None else (event,)
        await self._documents.commit((change,), events, self._fence)

    async def moment(self, kind: str, name: str) -> Stored[Moment] | None:
        """Return when a webhook was taken (DELIVERY) or a trigger was due last (FIRED)."""
        return await self._find(kind, name, Moment)

    async def save_moment(
        self, kind: str, name: str, stored: Stored[Moment] | None, at: float
    ) -> None:
        """Save when it was.  Raises Conflict when somebody else has."""
        change = _save(kind, name, stored.version if stored else 0, Moment(at))
        await self._documents.commit((change,), (), self._fence)

    async def _find(self, kind: str, name: str, of: type[T]) -> Stored[T] | None:
        document = await self._documents.get(kind, name)
        return None if document is None else Stored(from_json(of, document.body), document.version)


def _save(kind: str, name: str, version: int, value: object) -> Save:
    return Save(kind, name, version, to_json(value))


def run_id(build: Build, key: str, number: int) -> RunId:
    """Return the identity of a run of a step."""
    return RunId(build.id, build.generation, key, number)
