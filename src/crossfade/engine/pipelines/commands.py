"""What people may ask of builds."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from crossfade.base import tracing
from crossfade.base.clock import Clock
from crossfade.base.errors import Conflict, InputError, NotFound
from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.policies import policies_of
from crossfade.core.pipeline.run import begin, refused, restarted
from crossfade.core.pipeline.runtime import over, runtime_of
from crossfade.core.pipeline.secret_stores import named_stores
from crossfade.core.pipeline.shared_configuration import contexts_of, lists_store
from crossfade.core.pipeline.state import BUILD, Answer, Result, State
from crossfade.core.pipeline.supported import no_image, refusals, ways_out
from crossfade.core.pipeline.variables import Source, Variable, substituted
from crossfade.core.pipeline.work import KUBECONFIG, VOLUME
from crossfade.engine.pipelines.records import Build, Builds, Shared
from crossfade.ports.documents import Event

_TRIES = 20
_SHOWN = 8


def check(
    graph: Graph,
    variables: Mapping[str, Variable],
    has_tool: Callable[[str], bool],
    host_images: tuple[str, ...],
    has_image: Callable[[str], bool] = no_image,
) -> None:
    """Return if the pipeline can be run here.  Raises InputError that says all that is against."""
    found = refusals(graph, filling(variables), has_tool, host_images, has_image)
    if found:
        more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        lines = "\n  ".join(["this pipeline cannot be run here:", *map(str, found[:_SHOWN]), *more])
        ways = ways_out(found)
        hint = "docs/guides/running-pipelines.md says what is supported"
        raise InputError(lines, hint=f"nothing was run; {ways or hint}")


def filling(variables: Mapping[str, Variable]) -> Callable[[str], str]:
    """Return what puts the values of variables into texts."""

    def answer(name: str) -> str | None:
        return variables[name].value if name in variables else None

    return lambda text: substituted(text, answer)


def variables_of(graph: Graph, given: Mapping[str, Variable], build: Build) -> dict[str, Variable]:
    """Return the variables of a build: what is given goes before what the file says."""
    pipeline = graph.pipeline
    own = {
        "CI": "true",
        "CF_BUILD_ID": build.id,
        "CF_BUILD_TIMESTAMP": str(int(build.at * 1000)),
        "CF_BUILD_INITIATOR": "cli",
        "CF_PIPELINE_NAME": build.pipeline,
        "CF_VOLUME_NAME": f"build-{build.id}",
        "CF_VOLUME_PATH": VOLUME,
        "CF_KUBECONFIG_PATH": KUBECONFIG,
    }
    system = {name: Variable(name, value, Source.RUN) for name, value in own.items()}
    written = {
        name: Variable(name, value, Source.PIPELINE, name in pipeline.secrets)
        for name, value in pipeline.variables.items()
    }
    return {**system, **written, **given}


class BuildCommands:
    """Commands over the store; who runs a build sees them there."""

    def __init__(self, builds: Builds, clock: Clock) -> None:
        self._builds, self._clock = builds, clock

    @tracing.traced("create build")
    async def create(self, wanted: Build, graph: Graph, given: Mapping[str, Variable]) -> Build:
        """
        Save a new build under the next number and return it; `wanted` has everything else.

        When there is one of the same key `once` already, that is returned.  Raises InputError when
        it names a shared configuration that there is not.
        """
        await self.require_shared(graph, wanted)
        for _ in range(_TRIES):
            known = await self._builds.all()
            same = [each for each in known if wanted.once and each.once == wanted.once]
            if same:
                return same[0]
            newest = max((int(each.id) for each in known), default=0)
            policies = policies_of(graph.pipeline.spec)
            number, now = str(newest + 1), self._clock.now()
            runtime = over(runtime_of(graph.pipeline.spec), wanted.runtime)
            build = replace(wanted, id=number, at=now, policies=policies, runtime=runtime)
            build = replace(build, traceparent=tracing.current())
            event = self._event(number, _asked_for(build))
            try:
                await self._builds.create(build, begin(variables_of(graph, given, build)), event)
            except Conflict:
                continue  # another one took the number
            return build
        raise Conflict("other builds take every number", hint="try again")

    async def require_shared(self, graph: Graph, wanted: Build) -> None:
        """Return if there is every shared configuration that it names.  Raises InputError."""
        for name in (*contexts_of(graph.pipeline.spec), *wanted.contexts):
            kind = (await self._shared(name)).kind
            if kind.is_store:
                raise lists_store(name, kind)
        for line, key, reference in named_stores(graph):
            where = f"line {line}: {key}" if line else key
            await self._shared(reference.store, f"{where}: {reference}: ")

    async def _shared(self, name: str, where: str = "") -> Shared:
        try:
            return (await self._builds.shared(name)).value
        except NotFound as error:  # it is the pipeline that is wrong
            raise InputError(f"{where}{error}", hint=error.hint) from error

    @tracing.traced("answer approval", of="build")
    async def answer(self, id: str, step: str, answer: Answer) -> str:  # noqa: A002
        """
        Answer an approval and return the key of its step; `step` "" is the only one that waits.

        Raises NotFound or Conflict when no such step waits.
        """
        build = (await self._builds.build(id)).value
        state = (await self._builds.state(id)).value
        key = _waiting(build, state, step)
        wishes = await self._builds.wishes(build)
        answers = {**wishes.value.answers, key: answer}
        wanted = replace(wishes.value, answers=answers)
        word = "approved" if answer.approved else "denied"
        event = self._event(id, f"{key}: {word} by {answer.by or 'somebody'}")
        await self._builds.save_wishes(build, wishes, wanted, event)
        return key

    @tracing.traced("terminate build", of="build")
    async def terminate(self, id: str, why: str) -> Build:  # noqa: A002
        """Ask for the end of a build.  Raises Conflict when it has ended."""
        build = (await self._builds.build(id)).value
        state = (await self._builds.state(id)).value
        if state.ended:
            raise Conflict(f"build {id} has ended: {state.result}", hint="there is nothing to end")
        wishes = await self._builds.wishes(build)
        wanted = replace(wishes.value, terminate=why)
        await self._builds.save_wishes(build, wishes, wanted, self._event(id, why))
        return build

    async def refuse(self, build: Build, why: str) -> None:
        """Have a build end as a failure that cannot be run.  Raises Conflict."""
        stored, now = await self._builds.state(build.id), self._clock.now()
        ended = refused(stored.value, why, now)
        await self._builds.save_state(build, stored, ended, self._event(build.id, why))

    @tracing.traced("restart build", of="build")
    async def restart(self, id: str, graph: Graph, from_step: str) -> Build:  # noqa: A002
        """
        Have an ended build begin again where it failed, or at a step; return it.

        Raises Conflict while it has not ended, or when its pipeline is not to be begun again;
        InputError when there is nothing to do again.
        """
        if graph.pipeline.spec.get("permitRestartFromFailedSteps") is False:
            raise Conflict(
                f"builds of {graph.pipeline.name} are not begun again at what failed",
                hint="run it anew; `permitRestartFromFailedSteps` of its spec is false",
            )
        build = await self._builds.build(id)
        stored = await self._builds.state(id)
        if not stored.value.ended:
            raise Conflict(
                f"build {id} has not ended: {stored.value.result}",
                hint=f"`crossfade pipeline terminate {id}` first, or let it end",
            )
        if build.value.handed_to:
            raise Conflict(
                f"build {build.value.handed_to} has the workspace of build {id} now",
                hint="run the pipeline anew; `resetVolume` in `options` of its spec leaves each "
                "build its own",
            )
        if build.value.forgotten_at:
            raise Conflict(
                f"the workspace of build {id} was forgotten, so nothing can go on in it",
                hint="run the pipeline anew; CROSSFADE_KEEP_DAYS and CROSSFADE_KEEP_GIB say how "
                "long workspaces are kept",
            )
        state = stored.value
        if from_step:
            state = _without(graph, state, from_step)
        elif state.result is Result.SUCCESS:
            raise InputError(
                f"nothing failed in build {id}",
                hint="say where to begin with --from-step STEP, or run the pipeline anew",
            )
        event = self._event(id, f"restarted{f' at {from_step}' if from_step else ''}")
        again, _ = await self._builds.restart(
            build, stored, restarted(graph, state, self._clock.now()), event
        )
        return again

    def _event(self, id: str, reason: str) -> Event:  # noqa: A002
        return Event(f"build/{id}", self._clock.now(), reason, {})


def _asked_for(build: Build) -> str:
    """Return what a new build is, for people."""
    more = [f"trigger {build.trigger}"] if build.trigger else []
    more += [f"part of build {build.parent}"] if build.parent else []
    return f"asked for: {', '.join([build.pipeline, *more])}"


def _waiting(build: Build, state: State, step: str) -> str:
    """Return the key of the approval that is meant."""
    units = state.units.items()
    waiting = [key for key, unit in units if unit.result is Result.WAITING and key in state.active]
    names = ", ".join(waiting) or "none"
    if step and step not in waiting:
        raise NotFound(f"no approval `{step}` waits in build {build.id}", hint=f"waiting: {names}")
    if not step and len(waiting) != 1:
        hint = f"say which: {names}" if waiting else "`crossfade pipeline list` shows who waits"
        raise Conflict(f"{len(waiting)} approvals wait in build {build.id}", hint=hint)
    return step or waiting[0]


def _without(graph: Graph, state: State, step: str) -> State:
    """Return the state as if the step, and what started after it, had never been."""
    if step not in graph.units or step == BUILD:
        known = ", ".join(key for key in graph.units if key)[:300]
        raise NotFound(f"there is no step `{step}`", hint=f"steps: {known}")
    key = step
    while graph.units[key].owner != BUILD:
        key = graph.units[key].owner
    if key not in state.units:
        raise InputError(
            f"the build never came to {step}",
            hint="leave --from-step out: it begins where it failed",
        )
    since = state.units[key].since
    layout = graph.layout(BUILD, None)
    later = {each for each, unit in state.units.items() if unit.since > since}
    if layout is not None and layout.sequential and key in layout.keys:
        later |= set(layout.keys[layout.keys.index(key) :])
    units = {name: unit for name, unit in state.units.items() if name not in {key, *later}}
    return replace(state, units=units)
