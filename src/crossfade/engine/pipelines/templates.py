"""Reads what stands outside of the file of a pipeline, once for each build: variables, steps."""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import replace

from crossfade.base.errors import InputError, Unavailable
from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.masking import masked
from crossfade.core.pipeline.shared_configuration import contexts_of
from crossfade.core.pipeline.state import Status
from crossfade.core.pipeline.template import TEXT, Template, filled, reading, template_of
from crossfade.core.pipeline.variables import Source
from crossfade.engine.pipelines.commands import check, filling
from crossfade.engine.pipelines.integrations import with_integration
from crossfade.engine.pipelines.records import Build
from crossfade.engine.pipelines.surroundings import Surroundings
from crossfade.ports.documents import Event
from crossfade.ports.runner import Order, RunId

KEY = "specTemplate"
LARGEST_BYTES = 1024 * 1024
_TIMES = 3
"""So often is a file read whose reading is lost with its machine."""
_SECONDS = 120.0


async def settled(
    around: Surroundings, build: Build, read: Callable[[Build], Graph]
) -> tuple[Build, Graph]:
    """
    Return the build with all that its pipeline says; what stands elsewhere is read and saved.

    Raises InputError, NotFound when it cannot be read, or not be run.
    """
    graph = await asyncio.to_thread(read, build)
    await _share(around, build, graph)
    template = template_of(graph.pipeline.spec)
    if template is None or build.template:
        return build, graph
    variables = (await around.builds.state(build.id)).value.variables
    wanted = filled(template, filling(variables))
    text = await _text(around, build, wanted)
    event = Event(f"build/{build.id}", around.clock.now(), f"read {wanted}", {})
    build = await around.builds.save_template(build, text, event)
    graph = await asyncio.to_thread(read, build)
    place = around.of(build.runtime)
    check(graph, variables, place.has_tool, build.host_images, place.has_image)
    return build, graph


async def _share(around: Surroundings, build: Build, graph: Graph) -> None:
    """Give a build that has not begun the variables of its shared configurations."""
    names = (*contexts_of(graph.pipeline.spec), *build.contexts)
    stored = await around.builds.state(build.id)
    if not names or stored.value.units:
        return
    shared = await around.shared(names)
    own = {n: each for n, each in stored.value.variables.items() if each.source != Source.SHARED}
    state = replace(stored.value, variables={**shared, **own})
    if state != stored.value:
        event = Event(f"build/{build.id}", around.clock.now(), f"has {', '.join(names)}", {})
        await around.builds.save_state(build, stored, state, event)


async def _text(around: Surroundings, build: Build, template: Template) -> str:
    if not template.in_repository:
        try:
            return await asyncio.to_thread(around.fetch, template.url)
        except Unavailable as error:
            raise InputError(str(error), hint=error.hint) from error
    for number in range(1, _TIMES + 1):
        run = RunId(build.id, build.generation, KEY, number)
        order = Order(run, reading(template))
        if template.integration and around.secrets is not None:
            order = await with_integration(order, template.integration, around.secrets)
        found = await _read(around, order, template)
        if found is not None:
            return found
    raise InputError(f"{template} could not be read", hint="see that the machine has room")


async def _read(around: Surroundings, order: Order, template: Template) -> str | None:
    """Return what a run reads, None when it is lost.  Raises InputError."""
    said = []
    await around.runner.start(order)
    try:
        async with asyncio.timeout(_SECONDS):
            said = [each.data async for each in around.runner.output(order.run)]
    except TimeoutError:
        await around.runner.stop(order.run, 0.0)
        raise _unreadable(template, f"it takes longer than {_SECONDS:g} s") from None
    sight = await around.runner.look(order.run)
    exports = {each.name: each.value for each in sight.exports} if sight is not None else {}
    await around.runner.forget(order.run)
    if sight is None or sight.status in (Status.LOST, Status.KILLED):
        return None
    if sight.status is not Status.SUCCEEDED or TEXT not in exports:
        words = b"".join(said).decode(errors="replace").strip()
        raise _unreadable(template, masked(words, order.secrets) or sight.why)
    data = base64.b64decode(exports[TEXT])
    if len(data) > LARGEST_BYTES:
        raise _unreadable(template, f"it has more than {LARGEST_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _unreadable(template, f"it is no text: {error}") from error


def _unreadable(template: Template, why: str) -> InputError:
    return InputError(
        f"spec.specTemplate: {template} cannot be read: {why}",
        hint="check repo, path, revision and, for private ones, the secrets of `context`",
    )
