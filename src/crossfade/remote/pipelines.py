"""
Pipelines and builds of a hub, over HTTP: the hub runs the builds.

What commands work with is the same as on a machine of one's own; what takes files of the hub's
machine is refused by name.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from crossfade.api.routes.build_files import StepCase, StepFiles
from crossfade.api.routes.builds import BuildState
from crossfade.base.clock import SteadyClock
from crossfade.base.codec import from_json
from crossfade.base.errors import Conflict, InputError, NotFound, Unavailable
from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.junit import Case
from crossfade.core.pipeline.keeping import Artifact, Kept
from crossfade.core.pipeline.state import Answer, State
from crossfade.core.pipeline.variables import Variable
from crossfade.engine.pipelines.environments import Seen
from crossfade.engine.pipelines.files import PipelineFile, Registering
from crossfade.engine.pipelines.forgetting import Gone
from crossfade.engine.pipelines.log_reading import LogLine
from crossfade.engine.pipelines.records import Build
from crossfade.engine.pipelines.starting import Start
from crossfade.engine.pipelines.views import (
    BuildRow,
    BuildView,
    Outline,
    Placed,
    RegisteredRow,
)
from crossfade.engine.records import Stored
from crossfade.remote.client import API, HubClient, Part, segment
from crossfade.remote.logins import Login

_MOST = 500


@dataclass(frozen=True, slots=True)
class _Outline:
    units: Mapping[str, Placed]


@dataclass(frozen=True)
class RemoteBuilds(Part):
    """Single reads."""

    async def build(self, run: str) -> Stored[Build]:
        """Return the build, without the text of its pipeline.  Raises NotFound."""
        return Stored(_build((await _state(self.client, run)).build))

    async def state(self, run: str) -> Stored[State]:
        """Return how the build stands, without values of secrets."""
        return Stored((await _state(self.client, run)).state)


@dataclass(frozen=True)
class RemoteBuildCommands(Part):
    """Commands on builds."""

    async def answer(self, run: str, step: str, answer: Answer) -> str:
        """Answer an approval and return the key of its step; who answers, the hub knows."""
        waiting = (await _state(self.client, run)).build.waiting
        word = "approve" if answer.approved else "deny"
        await self.client.post(f"{_path(run)}/{word}", {"step": step})
        return step or next(iter(waiting), "")

    async def terminate(self, run: str, _: str) -> Build:
        """Ask for the end of a build; who does, the hub knows."""
        view = await self.client.post(f"{_path(run)}/terminate", {})
        return _build(from_json(BuildView, view).build)


@dataclass(frozen=True)
class RemoteRegistry(Part):
    """Commands on registered pipelines."""

    async def unregister(self, name: str) -> None:
        """Forget a pipeline; its builds go on."""
        await self.client.ask("DELETE", f"{API}/pipelines/{segment(name)}")

    async def start(self, wanted: Start) -> Build:
        """Return a new build that the hub runs, or the one there is with this key `once`."""
        plain = {name: getattr(wanted, name) for name in ("pipeline", "trigger", "branch")}
        more = {
            "parent": wanted.parent,
            "once": wanted.once,
            "template": wanted.template,
            "only": list(wanted.only),
            "skip": list(wanted.skip),
            "contexts": list(wanted.contexts),
            "reset_volume": wanted.reset_volume,
        }
        body = {**plain, **more, "variables": _variables(wanted.variables)}
        return _build(from_json(BuildRow, await self.client.post(f"{API}/builds", body)))


@dataclass(frozen=True)
class RemoteFiles(Part):
    """Commands on files."""

    async def register(self, files: Sequence[PipelineFile]) -> tuple[Registering, ...]:
        """Register them, nothing unless all are accepted."""
        body = {"files": [asdict(each) for each in files]}
        found = await self.client.post(f"{API}/pipelines", body)
        return tuple(from_json(Registering, each) for each in found)

    async def create(
        self, file: PipelineFile, wanted: Build, given: Mapping[str, Variable]
    ) -> tuple[Build, Graph | None]:
        """Make a build of the file that the hub runs; what the file says is read there."""
        if wanted.local_dir:
            raise InputError(
                "`--local-dir` names a folder of this machine, and the hub runs the build",
                hint="`--hub local` runs it here; a git trigger has the hub clone a repository",
            )
        runtime = wanted.runtime
        body = {
            "file": asdict(file),
            "name": wanted.pipeline,
            "variables": _variables(given),
            "runner": runtime.runner,
            "clusters": list(runtime.clusters),
            "contexts": list(wanted.contexts),
        }
        row = from_json(BuildRow, await self.client.post(f"{API}/builds/file", body))
        return _build(row), None


@dataclass(frozen=True)
class RemoteKept(Part):
    """What steps have kept."""

    async def kept(self, run: str) -> tuple[Kept, ...]:
        """Return what the runs of a build have left, oldest first."""
        found: dict[tuple[str, int, int], Kept] = {}
        tests = 0
        for part in await self.client.all(f"{_path(run)}/files", StepFiles):
            key = part.step, part.generation, part.number
            known = found.get(key, Kept(run, *key, notes=part.notes, forgotten=part.forgotten))
            found[key] = replace(known, artifacts=(*known.artifacts, *part.artifacts))
            tests += part.tests
        cases: dict[tuple[str, int, int], list[Case]] = {}
        if tests:
            for each in await self.client.all(f"{_path(run)}/tests/cases", StepCase):
                cases.setdefault((each.step, each.generation, each.number), []).append(each.case)
        return tuple(replace(each, cases=tuple(cases.get(key, ()))) for key, each in found.items())


@dataclass(frozen=True)
class RemoteEnvironments(Part):
    """Environments; only steps of the hub's machine launch them."""

    async def all(self) -> tuple[Seen, ...]:
        """Return all environments by name."""
        found = await self.client.get(f"{API}/environments")
        return tuple(from_json(Seen, each) for each in found)

    async def logs(self, name: str, printed: Callable[[str], None]) -> None:
        """Hand over what an environment has printed until now."""
        printed((await self.client.get(f"{API}/environments/{segment(name)}/log"))["text"])

    async def end(self, name: str) -> None:
        """End an environment with all that it has started.  Raises NotFound."""
        await self.client.ask("DELETE", f"{API}/environments/{segment(name)}")


@dataclass(frozen=True)
class RemotePruning(Part):
    """What is asked of forgetting."""

    async def forget(
        self, days: float | None, gib: float | None, *, dry_run: bool = False
    ) -> tuple[Gone, ...]:
        """Forget what is over these limits, or over those of the hub; return it."""
        body = {"days": days, "gib": gib, "dry_run": dry_run}
        found = await self.client.post(f"{API}/builds/prune", body)
        return tuple(from_json(Gone, each) for each in found)


@dataclass(frozen=True)
class RemotePipelines(Part):
    """Everything that commands of pipelines work with over HTTP."""

    @property
    def here(self) -> bool:
        """Whether builds can be run by this process: the hub runs them."""
        return False

    @property
    def builds(self) -> RemoteBuilds:
        """Single reads."""
        return RemoteBuilds(self.client)

    @property
    def commands(self) -> RemoteBuildCommands:
        """Commands on builds."""
        return RemoteBuildCommands(self.client)

    @property
    def registry(self) -> RemoteRegistry:
        """Commands on registered pipelines."""
        return RemoteRegistry(self.client)

    @property
    def files(self) -> RemoteFiles:
        """Commands on files."""
        return RemoteFiles(self.client)

    @property
    def kept(self) -> RemoteKept:
        """What steps have kept."""
        return RemoteKept(self.client)

    @property
    def pruning(self) -> RemotePruning:
        """What is asked of forgetting."""
        return RemotePruning(self.client)

    def environments(self) -> RemoteEnvironments:
        """Return the environments of the hub."""
        return RemoteEnvironments(self.client)

    def now(self) -> float:
        """Return the time of this machine, for durations."""
        return SteadyClock().now()

    async def hub(self) -> str | None:
        """Return who runs the loops, None when nobody does."""
        try:
            await self.client.get("/readyz")
        except Unavailable:
            return None
        return self.client.url

    async def rows(self) -> tuple[BuildRow, ...]:
        """Return all builds, newest first."""
        return await self.client.all(f"{API}/builds", BuildRow)

    async def registered(self) -> tuple[RegisteredRow, ...]:
        """Return the registered pipelines, by name."""
        found = await self.client.get(f"{API}/pipelines")
        return tuple(from_json(RegisteredRow, each) for each in found)

    async def outline(self, build: Build) -> Outline:
        """Return which steps the build has; only those that have begun when nobody can tell."""
        view = from_json(BuildView, await self.client.get(_path(build.id)))
        return _Outline({each.key: each for each in view.steps})

    async def reasons(self, build: Build, step: str) -> tuple[str, ...]:
        """Return how a step stands and why, the most telling first."""
        return tuple((await self.client.get(f"{_path(build.id)}/why", step=step))["why"])

    async def read_log(
        self, build: Build, _: State, step: str, place: Mapping[str, int]
    ) -> tuple[str, Mapping[str, int]]:
        """Return what a step has printed after that place, and the place after it."""
        after, lines = place.get(step, 0), []
        while True:
            params = {"step": step, "after": str(after), "limit": str(_MOST)}
            page = await self.client.get(f"{_path(build.id)}/log", **params)
            found = [from_json(LogLine, each) for each in page["items"]]
            lines += [f"{each.text}\n" for each in found]
            after = found[-1].number if found else after
            if page["next"] is None:
                return "".join(lines), {step: after}

    async def save(self, run: str, artifact: Artifact, into: Callable[[bytes], object]) -> None:
        """Have the content of a file taken in, piece by piece.  Raises NotFound."""
        await self.client.save(f"{_path(run)}/files/{artifact.digest}", into)

    async def restart(self, build: Build, step: str) -> Build:
        """Have an ended build begin again; return it."""
        if not build.hub:
            hint = f"there, `crossfade pipeline restart {build.id} --hub local`"
            what = f"build {build.id} is of a command on the hub's machine"
            raise Conflict(what, hint=hint)
        await self.client.post(f"{_path(build.id)}/restart", {"step": step})
        return build

    async def has_runner(self, build: Build) -> bool:
        """Return whether somebody sees to the build."""
        row = (await _state(self.client, build.id)).build
        return row.running or (build.hub and await self.hub() is not None)


@asynccontextmanager
async def remote_pipelines(login: Login) -> AsyncIterator[RemotePipelines]:
    """Open a session at a hub."""
    client = HubClient(login.url, login.token)
    try:
        yield RemotePipelines(client)
    finally:
        await client.close()


async def _state(client: HubClient, run: str) -> BuildState:
    if not run.isascii() or not run.isdigit():
        hint = "`crossfade pipeline list` shows them"
        raise NotFound(f"there is no build `{run}`", hint=hint)
    return from_json(BuildState, await client.get(f"{_path(run)}/state"))


def _build(row: BuildRow) -> Build:
    return Build(row.run, row.pipeline, "", row.at, hub=row.hub)


def _variables(given: Mapping[str, Variable]) -> dict[str, Any]:
    return {name: {"value": each.value, "secret": each.secret} for name, each in given.items()}


def _path(run: str) -> str:
    return f"{API}/builds/{segment(run)}"
