"""Builds of pipelines: how they stand, what their steps print, and the commands on them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from crossfade.api.access import Signed, everywhere, refuse, who_asks
from crossfade.api.elsewhere import require_here
from crossfade.api.log_streams import Wanted, log_stream
from crossfade.api.once import Key, once
from crossfade.api.pages import After, Limit, Page
from crossfade.api.routes.events import MOST_STREAMS
from crossfade.api.services import Services, Use
from crossfade.base.errors import (
    CrossfadeError,
    InputError,
    NotAllowed,
    NotFound,
    TooManyRequests,
)
from crossfade.core.access.roles import ANY, Action
from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.state import BUILD, Answer, State
from crossfade.core.pipeline.why import why as reasons
from crossfade.engine.accounts import Caller
from crossfade.engine.pipelines.log_reading import LogLine, StepLog, log_page
from crossfade.engine.pipelines.records import BUILD as BUILDS
from crossfade.engine.pipelines.records import Build, Builds, newest_builds
from crossfade.engine.pipelines.views import (
    BuildRow,
    BuildView,
    row,
    view,
    without_secrets,
)
from crossfade.ports.documents import Documents

router = APIRouter(prefix="/builds", tags=["builds"])

Reader = Annotated[Caller, Depends(everywhere(Action.READ))]
Run = Annotated[str, Path(pattern=r"^[1-9][0-9]{0,8}$", description="Number of the build.")]
Step = Annotated[
    str, Query(max_length=300, description="Key of the step, as in the build.", examples=["test"])
]
Line = Annotated[int, Query(ge=0, le=2**53, description="Number of the last line that is known.")]


@dataclass(frozen=True, slots=True)
class _Lines:
    step: str
    after: int
    limit: int


def _lines(
    step: Step,
    after: Line = 0,
    limit: Limit = 500,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
) -> _Lines:
    """Return which lines are asked for; a browser that comes back says what it has."""
    known = last_event_id.isascii() and last_event_id.isdigit()
    return _Lines(step, int(last_event_id) if known else after, limit)


Lines = Annotated[_Lines, Depends(_lines)]
_HIGHEST = 10**9
_STREAM = "text/event-stream"


class Order(StrEnum):
    """The commands on a build."""

    APPROVE = "approve"
    DENY = "deny"
    TERMINATE = "terminate"
    RESTART = "restart"


_NEEDS = {
    Order.APPROVE: Action.RELEASE,
    Order.DENY: Action.RELEASE,
    Order.TERMINATE: Action.BUILD,
    Order.RESTART: Action.BUILD,
}


class Ask(BaseModel):
    """What goes with a command."""

    model_config = ConfigDict(extra="forbid")
    step: str = Field(
        default="",
        max_length=300,
        description="The approval that is meant, when several wait; the step to restart at.",
        examples=["deploy"],
    )
    why: str = Field(default="", max_length=1000, description="Why it is ended; kept.")


class BuildState(BaseModel):
    """A build, and how its steps stand."""

    build: BuildRow
    state: State


class StepStory(BaseModel):
    """How a step stands, and what brought it there."""

    step: str
    why: list[str]


@router.get("")
async def list_builds(
    caller: Reader,
    services: Use,
    pipeline: Annotated[str, Query(max_length=300, description="Only of this one.")] = "",
    after: After = "",
    limit: Limit = 100,
) -> Page[BuildRow]:
    """Return builds, newest first.  They belong to no application: this takes a role on all."""
    lists = (await services.lists()).records.documents
    builds = Builds(lists)
    below = int(after) if after.isascii() and after.isdigit() else _HIGHEST
    found = newest_builds(await lists.list(BUILDS), pipeline, below, limit + 1)
    some = found[:limit]
    rows = [_row(services, each, (await builds.state(each.id)).value) for each in some]
    return Page(items=rows, next=some[-1].id if len(found) > limit else None)


@router.get("/{run}")
async def get_build(run: Run, caller: Reader, services: Use) -> BuildView:
    """Return a build with all its steps, and which comes after which."""
    build, state = await read_build(services, run)
    graph = await _graph(services, build)
    shown = str(graph) if isinstance(graph, CrossfadeError) else graph
    return view(_row(services, build, state), build.generation, state, shown)


@router.get("/{run}/state")
async def get_state(run: Run, caller: Reader, services: Use) -> BuildState:
    """Return how all steps of a build stand, as the hub remembers it, without values of secrets."""
    build, state = await read_build(services, run)
    return BuildState(build=_row(services, build, state), state=without_secrets(state))


@router.get("/{run}/why")
async def get_reasons(run: Run, step: Step, caller: Reader, services: Use) -> StepStory:
    """Return how a step stands and why, the most telling first."""
    build, state = await read_build(services, run)
    graph = await _graph(services, build)
    if isinstance(graph, CrossfadeError):
        raise graph
    _require_step(run, graph, step)
    return StepStory(step=step, why=list(reasons(graph, state, step)))


@router.get(
    "/{run}/log",
    response_model=Page[LogLine],
    responses={200: {"content": {_STREAM: {"schema": {"type": "string"}}}}},
)
async def get_log(
    request: Request, run: Run, lines: Lines, caller: Reader, services: Use
) -> Page[LogLine] | StreamingResponse:
    """
    Return lines that a step printed, or with `Accept: text/event-stream` all as they come.

    A stream sends `lines` events, whose ids are the numbers of lines to go on after, and `end` with
    the result when the build has ended.
    """
    build, state = await read_build(services, run)
    step = lines.step
    if step not in state.units:
        graph = await _graph(services, build)
        if not isinstance(graph, CrossfadeError):
            _require_step(run, graph, step)
    log = StepLog(services.building.logs, step)
    found = await asyncio.to_thread(log_page, log, build, state, lines.after, lines.limit)
    begun = step in state.units and state.units[step].run > 0
    here = bool(found.lines) or lines.after > 0 or not begun
    await require_here(services, f"lines of `{step}`, if there are any,", found=here)
    if _STREAM not in request.headers.get("Accept", ""):
        following = str(found.lines[-1].number) if found.more else None
        return Page(items=list(found.lines), next=following)
    if services.feed.watchers >= MOST_STREAMS:
        hint = f"{MOST_STREAMS} are open already; close some"
        raise TooManyRequests("too many streams", hint=hint, seconds=5)

    async def again() -> Caller:
        known = await who_asks(request, services)
        if not known.identity.may(Action.READ):
            raise NotAllowed("no more", hint="an admin gives the role viewer on everything")
        return known

    parts = log_stream(services, again, Wanted(run, step, lines.after))
    return StreamingResponse(parts, media_type=_STREAM)


@router.post("/{run}/{command}")
async def order(
    run: Run, command: Order, ask: Ask, caller: Signed, services: Use, key: Key = ""
) -> BuildView:
    """
    Answer an approval, end a build, or have an ended one begin again; return it as it is then.

    What works on the build does the rest: while `running` is false nobody does.
    """
    if not caller.identity.may(_NEEDS[command]):
        await refuse(services, caller, _NEEDS[command], ANY)
    build, _ = await read_build(services, run)
    if command is Order.RESTART:
        act = await _restarting(services, build, ask)
    else:
        act = _asking(services, (run, command, ask), caller)
    await once(services, caller, key, ["build", run, command.value, ask.model_dump()], act)
    return await get_build(run, caller, services)


async def _restarting(
    services: Services, build: Build, ask: Ask
) -> Callable[[Documents], Awaitable[None]]:
    graph = await _graph(services, build)
    if isinstance(graph, CrossfadeError):
        raise graph

    async def act(documents: Documents) -> None:
        await services.acts(documents).builds.restart(build.id, graph, ask.step)

    return act


def _asking(
    services: Services, wanted: tuple[str, Order, Ask], caller: Caller
) -> Callable[[Documents], Awaitable[None]]:
    run, command, ask = wanted
    who = caller.identity.name

    async def act(documents: Documents) -> None:
        builds = services.acts(documents).builds
        if command is Order.TERMINATE:
            await builds.terminate(run, f"ended by {who}" + (f": {ask.why}" if ask.why else ""))
        else:
            await builds.answer(run, ask.step, Answer(command is Order.APPROVE, who))

    return act


async def read_build(services: Services, run: str) -> tuple[Build, State]:
    """Return the build and how it stands.  Raises NotFound."""
    builds = services.building.builds
    try:
        build = (await builds.build(run)).value
    except NotFound as error:
        hint = "`GET /api/v1/builds` lists them"
        raise NotFound(f"there is no build `{run}`", hint=hint) from error
    return build, (await builds.state(run)).value


async def _graph(services: Services, build: Build) -> Graph | CrossfadeError:
    """Return what the build's pipeline says, or why that cannot be told any more."""
    try:
        return await asyncio.to_thread(services.building.graph, build)
    except CrossfadeError as error:
        return error


def _row(services: Services, build: Build, state: State) -> BuildRow:
    return row(build, state, running=services.building.runs(build.id))


def _require_step(run: str, graph: Graph, step: str) -> None:
    if step == BUILD:
        raise InputError("no step is named", hint="give `step=KEY`, a key of the build's steps")
    if step not in graph.units:
        hint = f"`GET /api/v1/builds/{run}` lists its steps"
        raise NotFound(f"build {run} has no step `{step}`", hint=hint)
