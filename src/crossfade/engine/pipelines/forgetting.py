"""Forgets what builds have left, but nothing that a build under way may need."""

from dataclasses import dataclass, field, replace

from crossfade.base.clock import Clock
from crossfade.base.errors import Conflict
from crossfade.core.pipeline.forgetting import (
    DAY_SECONDS,
    GIB,
    Entry,
    Forgotten,
    InUse,
    Kind,
    Limits,
    forgotten,
)
from crossfade.core.pipeline.state import BUILD
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.ports.documents import Event
from crossfade.ports.step_files import StepFiles
from crossfade.ports.workspaces import Workspaces


async def in_use(builds: Builds) -> InUse:
    """Return which builds have not ended, and which is the newest of each pipeline."""
    known = await builds.all()
    under_way = [each for each in known if not (await builds.state(each.id)).value.ended]
    newest = {each.pipeline: each.id for each in known}  # the last one is the newest
    return InUse(
        frozenset(each.id for each in under_way),
        min((each.at for each in under_way), default=None),
        frozenset(newest.values()),
    )


@dataclass(slots=True)
class Forgetting:
    """What builds have left, on this machine; the limits hold for files and for workspaces."""

    builds: Builds
    files: StepFiles
    workspaces: Workspaces
    clock: Clock
    _sizes: dict[tuple[str, int], int] = field(default_factory=dict)
    """Of workspaces in which nothing changes any more, by build and generation."""

    async def forget(self, limits: Limits, *, dry_run: bool = False) -> tuple[Forgotten, ...]:
        """
        Forget what is over the limits, and return it; with `dry_run`, only tell.

        Raises Unavailable when store or disk do not answer, InputError for a damaged list.
        """
        used, now = await in_use(self.builds), self.clock.now()
        gone = await self.files.forget(limits, used, now, dry_run=dry_run)
        due = forgotten(await self._entries(), limits, used, now)
        if not dry_run:
            due = tuple([each for each in due if await self._drop(each, now)])
        return (*gone, *due)

    async def _entries(self) -> list[Entry]:
        """Return the workspaces of ended builds; one that was to go and has not goes now."""
        found = []
        for build in await self.builds.all():
            whole = (await self.builds.state(build.id)).value.units.get(BUILD)
            if whole is None or whole.ended is None:
                continue
            if build.handed_to and await self._waits(build.handed_to):
                continue  # it is being moved, and nothing of it is to go meanwhile
            size = await self._size(build)
            if size and build.forgotten_at:
                await self._remove(build)
            elif size:
                name = f"{build.id}/volume"
                contents = {name: size}
                found.append(Entry(Kind.WORKSPACE, name, whole.ended, contents, build.id))
        return found

    async def _waits(self, build: str) -> bool:
        """Return whether a build has not begun yet."""
        state = (await self.builds.state(build)).value
        return not (state.units or state.ended)

    async def _size(self, build: Build) -> int:
        key = (build.id, build.generation)
        if not self._sizes.get(key):
            self._sizes[key] = await self.workspaces.size(build.id)
        return self._sizes[key]

    async def _drop(self, each: Forgotten, now: float) -> bool:
        """Write down that a workspace goes, so that no restart begins in half of it; remove it."""
        stored = await self.builds.build(each.entry.build)
        state = (await self.builds.state(stored.value.id)).value
        if not state.ended:
            return False  # it was restarted meanwhile
        event = Event(
            f"build/{stored.value.id}", now, f"its workspace is forgotten: {each.why}", {}
        )
        try:
            await self.builds.forget_workspace(stored, now, event)
        except Conflict:
            return False  # it is restarted just now
        return await self._remove(stored.value)

    async def _remove(self, build: Build) -> bool:
        self._sizes.pop((build.id, build.generation), None)
        return await self.workspaces.forget(build.id)


@dataclass(frozen=True, slots=True)
class Gone:
    """One thing that was forgotten, or would be."""

    kind: Kind
    run: str
    """The build that had left it, "" for what belongs to none."""
    bytes: int
    """So many nobody else needs."""
    why: str


@dataclass(frozen=True, slots=True)
class Pruning:
    """What people ask of forgetting; the limits are those of the machine."""

    forgetting: Forgetting
    limits: Limits

    async def forget(
        self, days: float | None, gib: float | None, *, dry_run: bool = False
    ) -> tuple[Gone, ...]:
        """
        Forget what is over the limits, and return it; with `dry_run`, only tell.

        Args:
            days: what is older goes; None: as the machine's settings say.
            gib: so much stays at most; None: as the machine's settings say.
            dry_run: nothing is touched.
        """
        limits = self.limits
        if days is not None:
            limits = replace(limits, seconds=days * DAY_SECONDS)
        if gib is not None:
            limits = replace(limits, size=int(gib * GIB))
        gone = await self.forgetting.forget(limits, dry_run=dry_run)
        return tuple(Gone(e.entry.kind, e.entry.build, e.size, e.why) for e in gone)
