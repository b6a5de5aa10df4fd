"""The workspace of a pipeline, which a build hands on to the next one."""

from crossfade.base.errors import Conflict
from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.policies import resets_volume
from crossfade.core.pipeline.state import Result, State
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.ports.documents import Event
from crossfade.ports.workspaces import Workspaces

_PULL_REQUEST = "CF_PULL_REQUEST_NUMBER"


async def hand_on(
    builds: Builds, workspaces: Workspaces, build: Build, graph: Graph, now: float
) -> str:
    """
    Give a build that has not begun the workspace of the last one before it; return whose it is.

    Of builds side by side the first to begin has it, and the others begin in an empty one.  What a
    pull request has left only its own builds get: its branch may be called as any other.
    """
    if build.local_dir or build.reset_volume or resets_volume(graph.pipeline.spec):
        return ""
    every = await builds.all()
    for each in every:
        if each.handed_to == build.id:  # we were killed after that was saved
            await workspaces.hand_on(each.id, build.id)
            return each.id
    state = (await builds.state(build.id)).value
    found = await _last(builds, every, build, state)
    if found is None or not await workspaces.holds(found.id):
        return ""
    stored = await builds.build(found.id)
    if stored.value != found:
        return ""  # another one takes it, or it is restarted
    event = Event(f"build/{found.id}", now, f"its workspace is handed on to build {build.id}", {})
    try:
        await builds.hand_on(stored, build.id, now, event)
    except Conflict:
        return ""
    await workspaces.hand_on(found.id, build.id)
    return found.id


async def _last(
    builds: Builds, every: tuple[Build, ...], build: Build, state: State
) -> Build | None:
    """
    Return the newest ended build of the same pipeline, trigger, branch and pull request.

    None when it did not succeed: it can be restarted from the step that failed, in its workspace.
    """
    wanted = _lane(build, state)
    for each in sorted(every, key=lambda one: int(one.id), reverse=True):
        if not each.hub or each.id == build.id or each.pipeline != build.pipeline:
            continue
        if (each.trigger, each.branch) != (build.trigger, build.branch):
            continue
        other = (await builds.state(each.id)).value
        if not other.ended or not other.units or _lane(each, other) != wanted:
            continue
        return each if other.result is Result.SUCCESS and not each.forgotten_at else None
    return None


def _lane(build: Build, state: State) -> tuple[str, str]:
    """Return which builds of a trigger have one workspace, one after the other."""
    texts = {name: each.value for name, each in state.variables.items()}
    return build.branch or texts.get("CF_BRANCH", ""), texts.get(_PULL_REQUEST, "")
