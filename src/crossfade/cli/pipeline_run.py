"""`crossfade pipeline run` and what belongs to it: builds on this machine, without a hub."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import Conflict, InputError
from crossfade.cli.frame import settings_of
from crossfade.cli.output import Format, OutputOption, note, show, table
from crossfade.cli.pipeline_options import (
    ClusterOption,
    HostImageOption,
    RunnerOption,
    SecretOption,
    StepsOption,
    VarOption,
    given_runtime,
    given_variables,
)

if TYPE_CHECKING:
    from crossfade.cli.pipeline_view import Lines
    from crossfade.core.pipeline.graph import Graph
    from crossfade.core.pipeline.state import State
    from crossfade.core.pipeline.variables import Variable
    from crossfade.engine.pipelines.records import Build
    from crossfade.wiring_pipelines import Pipelines

FAILED_EXIT_CODE = 1
_RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The number of the build.")]


def run(  # noqa: PLR0913 - one argument for each option of the command
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A pipeline file; `-` reads standard input.")],
    var: VarOption = None,
    secret: SecretOption = None,
    local_dir: Annotated[
        Path | None,
        typer.Option(help="Folder that is copied into the workspace in place of the main clone."),
    ] = None,
    steps: StepsOption = None,
    host_image: HostImageOption = None,
    runner: RunnerOption = "",
    cluster: ClusterOption = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Have the hub run it, and do not wait.")
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Run a pipeline.

    Ends with 0 when the build succeeds and with 1 when it does not.  The first Ctrl-C ends the
    build, the second one leaves it: `crossfade pipeline resume` goes on with it.  With --detach the
    hub runs it: `crossfade pipeline logs RUN -f` follows it.
    """
    from crossfade.core.pipeline.runtime import RunnerKind, runtime_of
    from crossfade.engine.pipelines.commands import check, variables_of
    from crossfade.engine.pipelines.records import Build

    folder = "" if local_dir is None else str(_folder(local_dir))
    text, graph = read_pipeline(file, steps or "", with_clone=bool(folder))
    given = _trigger(folder) | given_variables(var, secret)
    images = tuple(host_image or ())
    runtime = given_runtime(runtime_of(graph.pipeline.spec), runner, cluster)
    wanted = Build(
        "0",
        _name(graph, file),
        text,
        0.0,
        folder,
        steps or "",
        images,
        hub=detach,
        runtime=runtime,
    )

    async def work(pipelines: "Pipelines") -> None:
        variables, place = variables_of(graph, given, wanted), pipelines.around.of(runtime)
        await pipelines.places.check(runtime)
        check(graph, variables, place.has_tool, images, place.has_image)
        build = await pipelines.commands.create(wanted, graph, given)
        lines = _lines(graph, output)
        if detach:
            await show_left(pipelines, build, output)
            return
        lines.note(f"build {build.id} of {build.pipeline}")
        if pipelines.places.kind(runtime) is RunnerKind.PROCESS:
            lines.notices(variables, images, pipelines)
        _end(build, await _execute(pipelines, build, graph, lines), output)

    with_pipelines(context, work)


def resume(context: typer.Context, run: _RunArgument, output: OutputOption = Format.TEXT) -> None:
    """
    Go on with a build whose process was killed or left.

    Steps that ended in the meantime are not repeated, those that still run are followed.
    """

    async def work(pipelines: "Pipelines") -> None:
        build = (await pipelines.builds.build(run)).value
        if await _is_left(pipelines, build):
            raise Conflict(
                f"the hub runs build {run}", hint=f"`crossfade pipeline logs {run} -f` follows it"
            )
        graph = _graph(build)
        _end(build, await _execute(pipelines, build, graph, _lines(graph, output)), output)

    with_pipelines(context, work)


def restart(
    context: typer.Context,
    run: _RunArgument,
    from_step: Annotated[
        str, typer.Option(help="Begin at this step; what started after it is done again too.")
    ] = "",
    output: OutputOption = Format.TEXT,
) -> None:
    """Run an ended build again from what failed, with the same workspace and variables."""

    async def work(pipelines: "Pipelines") -> None:
        build = (await pipelines.builds.build(run)).value
        graph = _graph(build)
        with pipelines.claimed(build.id):
            build = await pipelines.commands.restart(run, graph, from_step)
        if build.hub:
            await show_left(pipelines, build, output)
            return
        _end(build, await _execute(pipelines, build, graph, _lines(graph, output)), output)

    with_pipelines(context, work)


def list_builds(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """List the builds, newest first."""
    from crossfade.cli.pipeline_view import build_json

    async def work(pipelines: "Pipelines") -> None:
        rows = []
        for build in reversed(await pipelines.builds.all()):
            state = (await pipelines.builds.state(build.id)).value
            rows.append(build_json(build, state, claimed=pipelines.is_claimed(build.id)))
        columns = ("run", "pipeline", "result", "waiting", "running")
        show(rows, output, lambda: table(columns, [[row[c] for c in columns] for row in rows]))

    with_pipelines(context, work)


def logs(
    context: typer.Context,
    run: _RunArgument,
    step: Annotated[str, typer.Argument(help="Only this step.", show_default=False)] = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the build has ended.")
    ] = False,
) -> None:
    """Print what the steps of a build printed, in the order in which they started."""
    from crossfade.cli.pipeline_view import print_logs

    async def work(pipelines: "Pipelines") -> None:
        build = (await pipelines.builds.build(run)).value
        graph = _graph(build)
        await print_logs(pipelines, build, graph, step, follow=follow)

    with_pipelines(context, work)


def why(
    context: typer.Context,
    run: _RunArgument,
    step: Annotated[str, typer.Argument(help="The step.")],
    output: OutputOption = Format.TEXT,
) -> None:
    """Say how a step of a build stands, and what brought it there."""
    from crossfade.cli.pipeline_view import check_step
    from crossfade.core.pipeline.why import why as reasons

    async def work(pipelines: "Pipelines") -> None:
        build = (await pipelines.builds.build(run)).value
        graph = _graph(build)
        check_step(graph, step)
        state = (await pipelines.builds.state(run)).value
        lines = reasons(graph, state, step)
        result = state.units[step].visible.value if step in state.units else "pending"
        row = {"run": run, "step": step, "result": result, "why": list(lines[1:])}
        show(row, output, lambda: "\n  ".join(lines))

    with_pipelines(context, work)


def approve(
    context: typer.Context,
    run: _RunArgument,
    step: Annotated[str, typer.Argument(help="The approval.", show_default=False)] = "",
    output: OutputOption = Format.TEXT,
) -> None:
    """Approve a step of a build that waits for it."""
    _answer(context, run, step, approved=True, output=output)


def deny(
    context: typer.Context,
    run: _RunArgument,
    step: Annotated[str, typer.Argument(help="The approval.", show_default=False)] = "",
    output: OutputOption = Format.TEXT,
) -> None:
    """Deny a step of a build that waits for approval."""
    _answer(context, run, step, approved=False, output=output)


def _answer(context: typer.Context, run: str, step: str, *, approved: bool, output: Format) -> None:
    from crossfade.core.pipeline.state import Answer

    async def work(pipelines: "Pipelines") -> None:
        answer = Answer(approved, os.environ.get("USER") or "cli")
        key = await pipelines.commands.answer(run, step, answer)
        word = "approved" if approved else "denied"
        show({"run": run, "step": key, "answer": word}, output, lambda: f"{key} {word}")
        build = (await pipelines.builds.build(run)).value
        if not pipelines.is_claimed(run) and not await _is_left(pipelines, build):
            note(f"nobody runs build {run}; `crossfade pipeline resume {run}` goes on with it")

    with_pipelines(context, work)


def terminate(
    context: typer.Context, run: _RunArgument, output: OutputOption = Format.TEXT
) -> None:
    """End a build with all of its processes."""

    async def work(pipelines: "Pipelines") -> None:
        build = await pipelines.commands.terminate(run, "ended by a command")
        state = (await pipelines.builds.state(run)).value
        if not pipelines.is_claimed(run) and not await _is_left(pipelines, build):
            graph = _graph(build)
            state = await _execute(pipelines, build, graph, _lines(graph, output))
        while not state.ended:
            await asyncio.sleep(0.1)
            state = (await pipelines.builds.state(run)).value
        result = state.result.value
        show({"run": run, "result": result}, output, lambda: f"build {run}: {result}")

    with_pipelines(context, work)


async def _is_left(pipelines: "Pipelines", build: "Build") -> bool:
    """Return whether a hub sees to the build."""
    return build.hub and await pipelines.hub() is not None


async def show_left(pipelines: "Pipelines", build: "Build", output: Format) -> None:
    """Say that a build is left to the hub."""
    row = {"run": build.id, "pipeline": build.pipeline, "result": "pending"}
    show(row, output, lambda: f"build {build.id} of {build.pipeline} is left to the hub")
    await warn_without_hub(pipelines)


async def warn_without_hub(pipelines: "Pipelines") -> None:
    """Say so when nobody would run what is left to the hub."""
    if await pipelines.hub() is None:
        note("no hub runs; `crossfade up` starts one")


def with_pipelines(
    context: typer.Context, work: "Callable[[Pipelines], Coroutine[None, None, None]]"
) -> None:
    from crossfade.wiring_pipelines import pipelines

    async def opened() -> None:
        async with pipelines(settings_of(context)) as found:
            await work(found)

    asyncio.run(opened())


async def _execute(
    pipelines: "Pipelines", build: "Build", graph: "Graph", lines: "Lines"
) -> "State":
    """Run the build to its end; the first signal ends it, the second one leaves it."""
    from crossfade.cli.pipeline_tree import live_tree

    with pipelines.claimed(build.id):
        execution = pipelines.execution(build, graph, lines)
        task = asyncio.current_task()
        loop, asked = asyncio.get_running_loop(), False

        def interrupted() -> None:
            nonlocal asked
            if asked and task is not None:
                lines.note(f"left; `crossfade pipeline resume {build.id}` goes on with it")
                task.cancel()
                return
            asked = True
            lines.note("ending the build; once more leaves it to itself")
            execution.terminate("ended by a signal")

        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, interrupted)
        try:
            async with live_tree(pipelines, build.id, graph):
                return await execution.run()
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            lines.finish()
            for each in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(each)


def _end(build: "Build", state: "State", output: Format) -> None:
    from crossfade.cli.pipeline_view import result_json, summary
    from crossfade.core.pipeline.state import Result

    show(result_json(build, state), output, lambda: summary(build, state))
    if state.result is not Result.SUCCESS:
        raise typer.Exit(FAILED_EXIT_CODE)


def _lines(graph: "Graph", output: Format) -> "Lines":
    from crossfade.cli.pipeline_view import Lines

    return Lines(graph, on_stderr=output is Format.JSON)


def _graph(build: "Build") -> "Graph":
    from crossfade.wiring_pipelines import graph_of_build

    return graph_of_build(build)


def read_pipeline(file: Path, definitions: str, *, with_clone: bool) -> tuple[str, "Graph"]:
    """Return the text of a file and what it says.  Raises InputError."""
    from crossfade.adapters.documents.files import decode, read_text
    from crossfade.adapters.pipelines.reading import LARGEST_BYTES

    if str(file) == "-":
        text = decode(sys.stdin.buffer.read(LARGEST_BYTES + 1), "standard input", LARGEST_BYTES)
    else:
        text = read_text(file, LARGEST_BYTES)
    return _parsed(text, definitions, str(file), with_clone=with_clone)


def _parsed(text: str, steps: str, name: str, *, with_clone: bool) -> tuple[str, "Graph"]:
    """Return the text and what it says.  Raises InputError when it is no one pipeline."""
    from crossfade.adapters.pipelines.graphs import read_graph

    return text, read_graph(text, steps, name, with_clone=with_clone)


def _name(graph: "Graph", file: Path) -> str:
    return graph.pipeline.name or ("pipeline" if str(file) == "-" else file.name)


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise InputError(f"--local-dir is no folder: {path}", hint="give a folder, as `.`")
    return path.resolve()


def _trigger(folder: str) -> "dict[str, Variable]":
    from crossfade.adapters.runners.worktree import facts

    return facts(Path(folder)) if folder else {}
