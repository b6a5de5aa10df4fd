"""`crossfade pipeline run` and what belongs to it: builds on this machine, without a hub."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import Conflict, InputError, Unavailable
from crossfade.cli.frame import with_pipelines
from crossfade.cli.output import Format, OutputOption, note, show, table
from crossfade.cli.pipeline_options import (
    ClusterOption,
    ContextOption,
    HostImageOption,
    RunnerOption,
    SecretOption,
    StepsOption,
    VarOption,
    given_runtime,
    given_variables,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crossfade.cli.pipeline_view import Lines
    from crossfade.core.pipeline.graph import Graph
    from crossfade.core.pipeline.state import State
    from crossfade.core.pipeline.variables import Variable
    from crossfade.engine.pipelines.files import PipelineFile
    from crossfade.engine.pipelines.records import Build
    from crossfade.wiring_pipelines import Pipelines

FAILED_EXIT_CODE = 1
_OWNER_AND_NAME = 2
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
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
    shared: ContextOption = None,
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
    Run a pipeline: on this machine, or by the hub that one is signed in at.

    Ends with 0 when the build succeeds and with 1 when it does not.  The first Ctrl-C ends the
    build, the second one leaves it: `crossfade pipeline resume` goes on with it.  With --detach the
    hub runs it: `crossfade pipeline logs RUN -f` follows it.
    """
    from crossfade.core.pipeline.runtime import RunnerKind
    from crossfade.engine.pipelines.commands import variables_of
    from crossfade.engine.pipelines.records import Build

    folder = "" if local_dir is None else str(_folder(local_dir))
    facts = _trigger(folder)
    given = facts | given_variables(var, secret)
    name = "pipeline" if str(file) == "-" else file.name
    source, runtime = read_file(file, steps, host_image), given_runtime(runner, cluster)

    async def work(pipelines: "Pipelines") -> None:
        hub = detach or not pipelines.here
        wanted = Build("0", name, "", 0.0, folder, _repository(facts), hub=hub, runtime=runtime)
        wanted = replace(wanted, contexts=tuple(shared or ()))
        build, graph = await pipelines.files.create(source, wanted, given)
        if detach:
            await show_left(pipelines, build, output)
            return
        note(f"build {build.id} of {build.pipeline}")
        if not pipelines.here:
            _end(build, await _followed(pipelines, build, output), output)
            return
        build, graph = await pipelines.settled(build)
        lines = _lines(graph, output)
        lines.unset(graph, (await pipelines.builds.state(build.id)).value.variables)
        if pipelines.places.kind(build.runtime) is RunnerKind.PROCESS:
            lines.notices(graph, variables_of(graph, given, build), source.host_images, pipelines)
        state = await _execute(pipelines, build, graph, lines)
        await _tidy(pipelines)
        _end(build, state, output)

    with_pipelines(context, work)


async def _tidy(pipelines: "Pipelines") -> None:
    """Forget old files; a build has not failed because that cannot be."""
    try:
        await pipelines.tidy()
    except (InputError, Unavailable) as error:
        note(f"old files of builds are not forgotten: {error}; hint: {error.hint}")


def resume(context: typer.Context, run: _RunArgument, output: OutputOption = Format.TEXT) -> None:
    """
    Go on with a build whose process was killed or left.

    Steps that ended in the meantime are not repeated, those that still run are followed.
    """

    async def work(pipelines: "Pipelines") -> None:
        build = (await pipelines.builds.build(run)).value
        if build.hub and await pipelines.hub() is not None:
            raise Conflict(
                f"the hub runs build {run}", hint=f"`crossfade pipeline logs {run} -f` follows it"
            )
        _require_here(pipelines, build)
        build, graph = await pipelines.settled(build)
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
        build = await pipelines.restart(build, from_step)
        if build.hub:
            await show_left(pipelines, build, output)
            return
        build, graph = await pipelines.settled(build)
        _end(build, await _execute(pipelines, build, graph, _lines(graph, output)), output)

    with_pipelines(context, work)


def list_builds(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """List the builds, newest first."""
    from crossfade.cli.pipeline_view import build_json

    async def work(pipelines: "Pipelines") -> None:
        rows = [build_json(each) for each in await pipelines.rows()]
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
        await print_logs(pipelines, build, step, follow=follow)

    with_pipelines(context, work)


def why(
    context: typer.Context,
    run: _RunArgument,
    step: Annotated[str, typer.Argument(help="The step.")],
    output: OutputOption = Format.TEXT,
) -> None:
    """Say how a step of a build stands, and what brought it there."""
    from crossfade.cli.pipeline_view import check_step

    async def work(pipelines: "Pipelines") -> None:
        build = (await pipelines.builds.build(run)).value
        check_step(await pipelines.outline(build), step)
        state = (await pipelines.builds.state(run)).value
        lines = await pipelines.reasons(build, step)
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
        if not await pipelines.has_runner(build):
            note(f"nobody runs build {run}; `crossfade pipeline resume {run}` goes on with it")

    with_pipelines(context, work)


def terminate(
    context: typer.Context, run: _RunArgument, output: OutputOption = Format.TEXT
) -> None:
    """End a build with all of its processes."""

    async def work(pipelines: "Pipelines") -> None:
        build = await pipelines.commands.terminate(run, "ended by a command")
        state = (await pipelines.builds.state(run)).value
        if not await pipelines.has_runner(build):
            _require_here(pipelines, build)
            graph = _graph(build)
            state = await _execute(pipelines, build, graph, _lines(graph, output))
        while not state.ended:
            await asyncio.sleep(0.1)
            state = (await pipelines.builds.state(run)).value
        result = state.result.value
        show({"run": run, "result": result}, output, lambda: f"build {run}: {result}")

    with_pipelines(context, work)


async def _followed(pipelines: "Pipelines", build: "Build", output: Format) -> "State":
    from crossfade.cli.pipeline_follow import follow_to_its_end

    await warn_without_hub(pipelines)
    return await follow_to_its_end(pipelines, build, on_stderr=output is Format.JSON)


def _require_here(pipelines: "Pipelines", build: "Build") -> None:
    """Raise Conflict when the build's workspace is on another machine."""
    if not pipelines.here:
        raise Conflict(
            f"nobody runs build {build.id}, and its workspace is on the hub's machine",
            hint=f"there, `crossfade pipeline resume {build.id} --hub local`",
        )


async def show_left(pipelines: "Pipelines", build: "Build", output: Format) -> None:
    """Say that a build is left to the hub."""
    row = {"run": build.id, "pipeline": build.pipeline, "result": "pending"}
    show(row, output, lambda: f"build {build.id} of {build.pipeline} is left to the hub")
    await warn_without_hub(pipelines)


async def warn_without_hub(pipelines: "Pipelines") -> None:
    """Say so when nobody would run what is left to the hub."""
    if await pipelines.hub() is None:
        note("no hub runs; `crossfade up` starts one")


async def _execute(
    pipelines: "Pipelines", build: "Build", graph: "Graph", lines: "Lines"
) -> "State":
    """Run the build to its end; the first signal ends it, the second one leaves it."""
    from crossfade.cli.pipeline_tree import live_tree
    from crossfade.engine.pipelines.traced_runner import traced_build

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

        for each in _SIGNALS:
            loop.add_signal_handler(each, interrupted)
        try:
            async with live_tree(pipelines, build.id, graph):
                return await traced_build(build, execution.run)
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            lines.finish()
            for each in _SIGNALS:
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


def read_file(file: Path, steps: str | None, images: list[str] | None) -> "PipelineFile":
    """Return the file as it is given to who runs it.  Raises InputError."""
    from crossfade.adapters.pipelines.reading import read_pipeline
    from crossfade.engine.pipelines.files import PipelineFile

    place = steps or ""
    if place and not place.startswith(("https://", "http://")):
        place = str(Path(place).absolute())
    return PipelineFile(str(file), read_pipeline(file), place, tuple(images or ()))


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise InputError(f"--local-dir is no folder: {path}", hint="give a folder, as `.`")
    return path.resolve()


def _repository(facts: "Mapping[str, Variable]") -> str:
    """Return what a folder is a clone of, "" when its origin does not say."""
    names = [facts[name].value for name in ("CF_REPO_OWNER", "CF_REPO_NAME") if name in facts]
    return "/".join(names) if len(names) == _OWNER_AND_NAME else ""


def _trigger(folder: str) -> "dict[str, Variable]":
    from crossfade.adapters.runners.worktree import facts

    return facts(Path(folder)) if folder else {}
